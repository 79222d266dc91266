"""Facts announced to the rooms above: ids only, sent after commit."""

from django.dispatch import Signal

#: kwargs: change_id. A deploy or flag change was recorded or learned more of.
change_recorded = Signal()
