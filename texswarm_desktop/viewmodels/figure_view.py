"""What is shown of a binary file, and of files that travel: facts, without words.

What is over within a second is not shown.
"""

from pathlib import Path
from typing import Final, Protocol

import msgspec

from texswarm_desktop.core.figure_travel import Progress
from texswarm_server.document.blob_ref import BlobRef

#: What travels for less long than this is not shown.
SHOWN_AFTER_S: Final = 1.0


class FigureSource(Protocol):
    """Where the contents of a project's binary files are."""

    @property
    def sending(self) -> Progress | None:
        """How far what goes up is."""

    @property
    def fetching(self) -> Progress | None:
        """How far what comes down is."""

    def is_here(self, blob: BlobRef) -> bool:
        """Whether a content is here, whole."""


class FigureFacts(msgspec.Struct, frozen=True):
    """A binary file of the project. `place`: where it is on this disk; `is_here`: whether its content has arrived."""

    path: str
    size_bytes: int
    place: Path
    is_here: bool


class TransferFacts(msgspec.Struct, frozen=True):
    """Files that travel for longer than a moment; bytes since they began. None in a direction in which none do."""

    sending: Progress | None
    fetching: Progress | None


def transfer_facts(source: FigureSource | None, now: float) -> TransferFacts | None:
    """Return what is to be shown of files that travel, None for nothing."""
    if source is None:
        return None
    both = [
        progress if progress is not None and now - progress.since >= SHOWN_AFTER_S else None
        for progress in (source.sending, source.fetching)
    ]
    return TransferFacts(*both) if any(both) else None
