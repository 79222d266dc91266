"""Addresses of incidents and issues."""

from django.urls import path

from incidents.api.attribution import AttributionView
from incidents.views import (
    dead_letters,
    find,
    incident_acts,
    incidents,
    intake,
    issue_groups,
    issues,
    maintenance,
    monitors,
    privacy,
    proposals,
)

INSTANCE = "instance"
TEAM = "t/<slug:team_slug>"
INCIDENT = f"{TEAM}/incidents/<int:number>"
SERVICE = f"{TEAM}/services/<uuid:public_id>"
ISSUE = f"{TEAM}/issues/<uuid:public_id>"

urlpatterns = [
    path("api/v1/incidents/<str:incident>/attribution", AttributionView.as_view(), name="api-attribution"),
    path(f"{TEAM}/incidents/", incidents.incident_list, name="incident-list"),
    path(f"{TEAM}/incidents/declare/", incidents.incident_declare, name="incident-declare"),
    path(f"{INCIDENT}/", incidents.incident_page_view, name="incident-detail"),
    path(f"{INCIDENT}/clocks/<slug:clock_name>/", incident_acts.incident_clock, name="incident-clock"),
    path(f"{INCIDENT}/class/", incident_acts.incident_class, name="incident-class"),
    path(f"{INCIDENT}/edit/", incident_acts.incident_edit, name="incident-edit"),
    path(f"{INCIDENT}/state/", incident_acts.incident_state, name="incident-state"),
    path(f"{INCIDENT}/notes/", incident_acts.incident_note, name="incident-note"),
    path(f"{INCIDENT}/cause/", incident_acts.incident_cause, name="incident-cause"),
    path(f"{INCIDENT}/choose/", incident_acts.incident_choose, name="incident-choose"),
    path(f"{INCIDENT}/duplicate/", incident_acts.incident_duplicate, name="incident-duplicate"),
    path(f"{TEAM}/incidents/proposals/", proposals.proposal_list, name="proposal-list"),
    path(f"{TEAM}/incidents/proposals/<int:number>/", proposals.proposal_answer, name="proposal-answer"),
    path(f"{TEAM}/incidents/planned-work/", maintenance.maintenance_list, name="maintenance-list"),
    path(f"{TEAM}/incidents/planned-work/<uuid:public_id>/", maintenance.maintenance_act, name="maintenance-act"),
    path(f"{TEAM}/settings/privacy/", privacy.team_privacy, name="team-privacy"),
    path(f"{TEAM}/ingest/", intake.ingest_overview, name="ingest-overview"),
    path(f"{SERVICE}/ingest/", intake.service_ingest, name="service-ingest"),
    path(f"{TEAM}/dead-letters/", dead_letters.dead_letter_list, name="dead-letter-list"),
    path(f"{TEAM}/dead-letters/replay/", dead_letters.dead_letter_replay, name="dead-letter-replay"),
    path(f"{TEAM}/dead-letters/discard/", dead_letters.dead_letter_discard, name="dead-letter-discard"),
    path(f"{TEAM}/dead-letters/<int:number>/", dead_letters.dead_letter_detail, name="dead-letter-detail"),
    path(f"{INSTANCE}/dead-letters/", dead_letters.stray_letter_list, name="stray-letter-list"),
    path(f"{INSTANCE}/dead-letters/replay/", dead_letters.stray_letter_replay, name="stray-letter-replay"),
    path(f"{INSTANCE}/dead-letters/discard/", dead_letters.stray_letter_discard, name="stray-letter-discard"),
    path(f"{INSTANCE}/dead-letters/<int:number>/", dead_letters.stray_letter_detail, name="stray-letter-detail"),
    path(f"{TEAM}/find/", find.find, name="find"),
    path(f"{TEAM}/issues/", issues.issue_list, name="issue-list"),
    path(f"{ISSUE}/", issues.issue_page_view, name="issue-detail"),
    path(f"{ISSUE}/state/", issues.issue_state, name="issue-state"),
    path(f"{ISSUE}/merge/", issue_groups.issue_merge, name="issue-merge"),
    path(f"{ISSUE}/take-out/", issue_groups.issue_take_out, name="issue-take-out"),
    path(f"{ISSUE}/assign/", issues.issue_assign, name="issue-assign"),
    path(f"{SERVICE}/monitors/", monitors.monitor_add, name="monitor-add"),
    path(f"{SERVICE}/monitors/<uuid:monitor_id>/stop/", monitors.monitor_stop, name="monitor-stop"),
    path(f"{SERVICE}/watched-by-hand/", monitors.watched_by_hand, name="watched-by-hand"),
]
