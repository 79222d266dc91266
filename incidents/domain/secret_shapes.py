"""Values that look like secrets or personal data wherever they stand.

Every pattern is linear in the length of the text: no repeat stands inside another unless each turn of the outer one
begins with a character that the inner one cannot take, and repeats that could give back are possessive or bounded.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address

FILTERED = "[filtered]"

LONG_WORD = re.compile(r"[A-Za-z0-9_\-]{16}")
"""Nearly no line of code holds one; keys, tokens and encoded texts all do."""

JWT = re.compile(r"eyJ[\w-]{5,}+(?:\.[\w-]*+){1,4}|eyJ[\w-]{30,}+={0,2}")
PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)", re.DOTALL
)  # fmt: skip
KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}(?![0-9A-Za-z])|AIza[\w-]{30,}+|ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+|"
    r"gh[pousr]_[A-Za-z0-9]{30,}+|github_pat_\w{20,}+|gl(?:pat|dt|rt|cbt|ptt|ft|agent|soat)-[\w-]{16,}+|"
    r"[spr]k_(?:live|test)_\w{10,}+|whsec_\w{16,}+|sk-[\w-]{20,}+|xox[abeoprs]-[\w-]{10,}+|xapp-[\w-]{10,}+|"
    r"SG\.[\w-]{16,}+\.[\w-]{16,}+|(?:SK|AC)[0-9a-f]{32}(?![0-9A-Za-z])|key-[0-9a-f]{32}(?![0-9A-Za-z])|"
    r"[0-9a-f]{32}-us\d{1,2}(?![0-9A-Za-z])|npm_\w{30,}+|pypi-[\w-]{30,}+|rubygems_[0-9a-f]{40,}+|hf_[A-Za-z0-9]{30,}+|"
    r"do[opr]_v1_[0-9a-f]{40,}+|shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}|sq0(?:atp|csp)-[\w-]{20,}+|dapi[0-9a-f]{32}|"
    r"dp\.(?:pt|st|ct|sa)\.[\w.-]{20,}+|lin_api_\w{30,}+|ntn_\w{30,}+|secret_[A-Za-z0-9]{40,}+|PMAK-[0-9a-f-]{40,}+|"
    r"gl(?:sa|c)_[\w+/=]{20,}+|NR(?:AK|JS|II)-[\w-]{20,}+|sntry[su]_[\w+/=-]{20,}+|hv[sbr]\.[\w-]{20,}+|"
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}+|dckr_pat_[\w-]{20,}+|HRKU-[\w-]{30,}+|pscale_(?:tkn|pw|oauth)_[\w.-]{20,}+|"
    r"AKCp[A-Za-z0-9]{30,}+|ATATT3[\w=-]{30,}+|sbp_[0-9a-f]{40}|AGE-SECRET-KEY-1[0-9A-Z]{40,}+|upshot_[\w-]{20,}+|"
    r"\d{8,10}:[\w-]{35}(?![\w-]))"
)
HOOKS = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{8,}+|(?<=/api/webhooks/)\d{5,20}/[\w-]{8,}+|"
    r"(?<=webhook\.office\.com/)[\w@/-]{8,}+"
)
USERINFO = re.compile(r"(?<=://)[^/\s\"'<>]+(?=@)")
SCHEME = re.compile(r"\b(Bearer|Basic|Token|SSWS|ApiKey)(\s{1,3})([A-Za-z0-9+/_.~-]{8,}+=*+)", re.IGNORECASE)
CURL_USER = re.compile(r"(?<!\S)(-u|--user)([ =])[\"']?[^\s:\"']{1,128}:[^\s\"']{1,256}")
ENCODED = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{20,}+={0,2}(?![A-Za-z0-9+/_=-])")
EMAIL = re.compile(r"(?<![\w.+%-])([\w.+%-]++)@(?!v?\d+\.\d)([\w-]++(?:\.[\w-]++)++)")
CARD = re.compile(
    r"(?<![\d.])(?:\d{4}([ +.\-])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ +.\-])\d{6}\2\d{4,5}|\d{13,19})(?!\.?\d)",
    re.ASCII,
)
DIGITS = re.compile(r"\d{4}[ +.\-]?\d{4}", re.ASCII)
IPV4 = re.compile(r"(?<![\w.-])(?<![A-Za-z]/)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w-]|\.\d)", re.ASCII)
IPV6 = re.compile(r"(?<![0-9A-Za-z])[23][0-9a-fA-F]{3}:[0-9a-fA-F:]{2,34}(?!\w)")
ELEMENT = re.compile(r"<([\w:.-]{1,100})>([^<]{1,2000}+)(?=</)")
PART = re.compile(
    r"(form-data;[^\r\n]{0,200}?name=\"([^\"\r\n]{1,100})\"[^\r\n]{0,200}(?:\r?\n[\w-]{1,60}:[^\r\n]{0,200})*\r?\n\r?\n)([^\r\n]+)"
)

_NO_PEOPLE = frozenset({"git", "celery", "rabbit"})
_NO_DOMAINS = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "mjs", "cjs", "ts", "tsx", "css", "py", "rb", "html", "json", "whl",
     "service", "timer", "socket", "slice", "target", "mount", "path", "tgz", "gz", "zip", "jar", "dev0"}
)  # fmt: skip
_OWN_NETWORKS = tuple(
    IPv4Network(text)
    for text in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3")
)  # fmt: skip
_VERSION_BEFORE = re.compile(r"(?:version|release|build|ver|==)[\s:=\"']{0,3}$", re.IGNORECASE)
_MOST_DECODED = 4_096


def email(match: re.Match[str]) -> str:
    """An address of a person; not of a repository, a node or a file with an `@` in its name."""
    last = match[2].rpartition(".")[2]
    if match[1].lower() in _NO_PEOPLE or last.lower() in _NO_DOMAINS or len(last) < 2 or not last.isalpha():
        return match.group()
    return FILTERED


def card(match: re.Match[str]) -> str:
    """A number that an issuer could have given, with the check digit it must have."""
    return FILTERED if is_card(re.sub(r"\D", "", match.group(), flags=re.ASCII)) else match.group()


def is_card(digits: str) -> bool:
    """Whether the digits begin and are as many as an issuer's (ISO/IEC 7812), and pass the check of its annex B."""
    size, two, three, four = len(digits), int(digits[:2]), int(digits[:3]), int(digits[:4])
    is_issued = (
        (digits[0] == "4" and size in (13, 16, 19))
        or (size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720))
        or (size == 15 and two in (34, 37))
        or (14 <= size <= 19 and (two in (36, 38, 39) or 300 <= three <= 305))
        or (16 <= size <= 19 and (two in (62, 65) or four == 6011 or 644 <= three <= 649 or 3528 <= four <= 3589))
        or (size in (16, 18, 19) and four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763))
    )
    return is_issued and len(set(digits)) > 1 and _luhn([int(digit) for digit in digits])


