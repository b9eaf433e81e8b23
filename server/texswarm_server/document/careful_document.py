"""A shared document that survives updates which break it, at the price of remembering all it was given.

An update can be well-formed, wait for its predecessors for a long time, and break the document the moment they arrive:
the update that is being applied then is not the one to blame. Found by mutating updates; pycrdt 0.14 (yrs 0.28)
reports it while applying and leaves the document unusable.
"""

import pycrdt

from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import merge_updates
from texswarm_server.protocol.errors import DamagedDocumentError, DocumentError


class CarefulDocument(SharedDocument):
    """Invariant: it shows what its history says, without the updates in `harmful`."""

    def __init__(self, updates: list[bytes]) -> None:
        """Apply `updates` one by one; those that do harm are put into `harmful`."""
        super().__init__()
        self._history: list[bytes] = []
        self.harmful: list[bytes] = []
        for update in updates:
            try:
                self.apply(update)
            except DocumentError:
                self.harmful.append(update)

    def apply(self, update: bytes) -> bytes | None:
        """As `SharedDocument.apply`; after DamagedDocumentError the document is as it was before."""
        try:
            before = self.state_vector
            change = super().apply(update)
            if self.is_torn:
                self._rebuild([*self._history, update])
                change = self.update_since(before)
        except DamagedDocumentError:
            change = self._mend(update)
        self._history.append(update)
        return change

    def _mend(self, update: bytes) -> bytes:
        """Leave out what waited for `update` and breaks with it, or else raise DamagedDocumentError."""
        self._rebuild(self._history)
        state_vector = self.state_vector
        waiting = [each for each in self._history if not self.contains(each)]
        for suspects in [*([each] for each in waiting), waiting]:
            kept = [each for each in self._history if each not in suspects]
            if suspects and self._holds([*kept, update]):
                self._history = kept
                self.harmful += suspects
                return self.update_since(state_vector)
        self._rebuild(self._history)
        raise DamagedDocumentError("the update breaks the document by itself")

    def _holds(self, updates: list[bytes]) -> bool:
        try:
            self._rebuild(updates)
        except DocumentError:
            return False
        return True

    def _rebuild(self, updates: list[bytes]) -> None:
        self._start(pycrdt.Doc())
        if updates:
            self._begin_with(merge_updates(updates))
