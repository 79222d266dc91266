"""What pages call changes, causes and people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from deploys.domain.wording import GAP, probability
from deploys.models import Change, User
from incidents.models import Cause, Incident

OTHER_CAUSES = {
    "external": "something outside",
    "infrastructure": "infrastructure",
    "capacity": "capacity",
    "unknown": "unknown",
}
_STRATEGY_SIGNS = {"config": "configuration", "migration": "migration"}
_KIND_SIGNS = {"hotfix": "hotfix", "rollback": "rollback"}


@dataclass(frozen=True, slots=True)
class NamedChange:
    """A change as a page names it; `url` is empty where it has no page."""

    sign: str
    kind: str
    name: str
    url: str


def named_change(change: Change, team_slug: str) -> NamedChange:
    """`change` with its deploy and release, or its flag, loaded: no query."""
    if change.kind == Change.Kind.FLAG:
        flip = change.flag_change
        old = "" if flip.old_percent is None else f"{flip.old_percent:g} → "
        return NamedChange(sign="flag", kind="Flag", name=f"{flip.flag.key} {old}{flip.new_percent:g}{GAP}%", url="")
    deploy = change.deploy
    version = deploy.release.version if deploy.release else deploy.external_id
    sign = _STRATEGY_SIGNS.get(deploy.strategy) or _KIND_SIGNS.get(deploy.kind_listed or deploy.kind_stated, "deploy")
    words = {"configuration": "Configuration", "migration": "Migration", "hotfix": "Hotfix", "rollback": "Rollback"}
    service = change.service.name if change.service else ""
    return NamedChange(
        sign=sign,
        kind=words.get(sign, "Deploy"),
        name=f"{service} {version}".strip(),
        url=page_of("deploy-detail", team_slug, change.public_id),
    )


def page_of(name: str, *args: object) -> str:
    """The address of a page, empty where this instance has no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@dataclass(frozen=True, slots=True)
class NamedCause:
    """What an incident is laid at, in a list. `is_own`: a change of ours, confirmed; `said` who says so."""

    words: str
    said: str
    sign: str = ""
    url: str = ""
    is_own: bool = False


def leading_cause(incident: Incident, team_slug: str) -> NamedCause | None:
    """What stands for the cause in a list: what was confirmed, else the likeliest suggestion. Reads loaded causes.

    Without either, that the verdict in force says no change did it, where the list has asked for that.
    """
    links = list(incident.causes.all())
    confirmed = [link for link in links if link.status == Cause.Status.CONFIRMED]
    suggested = sorted(
        (link for link in links if link.status == Cause.Status.SUGGESTED), key=lambda link: -(link.probability or 0)
    )
    if not confirmed and not suggested:
        odds: float | None = getattr(incident, "no_change_probability", None)
        return NamedCause(words="no change", said=f"suspected, {probability(odds)}") if odds is not None else None
    link = (confirmed or suggested)[0]
    more = f" and {len(confirmed) - 1} more" if len(confirmed) > 1 else ""
    by = "" if link.by == Cause.By.PERSON else " by the model"
    said = f"confirmed{by}" if confirmed else f"suspected, {probability(link.probability)}"
    if link.change is None:
        words = OTHER_CAUSES.get(link.kind) or f"{link.kind} {link.external_id}, not known here"
        return NamedCause(words=words + more, said=said)
    named = named_change(link.change, team_slug)
    return NamedCause(words=named.name + more, said=said, sign=named.sign, url=named.url, is_own=bool(confirmed))


def by_whom(user: User | None) -> str:
    """Who said something; the product itself where nobody did."""
    return user.name if user is not None else "Upshot"


def in_words(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    listed = list(names)
    return " and ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else "".join(listed)
