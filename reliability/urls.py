"""Every address of the instance. Each room lists its own; team pages live under /t/<team_slug>/."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("deploys.urls")),
]
