"""The field's words for what went wrong, over languages and ecosystems: what an engineer on call reads in a message.

The lists name mechanisms (certificate, name resolution, time-out, exhausted pool, memory, schema ...). They are matched
against the type and the normalised message together; a message may belong to several. They are general knowledge of
runtimes, drivers and protocols, never the wording of one product or of one set of cases.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORDS: dict[str, str] = {
    "certificate": r"certificat|\bcert\b|x509|\bssl|\btls\b|handshake|pkix|self.?signed|unable_to_verify|\bocsp\b|"
    r"trust ?anchor|cert_has_expired|not yet valid",
    "expiry": r"expired?\b|expir(?:y|ation|es)|no longer valid|past its validity|token_expired|licen[cs]e",
    "name_resolution": r"\bdns\b|enotfound|eai_again|getaddrinfo|no such host|name or service not known|nxdomain|"
    r"unknownhost|name resolution|nodename nor servname|could ?n.t resolve|servfail|temporary failure in name",
    "timeout": r"time[d]?[- _]?out|deadline|etimedout|esockettimedout|took too long|timeout",
    "connection": r"econnrefused|econnreset|connection (?:refused|reset|aborted|closed|error|timed out)|connectexception|"
    r"connectionerror|max retries|broken pipe|epipe|socket hang ?up|unreachable|no route to host|"
    r"connection.?(?:lost|failure|attempt)|remotedisconnected|unexpected eof|fetch failed|network ?error|dial tcp",
    "unavailable": r"service unavailable|bad gateway|gateway time|unavailable|upstream|temporarily|circuit.?breaker|"
    r"\b5xx\b|server error|internal server error|no healthy|try again later|overloaded",
    "exhaustion": r"pool|too many (?:connections|clients|open files|requests)|slots? (?:are|is)? ?reserved|exhaust|"
    r"queue (?:is )?full|limit (?:reached|exceeded)|backpressure|rejectedexecution|saturat|emfile|enfile|"
    r"no (?:free|available|idle) (?:connection|worker|thread|slot)|max_connections|softtimelimit|timelimit|"
    r"could not (?:acquire|obtain|get) (?:a )?connection|capacity|starv|overflow(?:ed)? queue|queue overflow",
    "rate_limit": r"rate.?limit|throttl|too many requests|quota|request limit|usage limit",
    "memory": r"out of memory|\boom\b|oomkill|memoryerror|outofmemory|heap (?:out|space|limit|size)|javascript heap|"
    r"cannot allocate|alloc(?:ating|ation|ate)? .*(?:bytes|memory|failed)|bad_alloc|memory limit|gc overhead|"
    r"sigkill|signal #? ?\(?sigkill|killed|workerlost|exited prematurely|exit code|r14|fatal error: runtime",
    "disk": r"no space left|enospc|disk (?:full|quota|usage)|read-only file ?system|erofs|i/o error|\beio\b|inode",
    "schema": r"\bcolumn\b|\brelation\b.*(?:exist|#)|no such (?:table|column)|undefined (?:table|column)|unknown column|"
    r"not-?null constraint|does not have a column|invalid column|migrat|schema|doesn.t exist.*table|table .*doesn.t|"
    r"no field|field .*(?:unknown|missing) in (?:table|index)|mapping|cannot be null|violates not|undefinedcolumn|"
    r"undefinedtable|invalid object name|ora-#",
    "lock": r"deadlock|lock wait|lock timeout|could not serialize|database is locked|lock(?:ed)? by|locknotavailable",
    "authentication": r"unauthori[sz]ed|forbidden|invalid (?:api )?(?:key|token|credential|client|signature|grant)|"
    r"authentication failed|access denied|permission denied|\b40[13]\b|password authentication|secret|jwt|"
    r"credentials?|signature (?:does not match|mismatch)",
    "infrastructure": r"node (?:is )?not ready|evicted|host (?:is )?down|kernel|hypervisor|leader (?:election|not)|"
    r"not (?:the )?(?:leader|master|primary)|failover|read.?only (?:transaction|replica|mode)|replica|quorum|"
    r"no route|network is|unreachable|cluster|shard|partition|broker|zone|rebalanc|connection to server|"
    r"master ?down|primary|the database system is (?:starting|shutting|in recovery)|clusterdown|readonly",
    "failover": r"fail-?over|not (?:the )?(?:leader|primary|master)|no leader|leader (?:not|election)|read.?only replica|"
    r"in recovery|masterdown|clusterdown|election in progress|brokers? (?:is |are |was )?(?:down|unreachable)|"
    r"broker connections are down|broker transport failure|lost quorum|no quorum|standby|server (?:is )?starting up",
    "payload": r"\bin response\b|payload|unexpected (?:token|end|response)|missing (?:field|key|property|attribute)|"
    r"field .*missing|deserializ|unmarshal|decod|parse|invalid json|contract|incompatible|unknown field|"
    r"unrecognized field|\bprotobuf\b|content.?type",
    "missing_file": r"no such file|enoent|filenotfound|modulenotfound|cannot find module|importerror|no module named|"
    r"classnotfound|noclassdef|nosuchmethod|cannot import|undefined symbol|undefined method|is not a function|"
    r"is not defined|nameerror|method not found|bean.*(?:not|could)",
    "configuration": r"environment variable|config|setting|missing (?:env|secret)|not set\b|undefined variable|"
    r"improperlyconfigured|invalid option",
    "missing_value": r"nonetype|null ?pointer|nil pointer|undefined|is null|\bnull\b|attributeerror|keyerror|typeerror|"
    r"nosuchelement|index(?:error| out)|out of range|nomethoderror|cannot read prop",
}
_PATTERNS = {name: re.compile(words, re.IGNORECASE) for name, words in _WORDS.items()}
MECHANISMS = tuple(_WORDS)

REMOTE = frozenset({"certificate", "name_resolution", "timeout", "connection", "unavailable", "rate_limit"})
"""Mechanisms of a call that left the process."""
OPERATIONAL = REMOTE | {"exhaustion", "memory", "disk", "infrastructure", "failover", "lock"}
"""Mechanisms that need no line of code to have changed."""


@lru_cache(maxsize=8192)
def mechanisms(type_: str, text: str) -> frozenset[str]:
    """Which mechanisms the type and the normalised message speak of. Camel case in the type is read as words too."""
    said = f"{type_} {re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', type_)} {text}"
    return frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(said))


_INTERNAL_ENDINGS = (
    "internal",
    "local",
    "localdomain",
    "svc",
    "cluster",
    "lan",
    "intranet",
    "corp",
    "home",
    "localhost",
)
_WORD = re.compile(r"[a-z][a-z0-9_-]+")


def named_services(text: str, hosts: tuple[str, ...], services: frozenset[str]) -> frozenset[str]:
    """The team's own services that a message names, as a word or as a label of a host."""
    words = set(_WORD.findall(text.lower()))
    for host in hosts:
        labels = host.split(".")
        words.update(labels)
        words.update(part for label in labels for part in (label.removesuffix("-service"), label.removesuffix("-api")))
    return frozenset(name for name in services if name.lower() in words)


def external_hosts(hosts: tuple[str, ...], services: frozenset[str]) -> tuple[str, ...]:
    """Hosts that are not the team's own: neither named after a service nor under a private ending."""
    own = {name.lower() for name in services}
    return tuple(
        host for host in hosts
        if "." in host and host.rsplit(".", 1)[-1] not in _INTERNAL_ENDINGS and not own & set(host.split("."))
        and any(c.isalpha() for c in host.split(".")[0])
    )  # fmt: skip
