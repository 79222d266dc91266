# Jobs that people describe and that ping, what backups tell, and certificates that end.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deploys', '0011_flag_tasks'),
        ('incidents', '0019_change_to_be_weighed'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='is_backup',
            field=models.BooleanField(db_default=False, default=False, verbose_name='it makes copies that must be restorable'),
        ),
        migrations.AddField(
            model_name='jobrun',
            name='artifact',
            field=models.JSONField(null=True, verbose_name='what a backup told of what it made'),
        ),
        migrations.AddField(
            model_name='monitor',
            name='certificate_told',
            field=models.CharField(db_default='', default='', max_length=40, verbose_name='the last warning of its end'),
        ),
        migrations.AddField(
            model_name='monitor',
            name='certificate_until',
            field=models.DateTimeField(null=True, verbose_name='when the certificate that was shown last ends'),
        ),
        migrations.CreateModel(
            name='PingKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=40, unique=True)),
                ('service', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='ping_key', to='deploys.service')),
            ],
        ),
    ]