def _luhn(digits: list[int]) -> bool:
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def address(match: re.Match[str]) -> str:
    """Public addresses are people's as often as not; private ones are the team's own machines and useful to read."""
    try:
        found = IPv4Address(match.group())
    except ValueError:
        return match.group()
    is_network = match.group().endswith(".0.0.0")
    before = match.string[max(0, match.start() - 12) : match.start()]
    if is_network or any(found in network for network in _OWN_NETWORKS) or _VERSION_BEFORE.search(before):
        return match.group()
    return FILTERED


def long_address(match: re.Match[str]) -> str:
    """Only what lies in 2000::/3 is asked: everything else is a machine's own or no address."""
    text = match.group()
    end = text if text.endswith("::") else text.rstrip(":")
    try:
        IPv6Address(end)
    except ValueError:
        return text
    return FILTERED + text[len(end) :]


def scheme(match: re.Match[str]) -> str:
    """What follows the name of a scheme of HTTP authentication, unless it is a word ("basic functionality")."""
    value, name = match[3], match[1].lower()
    is_word = value.isalpha() and (value.islower() or value.istitle() or value.isupper())
    is_short = name == "token" and (len(value) < 16 or not any(each.isdigit() for each in value))
    return match.group() if is_word or is_short else f"{match[1]}{match[2]}{FILTERED}"


def decoded(word: str) -> str:
    """The text that base64 (of either alphabet) hides; empty where the word hides none."""
    bare = word.rstrip("=").translate(_STANDARD)[:_MOST_DECODED]
    try:
        data = base64.b64decode(bare[: len(bare) - (len(bare) % 4 == 1)] + "=" * (-len(bare) % 4), validate=True)
        text = data.decode("utf-8")
    except (ValueError, binascii.Error):
        return ""
    return text if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else ""


_STANDARD = str.maketrans("-_", "+/")
