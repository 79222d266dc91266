"""The room of what broke."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IncidentsConfig(AppConfig):
    """Errors, issues, incidents, verdicts."""

    name = "incidents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fills the seams of the room below."""
        from deploys.actions.schedules import register_job  # noqa: PLC0415 -- models exist only once all apps are loaded
        from deploys.ports import (  # noqa: PLC0415 -- as above
            register_change_links,
            register_flag_sightings,
            register_outside_taker,
            register_pages,
            register_projector,
            register_service_health,
        )
        from incidents import receivers, tasks  # noqa: PLC0415, F401 -- as above; importing the receivers connects them
        from incidents.actions.alerts import take_report  # noqa: PLC0415 -- as above
        from incidents.actions.maintenance import (  # noqa: PLC0415 -- as above
            project_maintenance,
            project_monitoring_gaps,
        )
        from incidents.actions.projection import project_incidents  # noqa: PLC0415 -- as above
        from incidents.actions.search_index import ensure_search_index  # noqa: PLC0415 -- as above
        from incidents.queries.change_links import change_links  # noqa: PLC0415 -- as above
        from incidents.queries.flag_sightings import flag_sightings  # noqa: PLC0415 -- as above
        from incidents.queries.service_health import service_health  # noqa: PLC0415 -- as above

        post_migrate.connect(ensure_search_index, sender=self, dispatch_uid="incidents.search_index")
        register_projector("incident", project_incidents)
        register_projector("maintenance", project_maintenance)
        register_projector("monitoring_gap", project_monitoring_gaps)
        register_change_links(change_links)
        register_flag_sightings(flag_sightings)
        register_service_health(service_health)
        register_outside_taker(take_report)
        register_pages("incidents.pages")
        register_job(
            tasks.SWEEP,
            period_seconds=tasks.SWEEP_SECONDS,
            wake=tasks.sweep_inbox,
            lease_seconds=tasks.SWEEP_LEASE_SECONDS,
        )
        register_job(
            tasks.DETECT,
            period_seconds=tasks.DETECT_SECONDS,
            wake=tasks.sweep_detection,
            lease_seconds=tasks.DETECT_LEASE_SECONDS,
        )
        register_job(
            tasks.MONITORS,
            period_seconds=tasks.MONITORS_SECONDS,
            wake=tasks.wake_monitors,
            lease_seconds=tasks.SWEEP_LEASE_SECONDS,
        )
        register_job(tasks.FORGET, period_seconds=tasks.FORGET_SECONDS, wake=tasks.wake_forgetting)
        register_job(tasks.REMIND, period_seconds=tasks.REMIND_SECONDS, wake=tasks.wake_reminding)
        register_job(tasks.DRIFT, period_seconds=tasks.DRIFT_SECONDS, wake=tasks.wake_drift)
        register_job(tasks.JOBS, period_seconds=tasks.JOBS_SECONDS, wake=tasks.wake_sweep_jobs, lease_seconds=60.0)
        register_job(
            tasks.LEARN,
            period_seconds=tasks.LEARN_SECONDS,
            wake=tasks.wake_learning,
            lease_seconds=tasks.LEARN_LEASE_SECONDS,
        )
        register_job(
            tasks.RETENTION,
            period_seconds=tasks.RETENTION_PERIOD_SECONDS,
            wake=tasks.wake_clean_up,
            lease_seconds=tasks.RETENTION_LEASE_SECONDS,
        )
