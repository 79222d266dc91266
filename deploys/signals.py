"""Facts announced to the rooms above: ids only, sent after commit."""

from django.dispatch import Signal

#: kwargs: change_ids, a list. Deploys or flag changes were recorded, or more was learned of them.
changes_recorded = Signal()

#: kwargs: service_id. A service was declared here by a person, a command or a page (not by an import).
service_declared = Signal()
