"""Names that tell of themselves that their value must not be kept: of fields, headers, parameters and variables."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


class Kind(IntEnum):
    """What a name says of its value. MAIL and ADDRESS are secret too, unless a team wants to read them."""

    PLAIN = 0
    SECRET = 1
    MAIL = 2
    ADDRESS = 3
    LOCALS = 4
    CODE = 5


# Every pattern reads the spelling that `plain_name` makes, is a search without repeats inside repeats, and so linear.
_SECRET = re.compile(
    r"pass(?:wor[dt]|wd|phrase|code)|kennwort|mot_de_passe|contrase|wachtwoord|пароль|密码|パスワード|(?:^|_)(?:pass|pwd|pw)$|"
    r"pwd$|pgpass|secret(?!ar)|credential|cookie|[cx]srf|authorization|bearer|(?:^|_)jwt|(?:^|_)o?auth$|(?:^|_)salt$|"
    r"(?:api|access|private|secret|encrypt(?:ion)?|account|master|signing|shared|storage|subscription|license|"
    r"consumer|ssh|deploy|service|sentry|app|application)_?keys?(?!board|word)|"
    r"token_?\d*$|token_(?:value|secret|key|hash)|(?:auth|access|refresh|id|api|bearer|reset|security|device)_?tokens$|"
    r"sess(?:ion)?_?id|session_?key|(?:^|_)session$|(?:^|_)sid$|signature$|(?:^|_)sig$|(?:^|_)dsn$|connection_?string|"
    r"conn_?str$|(?:verification|auth|reset|recovery|backup|security|mfa|activation)_?codes?$|(?:db|sql|bind)_params$|"
    r"(?:^|_)(?:pin|t?otp|cvv2?|cvc2?|iban|ssn|dob)(?:_?(?:code|number|no))?$|social_security|passport_?n|tax_id|"
    r"card_?(?:number|no|num|pan)$|credit_?card|cc_?num|(?:account|routing)_?number$|msisdn|birth_?da|date_of_birth|"
    r"(?:^|_)(?:tele|mobile_?|cell_?)?phone(?:_?(?:number|no|nr|home|work|mobile))?$|(?:^|_)user_?name$|"
    r"(?:^|_)(?:first|last|full|sur|given|family|middle|maiden)_?name$|(?:zip|postal)_?code$|postcode$|(?:^|_)street$|"
    r"(?:street|postal|home|billing|shipping|mailing)_address$"
)
_ADDRESS = re.compile(
    r"remote_(?:addr|host)$|forwarded(?:_for)?$|(?:real|client|connecting)_ip$|(?:^|_)ip(?:v[46])?(?:_?addr(?:ess)?)?$"
)
_MAIL = re.compile(r"e_?mail|(?:^|_)mail(?:_address|_to)?$|mailto$")
_HARMLESS = re.compile(  # what is said about a secret is none: "InvalidToken", "password_min_length", "cookie_domain"
    r"^(?:invalid|unexpected|expired|missing|incorrect|wrong|bad|unknown|no|not|has|is|max|min|total|num|should|can|needs?|"
    r"requires?|allow|illegal)_|_(?:count|length|len|enabled|required|policy|algorithm|type|min|max|ttl|age|expiry|expires|"
    r"expires_(?:at|in)|strength|validators?|files?|paths?|dir|domain|error|exception|backend|class|module)$"
)
_CODE = frozenset({"context_line", "pre_context", "post_context"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\W_]+")
LONGEST = 200


def plain_name(name: str) -> str:
    """One spelling for `accessToken`, `Access-Token` and `ACCESS_TOKEN`: lower case, parts joined by underscores."""
    return _BETWEEN.sub("_", _HUMP.sub("_", name[-LONGEST:])).strip("_").lower()


def kind_of(name: str) -> Kind:
    """What the name of a key, header or parameter says of its value; of a long name the end is read."""
    return _kind_of(name if len(name) <= LONGEST else name[-LONGEST:])


@lru_cache(maxsize=8_192)  # the same few hundred names come with every report
def _kind_of(name: str) -> Kind:
    if name == "vars":
        return Kind.LOCALS
    if name in _CODE:
        return Kind.CODE
    plain = plain_name(name)
    if _HARMLESS.search(plain):
        return Kind.PLAIN
    if _SECRET.search(plain):
        return Kind.SECRET
    if _MAIL.search(plain):
        return Kind.MAIL
    return Kind.ADDRESS if _ADDRESS.search(plain) else Kind.PLAIN
