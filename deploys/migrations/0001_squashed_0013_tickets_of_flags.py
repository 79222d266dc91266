import deploys.domain.identifiers
import deploys.models.catalog
import deploys.models.users
import deploys.table_operations
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('deploys', '0001_initial'), ('deploys', '0002_what_a_release_contains'), ('deploys', '0003_list_what_is_live'), ('deploys', '0004_event_rates'), ('deploys', '0005_event_days'), ('deploys', '0006_list_live_times'), ('deploys', '0007_sources_of_every_kind'), ('deploys', '0008_registered_flags'), ('deploys', '0009_mark_truncated_pushes'), ('deploys', '0010_where_flags_stand_in_code'), ('deploys', '0011_flag_tasks'), ('deploys', '0012_index_inferred_deploys'), ('deploys', '0013_tickets_of_flags')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        deploys.table_operations.CreateModels(
            models=[migrations.CreateModel(
                name='FlagEpoch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveBigIntegerField(default=0)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='ProjectNumber',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='ScheduledJob',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('period_seconds', models.FloatField()),
                    ('due_at', models.DateTimeField()),
                    ('leased_until', models.DateTimeField(null=True)),
                    ('last_started_at', models.DateTimeField(null=True)),
                    ('last_finished_at', models.DateTimeField(null=True)),
                    ('last_error', models.TextField(default='')),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='SignInAttempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email_key', models.CharField(max_length=64)),
                    ('address_key', models.CharField(max_length=64)),
                    ('at', models.DateTimeField()),
                ],
                options={
                    'indexes': [models.Index(fields=['email_key', 'at'], name='attempt_by_email'), models.Index(fields=['address_key', 'at'], name='attempt_by_address'), models.Index(fields=['at'], name='attempt_age')],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='Team',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('slug', models.SlugField(max_length=60, unique=True)),
                    ('name', models.CharField(max_length=100)),
                    ('zone', models.CharField(default='UTC', max_length=64, verbose_name='time zone of reports')),
                    ('auto_open', models.BooleanField(default=True, verbose_name='open incidents by itself')),
                    ('auto_confirm_at', models.FloatField(blank=True, null=True, verbose_name="confirm the model's links from this probability")),
                    ('event_days', models.PositiveSmallIntegerField(default=90, verbose_name='days that error reports are kept')),
                    ('user_salt', models.UUIDField(default=uuid.uuid4, editable=False)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('auto_confirm_at__isnull', True), models.Q(('auto_confirm_at__gte', 0.5), ('auto_confirm_at__lte', 1)), _connector='OR'), name='team_auto_confirm_range')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='User',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                    ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                    ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                    ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                    ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                    ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                    ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail address')),
                    ('zone', models.CharField(default='UTC', max_length=64, verbose_name='time zone')),
                    ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                    ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='user_email_lower_case')],
                    'indexes': [],
                },
                managers=[
                    ('objects', deploys.models.users.UserManager()),
                ],
            ), migrations.CreateModel(
                name='ApiToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('name', models.CharField(max_length=100)),
                    ('prefix', models.CharField(max_length=16)),
                    ('secret_hash', models.CharField(max_length=64, unique=True)),
                    ('scopes', models.JSONField(default=list)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='Artifact',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='artifacts', to='deploys.team')),
                    ('digest', models.CharField(max_length=250)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'digest'), name='artifact_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Environment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='environments', to='deploys.team')),
                    ('name', models.CharField(max_length=100)),
                    ('tier', models.CharField(choices=[('production', 'Production'), ('staging', 'Staging'), ('testing', 'Testing'), ('development', 'Development'), ('other', 'Other')], max_length=12)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(models.F('team'), django.db.models.functions.text.Lower('name'), name='environment_name_once'), models.CheckConstraint(condition=models.Q(('tier__in', ['production', 'staging', 'testing', 'development', 'other'])), name='environment_tier_known')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Fact',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='facts', to='deploys.team')),
                    ('kind', models.CharField(choices=[('history', 'History'), ('service', 'Service'), ('deploy', 'Deploy'), ('change', 'Change'), ('flag', 'Flag'), ('incident', 'Incident'), ('maintenance', 'Maintenance'), ('monitoring_gap', 'Monitoring Gap'), ('objective', 'Objective')], max_length=16)),
                    ('identity', models.CharField(max_length=600)),
                    ('received_at', models.DateTimeField(null=True)),
                    ('origin', models.CharField(choices=[('live', 'Live'), ('import', 'Import'), ('person', 'Person'), ('model', 'Model')], max_length=8)),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.CharField(default='', max_length=100)),
                    ('delivery_id', models.CharField(max_length=200, null=True)),
                    ('payload', models.JSONField()),
                ],
                options={
                    'indexes': [models.Index(fields=['team', 'kind', 'identity', 'received_at', 'id'], name='fact_record'), models.Index(fields=['team', 'received_at', 'id'], name='fact_arrival')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('delivery_id__isnull', False)), fields=('team', 'source', 'kind', 'delivery_id'), name='fact_delivery_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['history', 'service', 'deploy', 'change', 'flag', 'incident', 'maintenance', 'monitoring_gap', 'objective'])), name='fact_kind_known'), models.CheckConstraint(condition=models.Q(('origin__in', ['live', 'import', 'person', 'model'])), name='fact_origin_known')],
                },
            ), migrations.CreateModel(
                name='FlagSegment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='flag_segments', to='deploys.team')),
                    ('key', models.CharField(max_length=100)),
                    ('document', models.JSONField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'key'), name='flag_segment_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Membership',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='deploys.team')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                    ('role', models.CharField(choices=[('viewer', 'viewer'), ('responder', 'responder'), ('admin', 'admin')], default='responder', max_length=10)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'user'), name='membership_once'), models.CheckConstraint(condition=models.Q(('role__in', ['viewer', 'responder', 'admin'])), name='membership_role_known')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='OneTimeLink',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('purpose', models.CharField(choices=[('setup', 'Setup'), ('sign_in', 'Sign In'), ('invitation', 'Invitation')], max_length=12)),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('secret_hash', models.CharField(max_length=64, unique=True)),
                    ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='deploys.team')),
                    ('role', models.CharField(choices=[('viewer', 'viewer'), ('responder', 'responder'), ('admin', 'admin')], max_length=10, null=True)),
                    ('email', models.EmailField(max_length=254, null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('used_at', models.DateTimeField(null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'invitation'), _negated=True), models.Q(('role__isnull', False), ('team__isnull', False)), _connector='OR'), name='invitation_has_team_and_role'), models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'sign_in'), _negated=True), ('user__isnull', False), _connector='OR'), name='sign_in_link_has_user')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='OwnerGroup',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='owner_groups', to='deploys.team')),
                    ('name', models.CharField(max_length=100)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(models.F('team'), django.db.models.functions.text.Lower('name'), name='owner_group_name_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Policy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='policy', to='deploys.team')),
                    ('environment', models.CharField(default='production', max_length=100)),
                    ('failure_classes', models.JSONField(default=deploys.models.catalog.default_failure_classes)),
                    ('deploy_timeout_seconds', models.PositiveIntegerField(default=86400)),
                    ('pending_seconds', models.PositiveIntegerField(default=259200)),
                    ('maintenance_notice_seconds', models.PositiveIntegerField(default=86400)),
                    ('stale_after_seconds', models.PositiveIntegerField(default=1209600)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='Push',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pushes', to='deploys.team')),
                    ('repository', models.CharField(max_length=200)),
                    ('ref', models.CharField(default='', max_length=250)),
                    ('is_default_branch', models.BooleanField(default=False)),
                    ('before_sha', models.CharField(default='', max_length=64)),
                    ('after_sha', models.CharField(max_length=64)),
                    ('received_at', models.DateTimeField()),
                    ('is_truncated', models.BooleanField(db_default=False, default=False, verbose_name='its sender named only the newest commits')),
                ],
                options={
                    'indexes': [models.Index(fields=['team', 'before_sha'], name='push_before'), models.Index(fields=['received_at'], name='push_age')],
                    'constraints': [models.UniqueConstraint(fields=('team', 'after_sha', 'before_sha', 'repository', 'ref'), name='push_once')],
                },
            ), migrations.CreateModel(
                name='Flag',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='flags', to='deploys.team')),
                    ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deploys.environment')),
                    ('key', models.CharField(max_length=200)),
                    ('is_permanent', models.BooleanField(default=False)),
                    ('owner', models.CharField(default='', max_length=200)),
                    ('created_at', models.DateTimeField(null=True)),
                    ('expires_at', models.DateTimeField(null=True)),
                    ('last_evaluated_at', models.DateTimeField(null=True)),
                    ('is_evaluation_measured', models.BooleanField(default=False)),
                    ('code_references', models.PositiveIntegerField(null=True)),
                    ('archived_at', models.DateTimeField(null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'environment', 'key'), name='flag_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='FlagCheck',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('environment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.environment')),
                    ('key', models.CharField(max_length=100)),
                    ('application', models.CharField(max_length=100)),
                    ('variant', models.CharField(max_length=100)),
                    ('hour', models.DateTimeField()),
                    ('kind', models.CharField(choices=[('check', 'Check'), ('bulk', 'Bulk'), ('fallback', 'fell back to the old way')], max_length=8)),
                    ('quantity', models.PositiveBigIntegerField()),
                    ('last_at', models.DateTimeField()),
                ],
                options={
                    'indexes': [models.Index(fields=['environment', 'hour'], name='flag_check_hour')],
                    'constraints': [models.UniqueConstraint(fields=('environment', 'key', 'application', 'variant', 'hour', 'kind'), name='flag_check_once')],
                },
            ), migrations.CreateModel(
                name='FlagEnvironment',
                fields=[
                    ('environment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='flag_rights', serialize=False, to='deploys.environment')),
                    ('epoch', models.PositiveBigIntegerField(default=0)),
                    ('write_role', models.CharField(choices=[('viewer', 'viewer'), ('responder', 'responder'), ('admin', 'admin')], default='responder', max_length=10)),
                    ('needs_approval', models.BooleanField(default=False, verbose_name='a second person approves each change')),
                ],
                options={
                    'indexes': [models.Index(fields=['epoch'], name='flag_environment_epoch')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('write_role__in', ['responder', 'admin'])), name='flag_role_writes')],
                },
            ), migrations.CreateModel(
                name='FlagKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='flag_keys', to='deploys.team')),
                    ('environment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.environment')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('kind', models.CharField(choices=[('server', 'Server'), ('browser', 'Browser')], max_length=7)),
                    ('application', models.CharField(max_length=100, verbose_name='what asks; counted apart')),
                    ('origins', models.JSONField(default=list)),
                    ('prefix', models.CharField(max_length=16)),
                    ('secret_hash', models.CharField(max_length=64, unique=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('created_at', models.DateTimeField()),
                    ('revoked_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='PushedCommit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('push', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commits', to='deploys.push')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
                    ('sha', models.CharField(max_length=64)),
                    ('position', models.PositiveIntegerField()),
                    ('files', models.JSONField(default=list)),
                ],
                options={
                    'indexes': [models.Index(fields=['team', 'sha'], name='pushed_commit')],
                    'constraints': [models.UniqueConstraint(fields=('push', 'position'), name='pushed_commit_place')],
                },
            ), migrations.CreateModel(
                name='Service',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='services', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('number', models.PositiveBigIntegerField(unique=True)),
                    ('name', models.CharField(max_length=200)),
                    ('owner_group', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='services', to='deploys.ownergroup')),
                    ('is_declared', models.BooleanField(default=True)),
                    ('is_critical', models.BooleanField(default=True)),
                    ('is_probed', models.BooleanField(default=False)),
                    ('is_unwatched', models.BooleanField(default=False, verbose_name='no evidence of availability has come yet')),
                    ('users_count', models.PositiveBigIntegerField(blank=True, null=True)),
                    ('hosts', models.JSONField(default=list)),
                    ('born_at', models.DateTimeField(blank=True, null=True)),
                    ('retired_at', models.DateTimeField(blank=True, null=True)),
                    ('first_event_at', models.DateTimeField(blank=True, null=True)),
                    ('last_event_at', models.DateTimeField(blank=True, null=True)),
                    ('event_rate', models.PositiveIntegerField(blank=True, null=True, verbose_name='events a second it may send; null: as the instance')),
                    ('event_burst', models.PositiveIntegerField(blank=True, null=True, verbose_name='events it may send at once')),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'name'), name='service_name_once'), models.CheckConstraint(condition=models.Q(('retired_at__isnull', True), ('born_at__isnull', True), ('retired_at__gte', models.F('born_at')), _connector='OR'), name='service_life_forward')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Change',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('kind', models.CharField(choices=[('deploy', 'Deploy'), ('flag', 'Flag')], max_length=6)),
                    ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deploys.environment')),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='deploys.service')),
                    ('at', models.DateTimeField()),
                ],
                options={
                    'indexes': [models.Index(fields=['team', 'at', 'id'], name='change_time'), models.Index(fields=['service', 'at', 'id'], name='change_service_time')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind', 'flag'), ('service__isnull', False), _connector='OR'), name='deploy_has_service')],
                },
            ), migrations.CreateModel(
                name='Commit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commits', to='deploys.team')),
                    ('sha', models.CharField(max_length=100)),
                    ('committed_at', models.DateTimeField(null=True)),
                    ('author', models.CharField(default='', max_length=200)),
                    ('title', models.CharField(default='', max_length=500)),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='deploys.service')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'sha'), name='commit_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Dependency',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dependencies', to='deploys.service')),
                    ('depends_on', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dependants', to='deploys.service')),
                    ('origin', models.CharField(choices=[('declared', 'Declared'), ('learned', 'Learned')], default='declared', max_length=10)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('service', 'depends_on'), name='dependency_once'), models.CheckConstraint(condition=models.Q(('service', models.F('depends_on')), _negated=True), name='dependency_not_itself')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='DsnKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dsn_keys', to='deploys.service')),
                    ('public_key', models.CharField(max_length=32, unique=True)),
                    ('is_active', models.BooleanField(default=True)),
                    ('created_at', models.DateTimeField()),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='FlagRepository',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='flag_repositories', to='deploys.team')),
                    ('name', models.CharField(max_length=200)),
                    ('branch', models.CharField(default='', max_length=250)),
                    ('commit_sha', models.CharField(default='', max_length=100)),
                    ('scanned_at', models.DateTimeField()),
                    ('received_at', models.DateTimeField()),
                    ('scanner', models.CharField(default='', max_length=40, verbose_name='version of the scanner')),
                    ('files_count', models.PositiveIntegerField(default=0)),
                    ('is_complete', models.BooleanField(verbose_name='every file was read, and every place sent')),
                    ('link', models.CharField(default='', max_length=500)),
                    ('dynamic', models.JSONField(default=list)),
                    ('services', models.ManyToManyField(related_name='+', to='deploys.service')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'name'), name='flag_repository_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='RegisteredFlag',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='registered_flags', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('key', models.CharField(max_length=100)),
                    ('kind', models.CharField(max_length=12)),
                    ('value_type', models.CharField(max_length=8)),
                    ('variants', models.JSONField()),
                    ('off_variant', models.CharField(max_length=100)),
                    ('salt', models.CharField(max_length=64)),
                    ('description', models.TextField(default='')),
                    ('owner', models.CharField(default='', max_length=200)),
                    ('ticket_url', models.URLField(default='', max_length=500)),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('expires_at', models.DateTimeField(null=True)),
                    ('archived_at', models.DateTimeField(null=True)),
                    ('services', models.ManyToManyField(related_name='+', to='deploys.service')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'key'), name='registered_flag_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['release', 'experiment', 'migration', 'ops', 'permission', 'kill_switch'])), name='registered_flag_kind_known'), models.CheckConstraint(condition=models.Q(('value_type__in', ['boolean', 'string', 'integer', 'float', 'object'])), name='registered_flag_type_known')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Release',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='releases', to='deploys.service')),
                    ('version', models.CharField(max_length=250)),
                    ('created_at', models.DateTimeField()),
                    ('released_at', models.DateTimeField(null=True, verbose_name='when its builder declared it finished')),
                    ('archived_at', models.DateTimeField(null=True)),
                    ('url', models.URLField(default='', max_length=500)),
                    ('head_sha', models.CharField(default='', max_length=100)),
                    ('files', models.JSONField(null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('service', 'version'), name='release_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Source',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='deploys.team')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('kind', models.CharField(max_length=20)),
                    ('name', models.CharField(max_length=100)),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sources', to='deploys.service')),
                    ('secret_encrypted', models.BinaryField()),
                    ('previous_secret_encrypted', models.BinaryField(null=True)),
                    ('previous_secret_until', models.DateTimeField(null=True)),
                    ('rules', models.JSONField(default=list)),
                    ('is_strict', models.BooleanField(default=False, verbose_name='only what a rule names')),
                    ('is_active', models.BooleanField(default=True)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'kind', 'name'), name='source_name_once'), models.CheckConstraint(condition=models.Q(('previous_secret_encrypted__isnull', True), ('previous_secret_until__isnull', False), _connector='OR'), name='source_previous_secret_ends')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='Delivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='deploys.team')),
                    ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='deploys.source')),
                    ('token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='deploys.apitoken')),
                    ('service', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='deploys.service')),
                    ('kind', models.CharField(max_length=40)),
                    ('event', models.CharField(default='', max_length=100)),
                    ('delivery_id', models.CharField(default='', max_length=200)),
                    ('received_at', models.DateTimeField()),
                    ('signature', models.CharField(default='', max_length=20)),
                    ('verdict', models.CharField(choices=[('created', 'Created'), ('updated', 'Updated'), ('duplicate', 'Duplicate'), ('ignored', 'Ignored'), ('refused', 'Refused')], max_length=10)),
                    ('reason', models.TextField(default='')),
                    ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='deploys.change')),
                    ('body', models.TextField(default='')),
                    ('raw_encrypted', models.BinaryField(null=True, verbose_name='what a replay needs, for a bounded time')),
                    ('replay_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replays', to='deploys.delivery')),
                ],
                options={
                    'indexes': [models.Index(fields=['team', '-received_at', '-id'], name='delivery_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('verdict__in', ['created', 'updated', 'duplicate', 'ignored', 'refused'])), name='delivery_verdict_known')],
                },
            ), migrations.CreateModel(
                name='Deploy',
                fields=[
                    ('change', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='deploy', serialize=False, to='deploys.change')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='deploys.team')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deploys', to='deploys.service')),
                    ('environment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deploys.environment')),
                    ('source', models.CharField(max_length=100)),
                    ('external_id', models.CharField(max_length=200)),
                    ('status', models.CharField(choices=[('in_progress', 'In Progress'), ('success', 'Success'), ('failure', 'Failure')], default='in_progress', max_length=12)),
                    ('started_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('live_at', models.DateTimeField(null=True, verbose_name='first production traffic, as stated')),
                    ('release', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deploys', to='deploys.release')),
                    ('artifact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deploys.artifact')),
                    ('commit_sha', models.CharField(default='', max_length=64, verbose_name='the newest commit in it')),
                    ('kind_stated', models.CharField(default='', max_length=10)),
                    ('strategy', models.CharField(default='', max_length=40)),
                    ('percent', models.FloatField(null=True)),
                    ('has_canary_step', models.BooleanField(default=False, verbose_name='an in-progress message with a share of traffic came')),
                    ('files', models.JSONField(null=True)),
                    ('description', models.TextField(default='')),
                    ('url', models.URLField(default='', max_length=500)),
                    ('first_received_at', models.DateTimeField(null=True)),
                    ('kind_listed', models.CharField(default='', max_length=10)),
                    ('outcome_listed', models.CharField(default='', max_length=14)),
                    ('is_live_listed', models.BooleanField(default=False, verbose_name='serves users in its environment')),
                    ('live_listed_at', models.DateTimeField(null=True, verbose_name='first production traffic, derived')),
                    ('is_stacked_listed', models.BooleanField(default=False, verbose_name='put a version live that one may go back to')),
                    ('undone_listed_at', models.DateTimeField(null=True, verbose_name='when a rollback took it back')),
                ],
                options={
                    'indexes': [models.Index(fields=['service', 'environment', '-started_at'], name='deploy_by_service'), models.Index(fields=['team', '-started_at'], name='deploy_newest'), models.Index(condition=models.Q(('is_live_listed', True)), fields=['team', 'service'], name='deploy_live'), models.Index(condition=models.Q(('outcome_listed', 'running')), fields=['team'], name='deploy_running'), models.Index(condition=models.Q(('outcome_listed', '')), fields=['service'], name='deploy_unlisted'), models.Index(fields=['service', '-live_listed_at'], name='deploy_went_live'), models.Index(condition=models.Q(('outcome_listed', 'succeeded')), fields=['service', 'environment', '-live_listed_at'], name='deploy_last_live'), models.Index(condition=models.Q(('undone_listed_at__isnull', False)), fields=['service', 'undone_listed_at'], name='deploy_undone'), models.Index(condition=models.Q(('is_stacked_listed', True)), fields=['service', 'release'], name='deploy_version'), models.Index(condition=models.Q(('commit_sha', ''), _negated=True), fields=['team', 'commit_sha'], name='deploy_commit'), models.Index(condition=models.Q(('source', 'inferred')), fields=['service', 'started_at'], name='deploy_inferred')],
                    'constraints': [models.UniqueConstraint(fields=('team', 'source', 'service', 'external_id'), name='deploy_once'), models.UniqueConstraint(condition=models.Q(('source', 'history')), fields=('team', 'external_id'), name='history_deploy_once'), models.CheckConstraint(condition=models.Q(('status__in', ['in_progress', 'success', 'failure'])), name='deploy_status_known')],
                },
            ), migrations.CreateModel(
                name='FlagChange',
                fields=[
                    ('change', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='flag_change', serialize=False, to='deploys.change')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='flag_changes', to='deploys.team')),
                    ('flag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='deploys.flag')),
                    ('source', models.CharField(max_length=100)),
                    ('external_id', models.CharField(max_length=200)),
                    ('old_percent', models.FloatField(null=True)),
                    ('new_percent', models.FloatField()),
                    ('segment', models.JSONField(null=True)),
                    ('has_services', models.BooleanField(default=False, verbose_name='the sender named the services')),
                    ('services', models.ManyToManyField(related_name='flag_changes', to='deploys.service')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('team', 'source', 'external_id'), name='flag_change_once'), models.CheckConstraint(condition=models.Q(('new_percent__gte', 0), ('new_percent__lte', 100)), name='flag_percent_range')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='FlagProposal',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('flag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='proposals', to='deploys.registeredflag')),
                    ('environment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.environment')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('document', models.JSONField()),
                    ('version', models.PositiveIntegerField(verbose_name='of the settings it was made from')),
                    ('reason', models.TextField(default='')),
                    ('state', models.CharField(choices=[('open', 'Open'), ('applied', 'Applied'), ('refused', 'Refused'), ('outdated', 'Outdated')], default='open', max_length=8)),
                    ('asked_at', models.DateTimeField()),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['flag'], name='flag_proposal_open')],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='FlagReference',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('repository', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='references', to='deploys.flagrepository')),
                    ('key', models.CharField(max_length=200)),
                    ('path', models.CharField(max_length=1000)),
                    ('line', models.PositiveIntegerField()),
                    ('kind', models.CharField(choices=[('call', 'Call'), ('constant', 'Constant'), ('config', 'configuration'), ('test', 'Test'), ('doc', 'words')], max_length=8)),
                ],
                options={
                    'indexes': [models.Index(fields=['repository', 'key'], name='flag_reference_key')],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='FlagRevision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('flag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='deploys.registeredflag')),
                    ('environment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.environment')),
                    ('public_id', models.UUIDField(default=deploys.domain.identifiers.uuid7, editable=False, unique=True)),
                    ('act', models.CharField(choices=[('created', 'Created'), ('changed', 'Changed'), ('killed', 'Killed'), ('revived', 'Revived'), ('described', 'Described'), ('archived', 'Archived'), ('restored', 'Restored'), ('imported', 'Imported'), ('stepped', 'changed by schedule'), ('kept', 'postponed'), ('done', 'to-do closed'), ('reopened', 'to-do opened again'), ('rehearsed', 'Rehearsed'), ('clients', 'support of older apps')], max_length=10)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('reason', models.TextField(default='')),
                    ('before', models.JSONField(null=True)),
                    ('after', models.JSONField(null=True)),
                    ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='deploys.change')),
                ],
                options={
                    'indexes': [models.Index(fields=['flag', '-at', '-id'], name='flag_revision_newest')],
                    'constraints': [],
                },
            ), migrations.CreateModel(
                name='FlagScan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('repository', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scans', to='deploys.flagrepository')),
                    ('commit_sha', models.CharField(max_length=100)),
                    ('scanned_at', models.DateTimeField()),
                    ('is_complete', models.BooleanField()),
                ],
                options={
                    'indexes': [models.Index(fields=['repository', 'scanned_at'], name='flag_scan_time')],
                    'constraints': [models.UniqueConstraint(fields=('repository', 'commit_sha'), name='flag_scan_once')],
                },
            ), migrations.CreateModel(
                name='FlagSettings',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('flag', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='settings', to='deploys.registeredflag')),
                    ('environment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.environment')),
                    ('document', models.JSONField()),
                    ('version', models.PositiveIntegerField(default=1)),
                    ('changed_at', models.DateTimeField()),
                    ('noted_at', models.DateTimeField()),
                    ('is_timed', models.BooleanField(default=False, verbose_name='time alone may change what it serves')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('is_timed', True)), fields=['noted_at'], name='flag_settings_timed')],
                    'constraints': [models.UniqueConstraint(fields=('flag', 'environment'), name='flag_settings_once')],
                },
            ), migrations.CreateModel(
                name='FlagTask',
                fields=[
                    ('flag', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='task', serialize=False, to='deploys.registeredflag')),
                    ('done_at', models.DateTimeField(null=True)),
                    ('done_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('kept_until', models.DateTimeField(null=True)),
                    ('kept_reason', models.TextField(default='')),
                    ('kept_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('kept_count', models.PositiveSmallIntegerField(default=0)),
                    ('rehearsed_at', models.DateTimeField(null=True)),
                    ('clients_until', models.DateTimeField(null=True)),
                    ('ticket_key', models.CharField(db_default='', default='', max_length=500)),
                    ('ticket_is_closed', models.BooleanField(null=True)),
                    ('ticket_at', models.DateTimeField(null=True)),
                    ('ticket_told_at', models.DateTimeField(null=True)),
                    ('ticket_heard_at', models.DateTimeField(null=True)),
                    ('ticket_source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='deploys.source')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kept_until__isnull', True), models.Q(('kept_reason', ''), _negated=True), _connector='OR'), name='flag_kept_for_a_reason')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='FlagTrace',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('repository', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='traces', to='deploys.flagrepository')),
                    ('key', models.CharField(max_length=200)),
                    ('first_seen_at', models.DateTimeField()),
                    ('last_seen_at', models.DateTimeField()),
                    ('paths', models.JSONField(default=list)),
                    ('gone_scanned_at', models.DateTimeField(null=True)),
                    ('gone_commit', models.CharField(default='', max_length=100)),
                    ('gone_committed_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['key'], name='flag_trace_key')],
                    'constraints': [models.UniqueConstraint(fields=('repository', 'key'), name='flag_trace_once'), models.CheckConstraint(condition=models.Q(('gone_scanned_at__isnull', False), ('gone_commit', ''), _connector='OR'), name='flag_trace_gone_by_scan')],
                },
            ), migrations.CreateModel(
                name='ReleaseCommit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('release', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commit_links', to='deploys.release')),
                    ('commit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.commit')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('release', 'commit'), name='release_commit_once')],
                    'indexes': [],
                },
            ), migrations.CreateModel(
                name='CommitDeploy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('commit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deploy_links', to='deploys.commit')),
                    ('deploy', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='commit_links', to='deploys.deploy')),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='deploys.team')),
                    ('reference', models.CharField(max_length=200)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('deploy__isnull', True)), fields=['team', 'reference'], name='commit_waits_for')],
                    'constraints': [models.UniqueConstraint(fields=('commit', 'reference'), name='commit_deploy_once')],
                },
            )],
        ),
        migrations.AddField(
            model_name='Commit',
            name='deploys',
            field=models.ManyToManyField(related_name='commits', through='deploys.CommitDeploy', to='deploys.deploy'),
        ),
    ]
