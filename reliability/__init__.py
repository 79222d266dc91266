"""How well we do; also the project package."""

from reliability.celery import app as celery_app

__all__ = ["celery_app"]
