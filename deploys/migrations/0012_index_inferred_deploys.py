"""Finds what was inferred in a service at once: asked after every deploy that is recorded."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds one index of few rows."""

    dependencies = [("deploys", "0011_flag_tasks")]

    operations = [
        migrations.AddIndex(
            "deploy",
            models.Index(
                fields=["service", "started_at"], condition=models.Q(source="inferred"), name="deploy_inferred"
            ),
        ),
    ]
