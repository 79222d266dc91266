"""Every address of the instance. Each room lists its own; team pages live under /t/<team_slug>/."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from deploys.api.nothing import nothing_here
from reliability.views import dashboard, gallery, health, objectives, report_mail, report_shares, reports

handler500 = "reliability.views.errors.broken"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("deploys.urls")),
    path("", include("incidents.urls")),
    path("t/<slug:team_slug>/", dashboard.dashboard, name="dashboard"),
    path("t/<slug:team_slug>/now/", dashboard.band, name="dashboard-now"),
    path("t/<slug:team_slug>/objectives/", objectives.objectives, name="objective-list"),
    path("t/<slug:team_slug>/objectives/set/", objectives.objective_set, name="objective-set"),
    path("t/<slug:team_slug>/reports/", reports.archive, name="report-list"),
    path("t/<slug:team_slug>/reports/mail/", report_mail.report_mail, name="report-mail"),
    path("t/<slug:team_slug>/reports/<str:label>/", reports.report, name="report"),
    path("t/<slug:team_slug>/reports/<str:label>/share/", report_shares.shares, name="report-share"),
    path("t/<slug:team_slug>/reports/<str:label>/report.json", reports.report_json, name="report-json"),
    path("t/<slug:team_slug>/reports/<str:label>/report.csv", reports.report_csv, name="report-csv"),
    path("mail/stop/<str:token>/", report_mail.report_mail_stop, name="report-mail-stop"),
    path("shared/<str:secret>/", report_shares.shared, name="shared-report"),
]

urlpatterns += [path("api/v1/<path:rest>", nothing_here)]  # last: every room may have addresses there

if settings.DEBUG or settings.TESTING:
    urlpatterns += [path("ui/figures/", gallery.figures, name="figure-gallery")]
