"""Sentry's release API, for sentry-cli 2 and 3. The organisation is the team, a project is a service.

2.x asks /api/0/projects/<team>/<service>/releases/, 3.x /api/0/organizations/<team>/releases/. Answers and errors have
Sentry's form. What an answer holds beyond what the CLI needs is what other clients of that API print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response

from deploys import clock
from deploys.actions.deploys import Incoming, UnknownEnvironment, UnknownService, Verdict, check_known, record_all
from deploys.actions.listing import refresh_now
from deploys.actions.releases import WasDeployed, delete_release, record_release
from deploys.actions.turns import one_write
from deploys.api.authentication import Caller, caller_of
from deploys.api.parsers import CommitsJSONParser
from deploys.api.problems import problem_of
from deploys.api.sentry_answers import (
    Answer,
    commit_answers,
    deploy_answer,
    deploy_answers,
    page_link,
    release_answer,
    slice_of,
)
from deploys.api.writes import DeliveryView
from deploys.formats.sentry_releases import (
    ReleaseMessage,
    UnreadableMessage,
    read_deploy,
    read_release,
    valid_version,
)
from deploys.models import Change, Release, Scope, Service, Team
from deploys.queries.releases import (
    commits_of,
    counts_of,
    deploys_of_releases,
    previous_with_commits,
    releases_of,
    service_by_slug,
)

SOURCE: Final = "sentry-cli"


class Refused(Exception):
    """Answered in Sentry's form: a status and a sentence, which the CLI prints."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def sentry_error(error: Exception, _: Mapping[str, Any]) -> Response | None:  # Any: as the framework has it
    """Any refusal as {"detail": sentence}; None for errors that are bugs."""
    if isinstance(error, UnreadableMessage):
        error = Refused(400, str(error))
    if isinstance(error, Refused):
        return Response({"detail": error.detail}, status=error.status)
    problem = problem_of(error)
    if problem is None:
        return None
    return Response({"detail": problem.detail}, status=problem.type.status, headers=problem.headers)


class SentryView(DeliveryView):
    """An endpoint of that API. Reading too needs the scope to write deploys: it is what CI has."""

    kind = SOURCE
    schema = None
    parser_classes = [CommitsJSONParser]
    scopes: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "POST", "PUT", "DELETE"), Scope.DEPLOYS_WRITE)

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Sentry's form of errors."""
        return sentry_error

    def refusal_of(self, error: Exception) -> str | None:
        """What the log says of a refusal."""
        if isinstance(error, Refused | UnreadableMessage):
            return str(error)
        return super().refusal_of(error)

    def team(self, organization: str) -> Team:
        """The token's team, which the address must name."""
        team = caller_of(self.request).team
        if team.slug != organization:
            raise Refused(404, f"this token is of the organization {team.slug!r}, not of {organization!r}")
        return team

    def releases(self, organization: str, version: str, project: str | None = None) -> list[Release]:
        """The release in each service that has it, or in the one the address names. Refused where there is none."""
        team = self.team(organization)
        service = self.service(team, project) if project is not None else None
        found = list(releases_of(team, version=version, service=service))
        if not found:
            raise Refused(404, f"no release {version!r} here: make it with sentry-cli releases new -p <service>")
        return found

    def service(self, team: Team, project: str) -> Service:
        """The service that a project's slug names."""
        found = service_by_slug(team, project)
        if found is None:
            raise Refused(404, f"no service {project!r} here")
        return found

    def told(self, verdict: str, *, service: Service, change: Change | None = None, reason: str = "") -> None:
        """A line in the delivery log."""
        self.log(
            self.request, caller_of(self.request), verdict=verdict, change=change, service=service, delivery_id=None,
            warnings=[reason] if reason else [],
        )  # fmt: skip

    def list_of(self, rows: Any, answers: Callable[[list[Any]], list[Answer]]) -> Response:  # Any: a query set or list
        """One page of a list, with the Link header that leads to its neighbours."""
        some, older, newer = slice_of(rows, self.request.query_params.get("cursor", ""))
        link = page_link(f"{settings.BASE_URL}{self.request.path}", older, newer)
        return Response(answers(some), headers={"Link": link})


class IndexView(SentryView):
    """GET /api/0/: whose token this is, and what it may do."""

    def get(self, request: Request) -> Response:
        """What `sentry-cli info` prints."""
        scopes = ["org:read", "project:read", "project:releases"]
        return Response({"version": "0", "auth": {"scopes": scopes}, "user": None})


class RepositoriesView(SentryView):
    """GET …/repos/: none. So the CLI reads commits and their files from the checkout, and sends them."""

    def get(self, request: Request, organization: str) -> Response:
        """An empty list."""
        self.team(organization)
        return self.list_of([], list)


class ReleasesView(SentryView):
    """…/releases/ of an organisation or a project."""

    event = "release"

    def get(self, request: Request, organization: str, project: str | None = None) -> Response:
        """Releases, newest first."""
        team = self.team(organization)
        rows = releases_of(team, service=self.service(team, project) if project is not None else None)
        return self.list_of(rows, _release_answers)

    def post(self, request: Request, organization: str, project: str | None = None) -> Response:
        """Makes a release, or tells more of one: also how it is archived and restored."""
        team = self.team(organization)
        message = read_release(request.data, project=project)
        if message.report.is_archived is not None:
            self.event = "archive" if message.report.is_archived else "restore"
        return recorded(self, team, message)


