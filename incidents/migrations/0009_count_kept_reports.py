"""Counts the reports that are stored of each issue, for instances from before that was kept."""

from __future__ import annotations

from typing import Any

from django.db import migrations

CHUNK = 500


def count(apps: Any, _editor: Any) -> None:  # Any: Django's historical models
    issues, events = apps.get_model("incidents", "Issue"), apps.get_model("incidents", "ErrorEvent")
    last = 0
    while True:
        ids = list(issues.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return
        for issue in ids:
            issues.objects.filter(pk=issue).update(kept_count=events.objects.filter(issue=issue).count())
        last = ids[-1]


class Migration(migrations.Migration):
    dependencies = [("incidents", "0008_kept_reports")]
    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
