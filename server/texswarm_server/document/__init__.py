"""The project as one CRDT document: files, texts, positions, presence, lineage.

Pure, and the only package that imports pycrdt. What is shown, stored or sent is decided elsewhere.
"""

import texswarm_server.document.lean_pycrdt  # noqa: F401 - before anybody imports pycrdt
from texswarm_server.document.file_text import FileText, TextChange
from texswarm_server.document.project_document import FileEntry, FileId, ProjectDocument
from texswarm_server.document.text_index import TextIndex

__all__ = ["FileEntry", "FileId", "FileText", "ProjectDocument", "TextChange", "TextIndex"]
