"""Addresses of this room. Team pages live under /t/<team_slug>/."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from deploys.views import gallery

urlpatterns: list[URLPattern | URLResolver] = []

if settings.DEBUG or settings.TESTING:
    urlpatterns += [path("ui/", gallery.gallery, name="gallery")]
