"""What speaks for "no change did this": somebody else's outage, more traffic, an expiry, a known error."""

from __future__ import annotations

from collections import Counter

from incidents.domain.case import Case, Term
from incidents.domain.evidence import MINUTE
from incidents.domain.vocabulary import external_hosts


def outside(case: Case) -> list[Term]:
    """All evidence for the null candidate."""
    found = [Term("none_base", 1.0, "incidents without any change are common")]
    for part in (_messages, _traffic, _spread, _novelty, _hosts, _people):
        found += part(case)
    return found


_SPOKEN: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("none_certificate", ("certificate", "expiry"), "the errors speak of a certificate or an expiry"),
    ("none_dns", ("name_resolution",), "the errors speak of name resolution"),
    ("none_infrastructure", ("infrastructure", "disk", "lock"), "the errors speak of infrastructure"),
    ("none_failover", ("failover",), "a data store or broker has changed its leader"),
    ("none_disk", ("disk",), "a disk is full or does not answer"),
    ("none_rate_limit", ("rate_limit",), "the errors speak of a quota or rate limit"),
    ("none_memory", ("memory",), "the errors speak of memory"),
    ("none_exhaustion", ("exhaustion",), "the errors speak of exhausted capacity"),
)


def _messages(case: Case) -> list[Term]:
    found = [Term(name, 1.0, said) for name, mechanisms, said in _SPOKEN if case.speaks_of(*mechanisms) >= 0.5]
    if case.has_expired:
        found.append(Term("none_expired", 1.0, "a certificate has expired"))
    if case.external:
        host = min(case.external, key=lambda name: (-case.external[name], name))
        found.append(Term("none_external", case.external[host], f"the errors name {host}, which is not ours"))
        hit = {e.service for e in case.group.episodes if host in external_hosts(e.issue.hosts, case.names)}
        if len(hit) > 1:
            found.append(Term("none_external_shared", 1.0, f"{len(hit)} services fail at {host}"))
    is_named = any(e.issue.hosts for e in case.group.episodes)
    if case.speaks_of("timeout", "connection", "unavailable") >= 0.5 and (is_named or not case.named):
        found.append(Term("none_remote", 1.0, "the errors speak of a call that was not answered"))
    inside = sum(e.count for e in case.group.episodes if e.issue.is_library_inside)
    if inside >= 0.5 * max(1, case.events):
        found.append(Term("none_library", 1.0, "the errors come out of a library, not out of own code"))
    return found


def _traffic(case: Case) -> list[Term]:
    ratio = case.spike
    if ratio is None:
        return []
    if ratio > 2.2:
        found = [Term("none_spike", 1.0, f"traffic was {ratio:.1f} times the usual")]
        if case.speaks_of("exhaustion", "timeout", "unavailable", "memory", "rate_limit") >= 0.5:
            found.append(Term("none_spike_load", 1.0, "and the errors speak of overload"))
        return found
    if ratio > 1.6:
        return [Term("none_spike_some", 1.0, f"traffic was {ratio:.1f} times the usual")]
    return [Term("none_no_spike", 1.0, "traffic was as usual")]


def _spread(case: Case) -> list[Term]:
    if len(case.services) < 2:
        return []
    common = [
        name for name in set(case.services) | set(case.around.services)
        if all(s == name or name in case.around.dependencies(s) for s in case.services)
    ]  # fmt: skip
    found: list[Term] = []
    if not common:
        found.append(Term("none_no_common", 1.0, f"{len(case.services)} services fail that share no dependency"))
    starts = {
        s: min(e.start for e in case.group.episodes if e.service == s) for s in case.services if _has_errors(case, s)
    }
    slack = 2 * MINUTE + max((e.spacing for e in case.group.episodes), default=0.0)
    if len(starts) > 1 and max(starts.values()) - min(starts.values()) <= slack:
        found.append(Term("none_at_once", 1.0, "they began to fail at the same moment"))
    return found


def _has_errors(case: Case, service: str) -> bool:
    return any(e.service == service for e in case.group.episodes)


def _novelty(case: Case) -> list[Term]:
    found: list[Term] = []
    if case.group.episodes and all(e.reason == "burst" for e in case.group.episodes):
        found.append(Term("none_known", 1.0, "the errors are known ones that came more often"))
    elif any(e.reason == "regressed" for e in case.group.episodes):
        found.append(Term("none_regressed", 1.0, "the error was seen in an earlier incident"))
    for issue in case.issues[:1]:
        first = case.around.known_texts.get(f"{issue.service}|{issue.type}|{issue.text}")
        if first is not None and first < case.onset - 60 * MINUTE:
            found.append(Term("none_known_text", 1.0, "the same message was known before under another stack"))
    if not case.group.episodes:
        found.append(Term("none_checks_only", 1.0, f"{_without_errors(case)}; no error was reported"))
    return found


def _without_errors(case: Case) -> str:
    """What told of the trouble where no error did."""
    outages = case.group.outages
    if all(outage.is_unanswered for outage in outages):
        return "only checks failed"
    told = [
        words
        for words, is_so in (
            ("failed checks", any(outage.is_unanswered for outage in outages)),
            ("failed runs of a job", any(outage.job for outage in outages)),
            ("an alert", any(outage.alert for outage in outages)),
        )
        if is_so
    ]
    return f"only {' and '.join(told)} told of it"


def _hosts(case: Case) -> list[Term]:
    """One host only, or one part of the fleet only (hosts that share a word in their names)."""
    hosts = case.facts(case.primary).hosts
    events = [s for e in case.group.episodes if e.service == case.primary for s in e.sightings if s.host]
    failing = {s.host for s in events}
    if len(hosts) < 3 or len(events) < 5 or not failing:
        return []
    if len(failing) == 1:
        return [Term("none_one_host", 1.0, f"only host {next(iter(failing))} fails")]
    words: Counter[str] = Counter(word for host in hosts for word in set(_words(host)))
    for word, count in sorted(words.items()):
        if 2 <= count <= 0.75 * len(hosts) and all(word in _words(host) for host in failing) and len(events) >= 6:
            return [Term("none_one_region", 1.0, f"only hosts of {word} fail")]
    return []


def _words(host: str) -> list[str]:
    return [w for w in host.replace(".", "-").replace("_", "-").split("-") if w]


def _people(case: Case) -> list[Term]:
    found: list[Term] = []
    if case.group.episodes and not case.users and case.facts(case.primary).reports_users and case.events >= 4:
        found.append(Term("none_no_users", 1.0, "no user is behind the errors, where users are usual"))
    if not case.facts(case.primary).reports_users and case.group.episodes:
        found.append(Term("none_background", 1.0, f"{case.primary} has no users of its own"))
    if case.users == 1 and case.events >= 4:
        found.append(Term("none_one_user", 1.0, "a single user is behind the errors"))
    return found
