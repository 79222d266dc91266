"""Every address of the instance. Each room lists its own; team pages live under /t/<team_slug>/."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from deploys.api.nothing import nothing_here
from reliability.api.metrics import MetricsView, PrometheusView
from reliability.api.objectives import ObjectivesView
from reliability.api.openslo import OpenSloView
from reliability.api.reports import ReportsView, ReportView
from reliability.views import (
    badges,
    calibration,
    dashboard,
    flag_mail,
    gallery,
    health,
    instance,
    notices,
    notifications,
    objectives,
    openslo,
    report_mail,
    report_pdf,
    report_plan,
    report_rows,
    report_shares,
    reports,
)

handler500 = "reliability.views.errors.broken"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("instance/", instance.instance, name="instance"),
    path("", include("deploys.urls")),
    path("", include("incidents.urls")),
    path("t/<slug:team_slug>/", dashboard.dashboard, name="dashboard"),
    path("t/<slug:team_slug>/now/", dashboard.band, name="dashboard-now"),
    path("t/<slug:team_slug>/objectives/", objectives.objectives, name="objective-list"),
    path("t/<slug:team_slug>/objectives/openslo/", openslo.openslo_import, name="objective-openslo"),
    path("t/<slug:team_slug>/objectives/openslo.yaml", openslo.openslo_file, name="objective-openslo-file"),
    path("t/<slug:team_slug>/objectives/set/", objectives.objective_set, name="objective-set"),
    path("t/<slug:team_slug>/calibration/", calibration.team_calibration, name="calibration"),
    path("t/<slug:team_slug>/reports/", reports.archive, name="report-list"),
    path("t/<slug:team_slug>/reports/badges/", badges.badge_page, name="report-badges"),
    path("t/<slug:team_slug>/reports/plan/", report_plan.report_plan, name="report-plan"),
    path("t/<slug:team_slug>/reports/mail/", report_mail.report_mail, name="report-mail"),
    path("t/<slug:team_slug>/reports/<str:label>/", reports.report, name="report"),
    path("t/<slug:team_slug>/reports/<str:label>/share/", report_shares.shares, name="report-share"),
    path("t/<slug:team_slug>/reports/<str:label>/rows/<slug:number>/", report_rows.report_rows, name="report-rows"),
    path("t/<slug:team_slug>/reports/<str:label>/report.json", reports.report_json, name="report-json"),
    path("t/<slug:team_slug>/reports/<str:label>/report.csv", reports.report_csv, name="report-csv"),
    path("t/<slug:team_slug>/reports/<str:label>/report.pdf", report_pdf.report_pdf, name="report-pdf"),
    path("t/<slug:team_slug>/settings/notifications/", notifications.team_notifications, name="team-notifications"),
    path(
        "t/<slug:team_slug>/settings/notifications/<uuid:public_id>/", notifications.team_channel, name="team-channel"
    ),
    path(
        "t/<slug:team_slug>/settings/notifications/<uuid:public_id>/act/", notifications.channel_act, name="channel-act"
    ),
    path("t/<slug:team_slug>/notices/", notices.notice_list, name="notice-list"),
    path("t/<slug:team_slug>/notices/<uuid:public_id>/", notices.notice_detail, name="notice-detail"),
    path("t/<slug:team_slug>/incidents/<int:number>/notices/", notices.incident_notices, name="incident-notices"),
    path("acknowledge/<str:secret>/", notices.acknowledge, name="acknowledge"),
    path("mail/leave/<str:token>/", notices.channel_leave, name="channel-leave"),
    path("api/v1/metrics", MetricsView.as_view(), name="api-metrics"),
    path("api/v1/reports", ReportsView.as_view(), name="api-reports"),
    path("api/v1/reports/<str:label>", ReportView.as_view(), name="api-report"),
    path("api/v1/objectives/openslo", OpenSloView.as_view(), name="api-openslo"),
    path("api/v1/objectives", ObjectivesView.as_view(), name="api-objectives"),
    path("metrics", PrometheusView.as_view(), name="prometheus"),
    path("badges/<str:key>/<slug:what>.svg", badges.badge, name="badge"),
    path("mail/flags/<str:token>/", flag_mail.flag_mail_stop, name="flag-mail-stop"),
    path("mail/stop/<str:token>/", report_mail.report_mail_stop, name="report-mail-stop"),
    path("shared/<str:secret>/", report_shares.shared, name="shared-report"),
]

urlpatterns += [path("api/v1/<path:rest>", nothing_here)]  # last: every room may have addresses there

if settings.DEBUG or settings.TESTING:
    urlpatterns += [path("ui/figures/", gallery.figures, name="figure-gallery")]
