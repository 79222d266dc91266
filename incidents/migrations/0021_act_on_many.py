# Acts on many incidents at once, which can be taken back.

import deploys.domain.identifiers
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deploys', '0011_flag_tasks'),
        ('incidents', '0020_ping_jobs_and_certificates'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BulkAct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                ('act', models.CharField(choices=[('close', 'close'), ('dismiss', 'dismiss as false alarms'), ('severity', 'set the severity')], max_length=8)),
                ('at', models.DateTimeField()),
                ('before', models.JSONField(default=dict)),
                ('undone_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
            ],
            options={
                'indexes': [models.Index(fields=['team', 'by', '-at'], name='bulk_act_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('act__in', ['close', 'dismiss', 'severity'])), name='bulk_act_known')],
            },
        ),
    ]
