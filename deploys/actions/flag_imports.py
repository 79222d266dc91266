"""Flags of other systems, carried over: each with its rules for one environment, or left where it is with the reason."""

from __future__ import annotations

import datetime as dt

from deploys.actions.flag_registry import FlagRefused, create_flag
from deploys.actions.flag_switches import change_flag
from deploys.actions.turns import one_write
from deploys.formats.flag_import import Import
from deploys.models import Environment, FlagRevision, User


def import_flags(*, environment: Environment, found: Import, now: dt.datetime, by: User | None) -> Import:
    """What was made and what was left out, with why. A key that exists stays as it is; one flag's trouble stops no other."""
    done = Import(left_out=dict(found.left_out))
    for each in found.flags:
        try:
            with one_write():
                flag = create_flag(
                    team=environment.team, key=each.key, kind=each.kind, value_type=each.value_type,
                    variants=each.variants, off_variant=each.off, description=each.description, now=now, by=by,
                    act=FlagRevision.Act.IMPORTED,
                )  # fmt: skip
                change_flag(
                    flag=flag, environment=environment, document=each.document, version=0, reason="imported", now=now,
                    by=by, act=FlagRevision.Act.IMPORTED,
                )  # fmt: skip
            done.flags.append(each)
        except FlagRefused as error:
            done.left_out[each.key] = str(error)
    return done
