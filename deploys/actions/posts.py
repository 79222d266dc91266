"""Deploys as CI posts them: those that come at once are recorded, listed and logged in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from deploys import clock
from deploys.actions.deploys import Incoming, RecordedDeploy, UnknownName, record_all
from deploys.actions.listing import listed, refresh_now
from deploys.actions.tokens import usable_tokens
from deploys.actions.turns import Together, one_write
from deploys.models import ApiToken, Delivery, Team


@dataclass(frozen=True, slots=True)
class Post:
    """One message, and its line of the delivery log, which says all but what became of it."""

    team: Team
    message: Incoming
    line: Delivery


@dataclass(frozen=True, slots=True)
class Letter:
    """A message whose token nobody has looked at yet: one query finds those of all that came at once.

    `secret_hash` and `scope`: who may send it. `opened` makes the post of it.
    """

    secret_hash: str
    scope: str
    opened: Callable[[ApiToken], Post]


class NotOpened(Exception):
    """The token of a letter is none of ours, or may not do this."""


def take(items: Sequence[Post | Letter]) -> list[RecordedDeploy | Exception]:
    """What became of each, in order: `take_posts`, or NotOpened."""
    sealed = {each.secret_hash for each in items if isinstance(each, Letter)}
    tokens = usable_tokens(sealed, now=clock.now()) if sealed else {}
    posts: dict[int, Post] = {}
    for place, each in enumerate(items):
        if isinstance(each, Post):
            posts[place] = each
        elif (token := tokens.get(each.secret_hash)) is not None and each.scope in token.scopes:
            posts[place] = each.opened(token)
    done = dict(zip(posts, take_posts(list(posts.values())), strict=True)) if posts else {}
    return [done.get(place) or NotOpened() for place in range(len(items))]


def take_posts(posts: Sequence[Post]) -> list[RecordedDeploy | UnknownName]:
    """What became of each, in order. UnknownService or UnknownEnvironment stands where nothing was recorded or logged.

    The rows of the answers say how they are listed now.
    """
    by_team: dict[int, list[int]] = defaultdict(list)
    for place, post in enumerate(posts):
        by_team[post.team.pk].append(place)
    done: dict[int, RecordedDeploy | UnknownName] = {}
    with one_write():
        for _, places in sorted(by_team.items()):
            messages = [posts[place].message for place in places]
            done.update(zip(places, record_all(team=posts[places[0]].team, messages=messages), strict=True))
        refresh_now()
        Delivery.objects.bulk_create(
            [_line(posts[place], each) for place, each in done.items() if isinstance(each, RecordedDeploy)]
        )
    listed([each.deploy for each in done.values() if isinstance(each, RecordedDeploy)])
    return [done[place] for place in range(len(posts))]


def _line(post: Post, taken: RecordedDeploy) -> Delivery:
    line = post.line
    line.verdict, line.change, line.service = taken.verdict, taken.deploy.change, taken.deploy.service
    return line


post_deploy: Final[Together[Post | Letter, RecordedDeploy]] = Together(take)
"""Takes one post, together with those that come meanwhile; raises what stands in place of an answer."""
