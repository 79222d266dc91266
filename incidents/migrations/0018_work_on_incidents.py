# What people say while an incident lasts and after it: roles, severity, endings, retrospectives, runbooks.

import deploys.domain.identifiers
import django.db.models.deletion
import incidents.domain.promises
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deploys', '0009_mark_truncated_pushes'),
        ('incidents', '0017_merge_issues'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ActionItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                ('title', models.CharField(max_length=300)),
                ('due_on', models.DateField(null=True)),
                ('state', models.CharField(default=incidents.domain.promises.ItemState['OPEN'], max_length=7)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True, verbose_name='when it was done or dropped')),
                ('reminded_of', models.CharField(default='', max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name='Retrospective',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answers', models.JSONField(default=dict)),
                ('revision', models.PositiveIntegerField(default=0)),
                ('updated_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RoleHolder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=14)),
                ('since_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Runbook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                ('title', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RunbookUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('worked', 'it worked'), ('partly', 'it worked in part'), ('failed', 'it did not work')], max_length=6)),
                ('note', models.CharField(default='', max_length=300)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='RunbookVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('at', models.DateTimeField()),
                ('note', models.CharField(default='', max_length=300, verbose_name='what changed, and why')),
            ],
        ),
        migrations.AddField(
            model_name='incident',
            name='ended_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=10, verbose_name='what ended it, where no change did'),
        ),
        migrations.AddField(
            model_name='incident',
            name='ended_note',
            field=models.CharField(blank=True, db_default='', default='', max_length=300),
        ),
        migrations.AddField(
            model_name='incident',
            name='missing_test',
            field=models.CharField(blank=True, db_default='', default='', max_length=300, verbose_name='the test that would have caught it'),
        ),
        migrations.AddField(
            model_name='incident',
            name='severity',
            field=models.CharField(blank=True, db_default='', default='', max_length=4, verbose_name='how urgently people work on it'),
        ),
        migrations.AddField(
            model_name='incident',
            name='split_from',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='splits', to='incidents.incident'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', ['', 'sev1', 'sev2', 'sev3', 'sev4'])), name='incident_severity_known'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('ended_by__in', ['', 'restart', 'capacity', 'data', 'outside', 'by_itself', 'other'])), name='incident_ending_known'),
        ),
        migrations.AddField(
            model_name='actionitem',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='actionitem',
            name='ended_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='actionitem',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='action_items', to='incidents.incident'),
        ),
        migrations.AddField(
            model_name='actionitem',
            name='owner',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='actionitem',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='action_items', to='deploys.team'),
        ),
        migrations.AddField(
            model_name='retrospective',
            name='finished_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='retrospective',
            name='incident',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='retrospective', to='incidents.incident'),
        ),
        migrations.AddField(
            model_name='retrospective',
            name='updated_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='roleholder',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='role_holders', to='incidents.incident'),
        ),
        migrations.AddField(
            model_name='roleholder',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='runbook',
            name='service',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runbooks', to='deploys.service'),
        ),
        migrations.AddField(
            model_name='runbook',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runbooks', to='deploys.team'),
        ),
        migrations.AddField(
            model_name='runbookuse',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='runbookuse',
            name='incident',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runbook_uses', to='incidents.incident'),
        ),
        migrations.AddField(
            model_name='runbookversion',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='runbookversion',
            name='runbook',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='incidents.runbook'),
        ),
        migrations.AddField(
            model_name='runbookuse',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='incidents.runbookversion'),
        ),
        migrations.AddIndex(
            model_name='actionitem',
            index=models.Index(fields=['team', 'state', 'due_on'], name='action_item_due'),
        ),
        migrations.AddIndex(
            model_name='actionitem',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['due_on'], name='action_item_open'),
        ),
        migrations.AddConstraint(
            model_name='actionitem',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'done', 'dropped'])), name='action_item_state_known'),
        ),
        migrations.AddConstraint(
            model_name='actionitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'open')), models.Q(('ended_at__isnull', False), ('state__in', ['done', 'dropped'])), _connector='OR'), name='action_item_ended'),
        ),
        migrations.AddConstraint(
            model_name='roleholder',
            constraint=models.UniqueConstraint(fields=('incident', 'role'), name='role_holder_once'),
        ),
        migrations.AddConstraint(
            model_name='roleholder',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['communications', 'sponsor', 'deployment', 'data', 'rollback'])), name='role_holder_role_known'),
        ),
        migrations.AddConstraint(
            model_name='runbook',
            constraint=models.UniqueConstraint(fields=('service', 'title'), name='runbook_once'),
        ),
        migrations.AddConstraint(
            model_name='runbookversion',
            constraint=models.UniqueConstraint(fields=('runbook', 'number'), name='runbook_version_once'),
        ),
        migrations.AddIndex(
            model_name='runbookuse',
            index=models.Index(fields=['version', '-at'], name='runbook_use_newest'),
        ),
        migrations.AddConstraint(
            model_name='runbookuse',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['worked', 'partly', 'failed'])), name='runbook_use_outcome_known'),
        ),
    ]
