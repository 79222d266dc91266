"""Addresses of this room. Team pages live under /t/<team_slug>/."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from deploys.api.deploys import DeploysView, DeployView, LiveView
from deploys.api.flag_scans import ReferencesView
from deploys.api.flags import FlagsView
from deploys.api.sentry_urls import sentry_urls
from deploys.api.webhooks import webhook
from deploys.views import (
    account,
    ci,
    counting,
    deliveries,
    deploys,
    flag_cleanup,
    flag_detail,
    flag_imports,
    flag_segments,
    flags,
    gallery,
    machines,
    manual,
    recipes,
    services,
    setup,
    signing,
    start,
    team,
    versions,
)
from deploys.views.api_docs import api_docs
from deploys.views.problems import problem_page

urlpatterns: list[URLPattern | URLResolver] = [
    # getting in
    path("", start.home, name="home"),
    path("sign-in/", signing.sign_in, name="sign-in"),
    path("sign-out/", signing.sign_out, name="sign-out"),
    path("link/<str:secret>/", signing.link, name="link"),
    path("start/team/", start.start_team, name="start-team"),
    path("t/<slug:team_slug>/start/service/", start.start_service, name="start-service"),
    path("t/<slug:team_slug>/services/<uuid:service_id>/setup/", setup.setup, name="service-setup"),
    path("t/<slug:team_slug>/services/<uuid:service_id>/setup/heard/<str:what>/", setup.heard, name="service-heard"),
    path("t/<slug:team_slug>/services/<uuid:service_id>/setup/token/", setup.make_token, name="service-token"),
    path("t/<slug:team_slug>/services/<uuid:service_id>/setup/ci/<slug:name>/", recipes.recipe, name="service-recipe"),
    # what a team sets
    path("t/<slug:team_slug>/settings/", team.team_settings, name="team-settings"),
    path("t/<slug:team_slug>/settings/machines/", machines.team_machines, name="team-machines"),
    path("t/<slug:team_slug>/settings/machines/<uuid:public_id>/heard/", machines.source_heard, name="source-heard"),
    path("t/<slug:team_slug>/settings/counting/", counting.team_counting, name="team-counting"),
    # oneself
    path("account/", account.account, name="account"),
    path("account/details/", account.details, name="account-details"),
    path("account/password/", account.password, name="account-password"),
    path("account/theme/", account.theme, name="account-theme"),
    # machines
    path("api/v1/deploys", DeploysView.as_view(), name="api-deploys"),
    path("api/v1/deploys/<uuid:public_id>", DeployView.as_view(), name="api-deploy"),
    path("api/v1/live", LiveView.as_view(), name="api-live"),
    path("api/v1/flags", FlagsView.as_view(), name="api-flags"),
    path("api/v1/flags/references", ReferencesView.as_view(), name="api-flag-references"),
    path(
        "api/openapi.yaml",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="api-schema",
    ),
    path("api/docs/", api_docs, name="api-docs"),
    path("ci/deploy.sh", ci.script, name="ci-script"),
    path("ci/flags.py", ci.flag_scanner, name="ci-flags"),
    path("ci/flag_patch.py", ci.flag_patch, name="ci-flag-patch"),
    path("api/0/", include(sentry_urls)),
    path("webhooks/<slug:kind>/<uuid:public_id>", webhook, name="webhook"),
    path("docs/", manual.docs, name="docs"),
    path("docs/<path:name>/", manual.docs_page, name="docs-page"),
    path("problems/<slug:slug>", problem_page, name="problem"),
    path("t/<slug:team_slug>/deploys/", deploys.deploy_list, name="deploy-list"),
    path("t/<slug:team_slug>/deploys/live/", versions.live_board, name="live-board"),
    path("t/<slug:team_slug>/deploys/<uuid:public_id>/", deploys.deploy_detail, name="deploy-detail"),
    path("t/<slug:team_slug>/flags/", flags.flag_list, name="flag-list"),
    path("t/<slug:team_slug>/flags/new/", flags.flag_new, name="flag-new"),
    path("t/<slug:team_slug>/flags/cleanup/", flag_cleanup.flag_cleanup, name="flag-cleanup"),
    path("t/<slug:team_slug>/flags/import/", flag_imports.flag_import, name="flag-import"),
    path("t/<slug:team_slug>/flags/keys/", flags.flag_keys, name="flag-keys"),
    path("t/<slug:team_slug>/flags/segments/", flag_segments.segment_list, name="flag-segments"),
    path("t/<slug:team_slug>/flags/segments/<str:key>/", flag_segments.segment_detail, name="flag-segment"),
    path("t/<slug:team_slug>/flags/<uuid:public_id>/", flag_detail.flag_detail, name="flag-detail"),
    path("t/<slug:team_slug>/services/", services.service_list, name="service-list"),
    path("t/<slug:team_slug>/services/<uuid:public_id>/", services.service_detail, name="service-detail"),
    path("t/<slug:team_slug>/services/<uuid:public_id>/compare/", versions.version_compare, name="version-compare"),
    path("t/<slug:team_slug>/services/<uuid:public_id>/edit/", services.service_edit, name="service-edit"),
    path("t/<slug:team_slug>/deliveries/", deliveries.delivery_list, name="delivery-list"),
    path("t/<slug:team_slug>/deliveries/<uuid:public_id>/", deliveries.delivery_detail, name="delivery-detail"),
    path("t/<slug:team_slug>/deliveries/<uuid:public_id>/replay/", deliveries.delivery_replay, name="delivery-replay"),
]

if settings.DEBUG or settings.TESTING:
    urlpatterns += [path("ui/", gallery.gallery, name="gallery")]
