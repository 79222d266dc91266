"""Facts announced to the room above: ids only, sent after commit."""

from django.dispatch import Signal

#: kwargs: incident_id. An incident was opened, changed or got another verdict.
incident_changed = Signal()
