"""The one table of kinds of senders. A new source is a module of this folder and its line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deploys.formats import (
    alertmanager,
    argocd,
    azuredevops,
    bitbucket,
    cdevents,
    circleci,
    flagger,
    flagsmith,
    flagtracking,
    flux,
    generic,
    gitea,
    github,
    gitlab,
    grafana,
    heroku,
    jenkins,
    jira,
    netlify,
    opsgenie,
    pagerduty,
    sentry,
    statuspage,
    unleash,
    uptimekuma,
    vercel,
)
from deploys.formats.webhook import SourceKind

#: In the order in which the form offers them.
KINDS: Final[Mapping[str, SourceKind]] = {
    module.KIND.slug: module.KIND
    for module in (
        github, gitlab, generic, argocd, circleci, jenkins, bitbucket, gitea, azuredevops, vercel, netlify, heroku, flux,
        flagger, cdevents, alertmanager, grafana, uptimekuma, pagerduty, opsgenie, sentry, statuspage, flagsmith, unleash,
        flagtracking, jira,
    )
}  # fmt: skip
