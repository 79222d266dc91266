"""Says of pushes whether their sender named all commits, and finds the last live version of a place at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds one column with a default of the database, and two small indexes."""

    dependencies = [("deploys", "0008_registered_flags")]

    operations = [
        migrations.AddField(
            "push",
            "is_truncated",
            models.BooleanField("its sender named only the newest commits", default=False, db_default=False),
        ),
        migrations.AddIndex(
            "deploy",
            models.Index(
                fields=["service", "environment", "-live_listed_at"],
                condition=models.Q(outcome_listed="succeeded"),
                name="deploy_last_live",
            ),
        ),
        migrations.AddIndex(
            "deploy",
            models.Index(
                fields=["service", "undone_listed_at"],
                condition=models.Q(undone_listed_at__isnull=False),
                name="deploy_undone",
            ),
        ),
    ]
