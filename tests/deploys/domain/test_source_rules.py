from __future__ import annotations

import pytest

from deploys.domain.source_rules import fitting_rule

TILL = {"repository": "ACME/*", "environment": "", "service": "till"}
DEPLOY = {"workflow": "deploy*", "service": "shop"}


@pytest.mark.parametrize(
    ("rules", "trigger", "by_rule", "found"),
    [
        ([], "", False, None),
        ([{"repository": "acme/other"}], "", False, None),
        ([TILL], "", False, TILL),
        ([{"environment": "staging"}, TILL], "", False, TILL),
        ([TILL], "deploy", True, None),
        ([TILL, DEPLOY], "Deploy it", True, DEPLOY),
        ([DEPLOY], "test", True, None),
        ([DEPLOY, TILL], "", False, TILL),
    ],
)
def test_the_first_rule_that_fits(rules: list[dict[str, str]], trigger: str, by_rule: bool, found: object) -> None:
    rule = fitting_rule(rules, repository="acme/shop", environment="production", trigger=trigger, by_rule=by_rule)

    assert rule == found
