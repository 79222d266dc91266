"""Tickets as trackers tell of them: GitHub's and GitLab's issues."""

from __future__ import annotations

from deploys.domain.tickets import TicketReport
from deploys.formats.reading import instant, line, needed, text
from deploys.formats.webhook import Json, Message, Said, UnexpectedPayload, ignored


def github_ticket(payload: Json, repository: str, delivery_id: str) -> list[Message]:
    """An issue of GitHub. One that is deleted is closed; one that moves elsewhere says nothing of itself."""
    issue, action = needed(payload, "issue"), text(payload, "action")
    if action == "transferred":
        return ignored("issues", "transferred: it goes on under another address", delivery_id)
    is_closed = action == "deleted" or _is(text(issue, "state", "issue"), "closed", "open")
    report = TicketReport(text(issue, "html_url", "issue", 500), is_closed, instant(issue, "updated_at", "issue"))
    return [Message("issues", delivery_id, [Said(report, repository)])]


def gitlab_ticket(kind: str, payload: Json, repository: str, delivery_id: str) -> list[Message]:
    """An issue or another work item of GitLab."""
    issue = needed(payload, "object_attributes")
    is_closed = _is(text(issue, "state", "object_attributes"), "closed", "opened")
    at = instant(issue, "updated_at", "object_attributes")
    report = TicketReport(text(issue, "url", "object_attributes", 500), is_closed, at)
    return [Message(kind, delivery_id, [Said(report, repository)])]


def _is(said: str, closed: str, opened: str) -> bool:
    if said not in {closed, opened}:
        raise UnexpectedPayload(f"state: expected {opened} or {closed}, not {line(said, 40)}")
    return said == closed
