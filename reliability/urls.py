"""Every address of the instance. Each room lists its own; team pages live under /t/<team_slug>/."""

from django.urls import URLPattern, URLResolver, include, path

from reliability.views import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("deploys.urls")),
]
