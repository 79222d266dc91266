"""How people work on an incident: who does what, how urgent it is, what ended it, who noticed it."""

from __future__ import annotations

from enum import StrEnum


class ResponseRole(StrEnum):
    """What somebody does in an incident. The lead is kept with the incident itself."""

    LEAD = "lead"
    COMMUNICATIONS = "communications"
    SPONSOR = "sponsor"
    DEPLOYMENT = "deployment"
    DATA = "data"
    ROLLBACK = "rollback"

    @property
    def words(self) -> str:
        """What pages call it."""
        return _ROLE_WORDS[self][0]

    @property
    def duty(self) -> str:
        """What it is for, in one line."""
        return _ROLE_WORDS[self][1]


_ROLE_WORDS = {
    ResponseRole.LEAD: ("incident lead", "decides, and knows what happens next"),
    ResponseRole.COMMUNICATIONS: ("communications", "tells customers and colleagues"),
    ResponseRole.SPONSOR: ("change sponsor", "answers for the change that is suspected"),
    ResponseRole.DEPLOYMENT: ("deployment lead", "holds or releases deploys while it lasts"),
    ResponseRole.DATA: ("data steward", "looks after data that may be wrong or lost"),
    ResponseRole.ROLLBACK: ("rollback captain", "takes the change back"),
}


class Severity(StrEnum):
    """How urgently people work on it; the class says how users were hit. Empty: nobody has said."""

    UNSAID = ""
    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"

    @property
    def words(self) -> str:
        """What pages call it."""
        return self.value.upper() if self.value else "not said"

    @property
    def meaning(self) -> str:
        """What people do at this severity."""
        return _SEVERITY_MEANING[self]


_SEVERITY_MEANING = {
    Severity.UNSAID: "nobody has said",
    Severity.SEV1: "everybody who can help, now",
    Severity.SEV2: "those on call, now",
    Severity.SEV3: "in working hours",
    Severity.SEV4: "when there is time",
}


class Noticed(StrEnum):
    """Who noticed it first. Other values name a tool that told of it."""

    MACHINE = "upshot"
    PERSON = "person"
    USERS = "users"


#: Values of `detected_by` that say a person opened it: machine and people must find each other's incidents.
BY_PEOPLE = (Noticed.PERSON.value, Noticed.USERS.value)


class Ending(StrEnum):
    """What ended it, where no change that is known here did. Empty: nobody has said."""

    UNSAID = ""
    RESTART = "restart"
    CAPACITY = "capacity"
    DATA = "data"
    OUTSIDE = "outside"
    BY_ITSELF = "by_itself"
    OTHER = "other"

    @property
    def words(self) -> str:
        """What pages call it."""
        return _ENDING_WORDS[self]


_ENDING_WORDS = {
    Ending.UNSAID: "nothing named",
    Ending.RESTART: "a restart",
    Ending.CAPACITY: "more capacity",
    Ending.DATA: "repaired data",
    Ending.OUTSIDE: "somebody outside repaired it",
    Ending.BY_ITSELF: "it went away by itself",
    Ending.OTHER: "something else",
}
