"""Facts announced to the rooms above: ids only."""

from django.dispatch import Signal

#: kwargs: team_id and change_ids, a list. Deploys or flag changes are being recorded, or more is learned of them. Sent inside
#: the transaction, for what must outlive a crash: write a row that says what is to be done, and do no more. What a
#: receiver raises fails the transaction.
changes_recording = Signal()

#: kwargs: change_ids, a list. The same, sent after the commit; what is left undone here may be lost.
changes_recorded = Signal()

#: kwargs: service_id. A service was declared here by a person, a command or a page (not by an import). After commit.
service_declared = Signal()

#: kwargs: since and until, aware instants. No worker ran between them. Sent by the first that runs again, before it wakes
#: any work. More than one may send it for the same time.
nothing_ran = Signal()
