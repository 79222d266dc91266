"""Addresses of incidents and issues."""

from django.urls import path

from incidents.views import find, incident_acts, incidents, issues, maintenance, monitors, privacy, proposals

TEAM = "t/<slug:team_slug>"
INCIDENT = f"{TEAM}/incidents/<int:number>"
SERVICE = f"{TEAM}/services/<uuid:public_id>"
ISSUE = f"{TEAM}/issues/<uuid:public_id>"

urlpatterns = [
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
    path(f"{TEAM}/find/", find.find, name="find"),
    path(f"{TEAM}/issues/", issues.issue_list, name="issue-list"),
    path(f"{ISSUE}/", issues.issue_page_view, name="issue-detail"),
    path(f"{ISSUE}/state/", issues.issue_state, name="issue-state"),
    path(f"{ISSUE}/assign/", issues.issue_assign, name="issue-assign"),
    path(f"{SERVICE}/monitors/", monitors.monitor_add, name="monitor-add"),
    path(f"{SERVICE}/monitors/<uuid:monitor_id>/stop/", monitors.monitor_stop, name="monitor-stop"),
    path(f"{SERVICE}/watched-by-hand/", monitors.watched_by_hand, name="watched-by-hand"),
]
