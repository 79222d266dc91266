"""Addresses of Sentry's release API: two families, one behaviour."""

from django.urls import URLPattern, path

from deploys.api import sentry_releases as views

ORGANIZATION = "organizations/<slug:organization>"
PROJECT = "projects/<slug:organization>/<str:project>"

sentry_urls: list[URLPattern] = [
    path("", views.IndexView.as_view()),
    path(f"{ORGANIZATION}/repos/", views.RepositoriesView.as_view()),
    path(f"{ORGANIZATION}/releases/", views.ReleasesView.as_view()),
    path(f"{PROJECT}/releases/", views.ReleasesView.as_view()),
    path(f"{ORGANIZATION}/releases/<str:version>/", views.ReleaseView.as_view()),
    path(f"{PROJECT}/releases/<str:version>/", views.ReleaseView.as_view()),
    path(f"{ORGANIZATION}/releases/<str:version>/previous-with-commits/", views.PreviousView.as_view()),
    path(f"{ORGANIZATION}/releases/<str:version>/commits/", views.CommitsView.as_view()),
    path(f"{PROJECT}/releases/<str:version>/commits/", views.CommitsView.as_view()),
    path(f"{ORGANIZATION}/releases/<str:version>/deploys/", views.DeploysView.as_view()),
    path("<path:rest>", views.nothing_here),
]
