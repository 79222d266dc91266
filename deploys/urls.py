"""Addresses of this room. Team pages live under /t/<team_slug>/."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from deploys.views import account, gallery, setup, signing, start

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
    # oneself
    path("account/", account.account, name="account"),
    path("account/details/", account.details, name="account-details"),
    path("account/password/", account.password, name="account-password"),
    path("account/theme/", account.theme, name="account-theme"),
]

if settings.DEBUG or settings.TESTING:
    urlpatterns += [path("ui/", gallery.gallery, name="gallery")]
