"""How the texts of a document are spelled in their files: what another program changes of that holds for everybody.

The document says it (`FileEntry.spelling`), and every folder writes the same bytes. Where it says nothing, a file is
plain: UTF-8 with `\\n`.

    a new file                              is spelled everywhere as whoever made it did
    another program spells a file anew      so does everybody; of two at once the last one wins, in all folders
    a folder that joins has another one     the project's holds: the text is the same
    an older program knew it in its own     it is said when that folder is opened, unless the document says something
    folder only
"""

from texswarm_desktop.core.reconcile import Record
from texswarm_desktop.core.text_bytes import explains
from texswarm_desktop.services.disk_state import DiskFile
from texswarm_desktop.services.known_files import KnownFiles
from texswarm_server.document.project_document import FileId, ProjectDocument
from texswarm_server.document.text_format import PLAIN, TextFormat


class Spelling:
    """Of one document and its folder."""

    def __init__(self, document: ProjectDocument, known: KnownFiles) -> None:
        self._document, self._known = document, known

    def said(self, file_id: FileId) -> TextFormat:
        """Return how the document says that a file is written."""
        entry = self._document.files.get(file_id)
        return (entry.spelling if entry is not None else None) or PLAIN

    def found(self, file_id: FileId, file: DiskFile, record: Record | None = None) -> TextFormat:
        """Tell the document how a file was spelled anew, if it was, and return how the one that was found is.

        `record`: what was known of it at the last time, where nothing is known since.
        """
        decoded = file.decoded
        if decoded is None:
            return PLAIN
        before = self._before(file_id, record)
        if before is None:
            said = self.said(file_id)
            return said if explains(said, decoded) else decoded.format
        is_ours = record is not None and file.state.digest in record.digests
        if is_ours or explains(before, decoded):
            self._say_once(file_id, before)
            return before if explains(before, decoded) else decoded.format
        if file_id in self._document.text_files:
            self._document.set_spelling(file_id, decoded.format)
        return decoded.format

    def is_behind(self, file_id: FileId) -> bool:
        """Say whether the file on the disk is perhaps spelled in another way than the document says."""
        known = self._known.files.get(file_id)
        return known is not None and known.format != self.said(file_id)

    def _before(self, file_id: FileId, record: Record | None) -> TextFormat | None:
        known = self._known.files.get(file_id)
        if known is not None:
            return known.format
        return record.format if record is not None and record.digest is not None else None

    def _say_once(self, file_id: FileId, spelling: TextFormat) -> None:
        """A program of before kept to itself how it found a file."""
        entry = self._document.text_files.get(file_id)
        if entry is not None and entry.spelling is None:
            self._document.set_spelling(file_id, spelling)
