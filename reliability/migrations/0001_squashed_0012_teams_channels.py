import deploys.domain.identifiers
import deploys.table_operations
import django.db.models.deletion
import reliability.models.notices
import reliability.models.reports
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('reliability', '0001_initial'), ('reliability', '0002_report_kinds_and_readers'), ('reliability', '0003_outgoing_mail'), ('reliability', '0004_badge_keys'), ('reliability', '0005_burn_alerts'), ('reliability', '0006_notices'), ('reliability', '0007_record_spans'), ('reliability', '0008_what_may_cost'), ('reliability', '0009_report_pdfs'), ('reliability', '0010_who_wants_no_flag_reminders'), ('reliability', '0011_budget_policy'), ('reliability', '0012_teams_channels')]

    initial = True

    dependencies = [
        ('deploys', '0013_tickets_of_flags'),
        ('incidents', '0022_find_events_with_flags'),
    ]

    operations = [
        deploys.table_operations.CreateModels(
            models=[migrations.CreateModel(
                name='Channel',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('kind', models.CharField(choices=[('email', 'e-mail'), ('slack', 'Slack'), ('teams', 'Microsoft Teams'), ('webhook', 'webhook')], max_length=7)),
                    ('name', models.CharField(max_length=100)),
                    ('subjects', models.JSONField(default=reliability.models.notices.default_subjects)),
                    ('is_first', models.BooleanField(default=False, verbose_name='made because the team had none')),
                    ('is_to_members', models.BooleanField(default=False, verbose_name='to everybody who may act')),
                    ('addresses', models.JSONField(default=list)),
                    ('url_encrypted', models.BinaryField(null=True)),
                    ('host', models.CharField(default='', max_length=260)),
                    ('secret_encrypted', models.BinaryField(null=True)),
                    ('previous_secret_encrypted', models.BinaryField(null=True)),
                    ('previous_secret_until', models.DateTimeField(null=True)),
                    ('zone', models.CharField(default='UTC', max_length=64)),
                    ('quiet_from', models.TimeField(null=True)),
                    ('quiet_to', models.TimeField(null=True)),
                    ('is_quiet_for_downtime', models.BooleanField(default=False)),
                    ('muted_until', models.DateTimeField(null=True)),
                    ('off_at', models.DateTimeField(null=True)),
                    ('off_because', models.CharField(default='', max_length=200)),
                    ('removed_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['email', 'slack', 'teams', 'webhook'])), name='channel_kind_known'), models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_to__isnull', True)), models.Q(('quiet_from__isnull', False), ('quiet_to__isnull', False)), _connector='OR'), name='channel_quiet_both'), models.CheckConstraint(condition=models.Q(('previous_secret_encrypted__isnull', True), ('previous_secret_until__isnull', False), _connector='OR'), name='channel_previous_secret_ends'), models.UniqueConstraint(condition=models.Q(('is_first', True)), fields=('team',), name='channel_first_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='FlagMailStop',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('stopped_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'user'), name='flag_mail_stop_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='IncidentNews',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('incident', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident')),
                    ('moved_at', models.DateTimeField(null=True)),
                    ('number', models.PositiveIntegerField(default=0)),
                    ('worst_class', models.CharField(default='', max_length=12)),
                    ('is_restored', models.BooleanField(default=False)),
                    ('is_uncounted', models.BooleanField(default=False)),
                    ('cause', models.CharField(default='', max_length=300)),
                    ('muted_at', models.DateTimeField(null=True)),
                    ('muted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('moved_at__isnull', False)), fields=['moved_at'], name='news_to_tell')],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='NamedChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
                    ('incident', models.CharField(max_length=600, verbose_name='identity of its record')),
                    ('kind', models.CharField(max_length=6)),
                    ('reference', models.CharField(max_length=200)),
                ],
                options={
                    'indexes': [models.Index(fields=['team', 'kind', 'reference'], name='named_change_reference')],
                    'constraints': [models.UniqueConstraint(fields=('team', 'incident', 'kind', 'reference'), name='named_change_once')],
                },
            ), migrations.CreateModel(
                name='Objective',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='objectives', to='deploys.team')),
                    ('external_id', models.CharField(max_length=200)),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.service')),
                    ('sli', models.CharField(choices=[('time', 'Time'), ('requests', 'Requests')], default='time', max_length=8)),
                    ('target', models.FloatField()),
                    ('window_days', models.PositiveSmallIntegerField(null=True)),
                    ('calendar', models.CharField(choices=[('week', 'Week'), ('month', 'Month'), ('quarter', 'Quarter')], max_length=7, null=True)),
                    ('min_requests', models.PositiveIntegerField(default=100)),
                    ('budget_policy', models.TextField(default='', verbose_name='what the team does when the budget is spent; enters no number')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'external_id'), name='objective_once'), models.CheckConstraint(condition=models.Q(('target__gt', 0), ('target__lte', 1)), name='objective_target_range'), models.CheckConstraint(condition=models.Q(models.Q(('calendar__isnull', True), ('window_days__isnull', False)), models.Q(('calendar__isnull', False), ('window_days__isnull', True)), _connector='OR'), name='objective_one_period')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='OutgoingMail',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='outgoing_mail', to='deploys.team')),
                    ('key', models.CharField(max_length=500, unique=True)),
                    ('to', models.EmailField(max_length=254)),
                    ('subject', models.CharField(max_length=300)),
                    ('text', models.TextField()),
                    ('html', models.TextField(default='')),
                    ('headers', models.JSONField(default=dict)),
                    ('created_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField()),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('claimed_at', models.DateTimeField(null=True)),
                    ('sent_at', models.DateTimeField(null=True)),
                    ('given_up_at', models.DateTimeField(null=True)),
                    ('last_error', models.CharField(default='', max_length=500)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('given_up_at__isnull', True), ('sent_at__isnull', True)), fields=['due_at'], name='mail_waiting'), models.Index(fields=['team', '-created_at'], name='mail_of_team')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('sent_at__isnull', True), ('given_up_at__isnull', True), _connector='OR'), name='mail_one_end')],
                },
            ), migrations.CreateModel(
                name='RecordSpan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
                    ('kind', models.CharField(max_length=16)),
                    ('identity', models.CharField(max_length=600)),
                    ('name', models.CharField(max_length=200)),
                    ('public_id', models.CharField(default='', max_length=36)),
                    ('change_id', models.BigIntegerField(null=True)),
                    ('level', models.PositiveSmallIntegerField()),
                    ('first_at', models.DateTimeField()),
                    ('last_at', models.DateTimeField(null=True)),
                    ('known_at', models.DateTimeField(null=True)),
                    ('told_at', models.DateTimeField(null=True)),
                    ('may_cost', models.BooleanField(db_default=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['team', 'kind', 'level', 'first_at'], name='record_span_time'), models.Index(fields=['team', 'kind', 'name'], name='record_span_name'), models.Index(condition=models.Q(('public_id', ''), _negated=True), fields=['team', 'kind', 'public_id'], name='record_span_public'), models.Index(fields=['team', 'kind', 'told_at'], name='record_span_told')],
                    'constraints': [models.UniqueConstraint(fields=('team', 'kind', 'identity'), name='record_span_once')],
                },
            ), migrations.CreateModel(
                name='ReportPdf',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='report_pdfs', to='deploys.team')),
                    ('label', models.CharField(max_length=12)),
                    ('number', models.PositiveSmallIntegerField()),
                    ('asked_at', models.DateTimeField()),
                    ('made_at', models.DateTimeField(null=True)),
                    ('content', models.BinaryField(null=True)),
                    ('problem', models.CharField(default='', max_length=500, verbose_name='why it could not be made')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('made_at__isnull', True)), fields=['asked_at'], name='report_pdf_waiting')],
                    'constraints': [models.UniqueConstraint(fields=('team', 'label', 'number'), name='report_pdf_once')],
                },
            ), migrations.CreateModel(
                name='ReportPlan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='report_plan', to='deploys.team')),
                    ('kinds', models.JSONField(default=reliability.models.reports.weekly_only)),
                    ('closes_at_hour', models.PositiveSmallIntegerField(default=6)),
                    ('badge_key', models.CharField(max_length=40, null=True, unique=True, verbose_name='in the addresses of badges')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('closes_at_hour__lt', 24)), name='report_plan_hour')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='ReportShare',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='report_shares', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('secret_hash', models.CharField(max_length=64, unique=True)),
                    ('label', models.CharField(max_length=12)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('revoked_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='ReportSnapshot',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='report_snapshots', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('label', models.CharField(max_length=12, verbose_name='for example 2026-W13, 2026-03 or 2026-Q1')),
                    ('from_at', models.DateTimeField()),
                    ('to_at', models.DateTimeField()),
                    ('zone', models.CharField(max_length=64)),
                    ('as_of_at', models.DateTimeField()),
                    ('number', models.PositiveSmallIntegerField()),
                    ('reason', models.TextField(default='', verbose_name='why it was restated')),
                    ('difference', models.JSONField(default=list)),
                    ('result', models.JSONField()),
                    ('beside', models.JSONField(default=dict)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'label', 'number'), name='snapshot_number_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='ReportSubscription',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='report_subscriptions', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('email', models.EmailField(max_length=254)),
                    ('kind', models.CharField(choices=[('week', 'week'), ('month', 'month'), ('quarter', 'quarter')], max_length=7)),
                    ('zone', models.CharField(max_length=64)),
                    ('hour', models.PositiveSmallIntegerField(default=9)),
                    ('skips_quiet', models.BooleanField(default=False, verbose_name='not sent for a period in which nothing happened')),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('created_at', models.DateTimeField()),
                    ('stopped_at', models.DateTimeField(null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'email', 'kind'), name='report_subscription_once'), models.CheckConstraint(condition=models.Q(('hour__lt', 24)), name='report_subscription_hour')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='SpanProgress',
                fields=[
                    ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='deploys.team')),
                    ('fact_id', models.BigIntegerField(default=0)),
                    ('facts_count', models.PositiveBigIntegerField(default=0)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='BurnAlert',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('objective', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alerts', to='reliability.objective')),
                    ('rule', models.CharField(max_length=12)),
                    ('opened_at', models.DateTimeField()),
                    ('last_fired_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('long_burn_rate', models.FloatField()),
                    ('short_burn_rate', models.FloatField()),
                    ('budget_left_ratio', models.FloatField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['objective', '-opened_at'], name='burn_alert_of_objective')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('objective', 'rule'), name='burn_alert_open_once')],
                },
            ), migrations.CreateModel(
                name='ChannelLeaver',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leavers', to='reliability.channel')),
                    ('address', models.EmailField(max_length=254)),
                    ('left_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('channel', 'address'), name='channel_left_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='OutgoingNotice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='reliability.channel')),
                    ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident')),
                    ('key', models.CharField(max_length=500, unique=True)),
                    ('what', models.CharField(max_length=20)),
                    ('subject', models.CharField(max_length=12, verbose_name='the class of incident, or budget, or test')),
                    ('urgency', models.CharField(default='page', max_length=6)),
                    ('recipient', models.CharField(default='', max_length=254, verbose_name='an address; empty for channels that have one receiver')),
                    ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('story', models.JSONField(default=dict)),
                    ('title', models.CharField(default='', max_length=300)),
                    ('body', models.TextField(default='')),
                    ('occurred_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField()),
                    ('claimed_until', models.DateTimeField(null=True)),
                    ('attempts_count', models.PositiveSmallIntegerField(default=0)),
                    ('outcome', models.CharField(blank=True, choices=[('', 'waiting'), ('sent', 'sent'), ('given_up', 'given up'), ('folded', 'told with a later one'), ('muted', 'muted'), ('dropped', 'dropped')], default='', max_length=8)),
                    ('why', models.CharField(default='', max_length=300)),
                    ('ended_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('outcome', '')), fields=['due_at'], name='notice_waiting'), models.Index(fields=['team', '-occurred_at', '-id'], name='notice_newest'), models.Index(fields=['incident', 'channel'], name='notice_of_incident')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'sent', 'given_up', 'folded', 'muted', 'dropped'])), name='notice_outcome_known'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('outcome', '')), models.Q(models.Q(('outcome', ''), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='notice_ends_with_outcome')],
                },
            ), migrations.CreateModel(
                name='AcknowledgeLink',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('secret_hash', models.CharField(max_length=64, unique=True)),
                    ('notice', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='reliability.outgoingnotice')),
                    ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('used_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='NoticeAttempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='reliability.outgoingnotice')),
                    ('at', models.DateTimeField()),
                    ('verdict', models.CharField(max_length=8)),
                    ('words', models.CharField(max_length=300)),
                    ('status', models.PositiveSmallIntegerField(null=True)),
                    ('answer', models.CharField(default='', max_length=500)),
                    ('seconds', models.FloatField(default=0)),
                ],
                options={
                    'indexes': [models.Index(fields=['notice', 'id'], name='attempt_order')],
                    'constraints': [],
                },
            )],
        ),
    ]
