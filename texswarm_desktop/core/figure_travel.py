"""What those who keep the contents of figures, those who move them, and those who show that have to agree on."""

from enum import Enum
from typing import Protocol

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """How far one direction is, since it was last idle. `since`: when it began, by the clock of who tells the time."""

    done_bytes: int
    total_bytes: int
    files: int
    since: float


class Kept(Enum):
    """What came of a part of a content that was to be written."""

    WRITTEN = "written"
    NOT_WRITTEN = "not written"
    WRONG = "wrong"
    """The whole is not what its hash says, and nothing of it is kept."""


class BlobTraffic(Protocol):
    """The traffic of a document's binary files with a server, as the keeper of the contents sees it."""

    @property
    def sending(self) -> Progress | None:
        """How far what goes up is, None while nothing does."""

    @property
    def fetching(self) -> Progress | None:
        """How far what comes down is, None while nothing does."""

    @property
    def is_settled(self) -> bool:
        """Whether all that can travel has."""

    @property
    def unsent(self) -> int:
        """How many contents are here that the server is still to store; what it refuses does not count."""

    def files_changed(self) -> None:
        """Look anew what the document names and what of it is here."""