class ReleaseView(SentryView):
    """…/releases/<version>/ of an organisation or a project."""

    def get(self, request: Request, organization: str, version: str, project: str | None = None) -> Response:
        """One release."""
        found = self.releases(organization, version, project)
        return Response(release_answer(found, counts_of(found)))

    def put(self, request: Request, organization: str, version: str, project: str | None = None) -> Response:
        """Finishes a release, or gives it commits."""
        team = self.team(organization)
        message = read_release(request.data, version=valid_version(version), project=project)
        self.event = "release" if message.report.commits is None else "commits"
        return recorded(self, team, message)

    def delete(self, request: Request, organization: str, version: str, project: str | None = None) -> Response:
        """Deletes a release that was never deployed."""
        self.event = "delete"
        for release in self.releases(organization, version, project):
            service = release.service
            try:
                delete_release(release=release)
            except WasDeployed as error:
                raise Refused(400, f"{error} was deployed and cannot be deleted: archive it") from error
            self.told(Verdict.UPDATED, service=service, reason="deleted")
        return Response(status=204)


class PreviousView(SentryView):
    """…/releases/<version>/previous-with-commits/: where the CLI begins to read the log."""

    def get(self, request: Request, organization: str, version: str) -> Response:
        """The release before this one that has commits; an empty object where there is none."""
        found = previous_with_commits(self.team(organization), version)
        if found is None:
            return Response({})
        answer = release_answer([found], counts_of([found]))
        return Response({**answer, "lastCommit": {"id": found.head_sha}})


class CommitsView(SentryView):
    """…/releases/<version>/commits/ of an organisation or a project."""

    def get(self, request: Request, organization: str, version: str, project: str | None = None) -> Response:
        """Its commits, newest first."""
        return self.list_of(commits_of(self.releases(organization, version, project)), commit_answers)


class DeploysView(SentryView):
    """…/releases/<version>/deploys/ of an organisation."""

    event = "deploy"

    def get(self, request: Request, organization: str, version: str) -> Response:
        """Its deploys, started last first."""
        return self.list_of(deploys_of_releases(self.releases(organization, version)), deploy_answers)

    def post(self, request: Request, organization: str, version: str) -> Response:
        """Records one deploy for each service that has the release. The same message again is the same deploys."""
        caller, team, version = caller_of(request), self.team(organization), valid_version(version)
        message = read_deploy(request.data, version=version)
        said = [
            Incoming(
                report=message.report(version=version, service=service), source=SOURCE,
                received_at=clock.now(), can_create=caller.may(Scope.SERVICES_WRITE),
            )
            for service in deployed_services(team, version, message.projects)
        ]  # fmt: skip
        made = []
        with one_write():
            for done in record_all(team=team, messages=said):
                if isinstance(done, Exception):
                    raise unknown(done) from done
                self.told(done.verdict, service=done.deploy.service, change=done.deploy.change)
                made.append(done)
            refresh_now()
        is_new = any(each.verdict is Verdict.CREATED for each in made)
        return Response(deploy_answer(made[0].deploy), status=201 if is_new else 200)


def _release_answers(releases: list[Release]) -> list[Answer]:
    counts = counts_of(releases)
    return [release_answer([release], counts) for release in releases]


def recorded(view: SentryView, team: Team, message: ReleaseMessage) -> Response:
    """Records the release in each service it is of; the answer tells of all."""
    caller, report = caller_of(view.request), message.report
    found = []
    is_new = False
    for service in released_services(team, message, caller):
        done = record_release(team=team, service=service, report=report, received_at=clock.now())
        view.told(done.verdict, service=done.release.service, reason=done.reason)
        found.append(done.release)
        is_new = is_new or done.verdict is Verdict.CREATED
    status = {"POST": 201 if is_new else 208}.get(view.request.method or "", 200)
    return Response(release_answer(found, counts_of(found)), status=status)


def released_services(team: Team, message: ReleaseMessage, caller: Caller) -> list[str]:
    """Names of the services a message about a release is about: those it names, else those that have the release."""
    names = [_name_of(team, project) for project in message.projects]
    if names and not caller.may(Scope.SERVICES_WRITE):
        try:
            check_known(team=team, services=names, environment=None)
        except UnknownService as error:
            raise unknown(error) from error
    if names:
        return names
    version = message.report.version
    having = sorted(release.service.name for release in releases_of(team, version=version))
    if not having:
        raise Refused(404, f"no release {version!r} here, and the message names no project: add -p <service>")
    return having


def deployed_services(team: Team, version: str, projects: Sequence[str]) -> list[str]:
    """Names of the services a deploy reaches: those it names, else those that have the release.

    Where none has it yet: the service that the version names (`shop@1.4.2`), else the team's only one.
    """
    names = [_name_of(team, project) for project in projects]
    names = names or sorted(release.service.name for release in releases_of(team, version=version))
    if names:
        return names
    named = service_by_slug(team, version.rpartition("@")[0]) if "@" in version else None
    services = [named] if named is not None else list(team.services.all()[:2])
    if len(services) != 1:
        raise Refused(404, f"no release {version!r} here: say whose with sentry-cli releases new -p <service>")
    return [services[0].name]


def _name_of(team: Team, project: str) -> str:
    found = service_by_slug(team, project)
    return found.name if found is not None else project


def unknown(error: UnknownService | UnknownEnvironment) -> Refused:
    """A name that does not exist, for a token that may not make one. Not 404, which the CLI reads as another thing."""
    what = "service" if isinstance(error, UnknownService) else "environment"
    return Refused(400, f"no {what} {str(error)!r} here: create it first, or use a token with the scope services:write")


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """Any other address of that API: the CLI wants JSON, also for what is not offered."""
    said = f"Upshot offers releases, their commits and deploys of Sentry's API; /api/0/{rest[:200]} is not among them"
    return JsonResponse({"detail": said}, status=404)
