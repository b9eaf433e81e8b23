"""A project as one Yjs document: a file tree with stable ids, a text per file, title, main file, lineage.

    meta   map   lineage, title, main (file id), schema
    files  map   file id -> map {path, kind: "text", spelling: {…}} or map {path, kind: "blob", blob: {hash, size}}
    folders  map  path -> 1: folders that somebody made and that need not hold a file
    changed  map   <file id> <hash> -> map {path, hash, size}: contents that were given to binary files
    text:<file id>   text

Texts are roots of their own, so that what somebody typed into a file that another person deleted at the same time
is still there when the file is brought back, which whoever deleted it does when it arrives. `spelling`, how the file of
a text is written (`document.text_format`), stands only where that is, or was, another than the plain way. Of a binary
file (kind `blob`) only hash and size are here. Whoever gives it another content names that once more, as
`blob:<hash>`, and takes away the name of the one it replaces: where two do so at once both names stay, and tell that
one of the contents lost against the other, until that one is kept beside. In `changed` it is named as well, outside of
the entry: whoever deletes the file takes away what of that they know, and what stays was set by somebody who did not
know of the deletion, so that the file comes back. The content of these maps may come from a stranger's program: what is
not of this form is passed over, never trusted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid4, uuid5

import pycrdt

from texswarm_server.document.blob_contents import SET, ChangedBlob, change_key, read_changes
from texswarm_server.document.blob_ref import BlobRef
from texswarm_server.document.file_entry import FileEntry, FileId, FileTree, read_files
from texswarm_server.document.file_text import LOCAL_ORIGIN, TEXT_ROOT, FileText
from texswarm_server.document.observing import follow, held_weakly
from texswarm_server.document.paths import free_path, is_safe_path, usual_main
from texswarm_server.document.removed_texts import RemovedText, RemovedTexts
from texswarm_server.document.text_format import PLAIN, TextFormat
from texswarm_server.document.updates import (
    EMPTY_STATE,
    apply_update,
    check_update,
    update_since,
)
from texswarm_server.protocol.errors import FilePathError, UnknownFileError
from texswarm_server.protocol.ids import Lineage

__all__ = ["FileEntry", "FileId", "ProjectDocument"]

SCHEMA_VERSION: Final = 1


UpdateListener = Callable[[bytes, bool], None]
FilesListener = Callable[[], None]
FileTouchedListener = Callable[[FileId], None]
FileReturnedListener = Callable[[FileId, frozenset[int]], None]


class ProjectDocument:
    """A replica of one project.

    `on_update(update, is_local)` is called while a transaction commits, with the bytes to store or send; it must not
    touch the document. Called after the transaction: `on_files_changed()` when the tree, the title or the main file
    changed, `on_file_touched(file_id)` when a file's text changed, by anybody; `on_file_returned(file_id, writers)`
    when a file that was removed here is there again, because one of these clients typed in it.
    """

    def __init__(self, *, client_id: int | None = None) -> None:
        """`client_id`: under which it writes, never used before in this history; a random one unless given."""
        self._doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=client_id)
        self._meta = self._doc.get("meta", type=pycrdt.Map)
        self._files = self._doc.get("files", type=pycrdt.Map)
        self._folders = self._doc.get("folders", type=pycrdt.Map)
        self._changed = self._doc.get("changed", type=pycrdt.Map)
        self._texts: dict[FileId, FileText] = {}
        self._watches: dict[FileId, Any] = {}
        self._tree = FileTree()
        self._entries: Mapping[FileId, FileEntry] | None = None
        self._folder_paths: frozenset[str] | None = None
        self._changes: Mapping[FileId, Sequence[ChangedBlob]] | None = None
        self._tree_changed = False
        self._touched: set[FileId] = set()
        self._removed = RemovedTexts()
        self._is_local = False
        self._has_changed = False
        self.on_update: UpdateListener = _ignore
        self.on_files_changed: FilesListener = _ignore
        self.on_file_touched: FileTouchedListener = _ignore
        self.on_file_returned: FileReturnedListener = _ignore
        follow(self._doc, self._on_transaction)
        self._meta.observe(held_weakly(self._on_tree))
        self._files.observe_deep(held_weakly(self._on_tree))
        self._folders.observe(held_weakly(self._on_tree))
        self._changed.observe(held_weakly(self._on_changes))

    # ── the whole ───────────────────────────────────────────────────────────────────────────────────────

    def initialise(self, title: str, lineage: Lineage) -> None:
        """Give a new document its title and lineage; done once in a history, by whoever creates the project."""
        with self._local_tree_change():
            self._meta["schema"] = SCHEMA_VERSION
            self._meta["lineage"] = lineage
            self._meta["title"] = title

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever written into this document."""
        return self.state_vector() == EMPTY_STATE

    @property
    def lineage(self) -> Lineage | None:
        """The identity of this history, or None while the document is empty."""
        value = self._meta.get("lineage")
        return Lineage(value) if isinstance(value, str) else None

    @property
    def title(self) -> str:
        """The project's title, empty when nobody gave one."""
        value = self._meta.get("title")
        return value if isinstance(value, str) else ""

    @title.setter
    def title(self, title: str) -> None:
        with self._local_tree_change():
            self._meta["title"] = title

    @property
    def client_id(self) -> int:
        """The Yjs client id under which this replica writes; also its awareness id."""
        return self._doc.client_id

    def state_vector(self) -> bytes:
        """Return what this replica has, as a Yjs state vector."""
        return self._doc.get_state()

    def update_since(self, state_vector: bytes = EMPTY_STATE) -> bytes:
        """Return what a replica with `state_vector` lacks; raises MalformedUpdateError for other bytes."""
        return update_since(self._doc, state_vector)

    def apply(self, update: bytes) -> bool:
        """Take in an update from elsewhere and say whether it changed anything.

        Raises MalformedUpdateError (nothing has changed) or DamagedDocumentError (load this replica again).
        """
        check_update(update)
        self._has_changed = False
        with self.capturing():
            apply_update(self._doc, update)
        self._bring_back()
        return self._has_changed

    def load(self, updates: Iterable[bytes]) -> None:
        """Take in what was stored by a replica of ours and has its checksum; raises DamagedDocumentError."""
        with self.capturing():
            for update in updates:
                apply_update(self._doc, update)

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────

    @property
    def files(self) -> Mapping[FileId, FileEntry]:
        """The files by id. Where two were given one path, the one with the smaller id keeps it."""
        if self._entries is None:
            self._tree = read_files(self._files.to_py(), self._changes_told())
            self._entries = self._tree.entries
        return self._entries

    @property
    def unsafe_paths(self) -> Mapping[FileId, str]:
        """Entries that are passed over because their path leads out of the project or is none, by id."""
        _ = self.files
        return self._tree.unsafe

    @property
    def main_file(self) -> FileId | None:
        """The file LaTeX is run on: as chosen, else `main.tex`, else the first `.tex`; None without any."""
        chosen = self._meta.get("main")
        if isinstance(chosen, str) and chosen in self.text_files:
            return FileId(chosen)
        by_path = {entry.path: entry.file_id for entry in self.text_files.values()}
        usual = usual_main(by_path)
        return by_path[usual] if usual is not None else None

    @main_file.setter
    def main_file(self, file_id: FileId) -> None:
        self._require(file_id)
        with self._local_tree_change():
            self._meta["main"] = file_id

    @property
    def text_files(self) -> Mapping[FileId, FileEntry]:
        """Those of the files that are text."""
        return {file_id: entry for file_id, entry in self.files.items() if entry.blob is None}

    @property
    def blob_files(self) -> Mapping[FileId, FileEntry]:
        """Those of the files that are binary."""
        return {file_id: entry for file_id, entry in self.files.items() if entry.blob is not None}

    def file_at(self, path: str) -> FileId | None:
        """Return the id of the file shown under `path`."""
        return next((entry.file_id for entry in self.files.values() if entry.path == path), None)

    def free_path(self, path: str) -> str:
        """Return `path`, with a number behind its name if another file has it."""
        return free_path(path, {entry.path for entry in self.files.values()})

    def add_file(
        self, path: str, text: str = "", file_id: FileId | None = None, *, spelling: TextFormat | None = None
    ) -> FileId:
        """Add a file; raises FilePathError when the path is not one or is taken.

        `file_id` is given where two replicas that do the same at once should make one file.
        """
        if spelling == PLAIN:
            spelling = None
        path = self._free_path(path)
        file_id = file_id or FileId(uuid4().hex)
        known = {**self.files, file_id: FileEntry(file_id, path, spelling=spelling)}
        said = {"spelling": spelling.to_map()} if spelling is not None else {}
        with self._local_tree_change(dict(sorted(known.items()))):
            self._files[file_id] = pycrdt.Map({"path": path, "kind": "text", **said})
            target = self._doc.get(TEXT_ROOT + file_id, type=pycrdt.Text)
            if text:
                target.insert(0, text)
        self._touch(file_id)
        return file_id

    def add_blob(self, path: str, blob: BlobRef, file_id: FileId | None = None) -> FileId:
        """Add a binary file; raises FilePathError when the path is not one or is taken."""
        path = self._free_path(path)
        file_id = file_id or FileId(uuid4().hex)
        with self._local_tree_change():
            self._files[file_id] = pycrdt.Map({"path": path, "kind": "blob", "blob": blob.to_map()})
        return file_id

    def bring_back_blob(self, file_id: FileId, path: str, blob: BlobRef) -> None:
        """Let a binary file that is removed be there again; raises FilePathError when the path is not one or is taken.

        Somebody else may do the same at once, or give the file that was there another content: each content is named as
        one that was set, so that the one that loses is known.
        """
        path, said = self._free_path(path), blob.to_map()
        with self._local_tree_change():
            self._files[file_id] = pycrdt.Map({"path": path, "kind": "blob", "blob": said, SET + blob.blob_hash: said})
            self._changed[change_key(file_id, blob.blob_hash)] = {"path": path, **said}

    def set_blob(self, file_id: FileId, blob: BlobRef) -> None:
        """Let a binary file have another content; what lost against the one before stays what is to be kept."""
        if file_id not in self.blob_files:
            raise UnknownFileError(file_id)
        lost = {SET + one.blob_hash for one in self.lost_blobs.get(file_id, ()) if one != blob}
        with self._local_tree_change():
            entry = self._files[file_id]
            for key in [key for key in entry if key.startswith(SET) and key not in lost]:
                del entry[key]
            entry[SET + blob.blob_hash] = blob.to_map()
            entry["blob"] = blob.to_map()
            self._forget_changes(file_id)  # after the entry: what is told of a file must not arrive before the file
            self._changed[change_key(file_id, blob.blob_hash)] = {"path": entry["path"], **blob.to_map()}

    @property
    def lost_blobs(self) -> Mapping[FileId, Sequence[BlobRef]]:
        """Contents that lost against what files have now, given to them by somebody who did not know of that."""
        _ = self.files
        return self._tree.lost

    def keep_lost_blob(self, file_id: FileId, blob: BlobRef, path: str | None) -> None:
        """Let a content that lost be a file of its own; None: it is in the project already.

        Two replicas that do so at once make one file. Raises FilePathError when the path is not one or is taken.
        """
        copy_id = FileId(uuid5(NAMESPACE_OID, f"{file_id} {blob.blob_hash}").hex)
        if path is not None and copy_id not in self.files:
            self.add_blob(path, blob, copy_id)
        with self._local_tree_change():
            self._files[file_id].pop(SET + blob.blob_hash, None)
            self._changed.pop(change_key(file_id, blob.blob_hash), None)

    @property
    def changed_while_removed(self) -> Mapping[FileId, Sequence[ChangedBlob]]:
        """Binary files that somebody gave another content without knowing that they are removed: they are to return."""
        known = self.files
        return {file_id: changes for file_id, changes in self._changes_told().items() if file_id not in known}

    def _changes_told(self) -> Mapping[FileId, Sequence[ChangedBlob]]:
        """Return which contents were given to binary files, each by somebody who did not know of the others."""
        if self._changes is None:
            told = read_changes(self._changed.to_py())
            self._changes = {FileId(file_id): changes for file_id, changes in told.items()}
        return self._changes

    def return_blobs(self, file_id: FileId) -> None:
        """Let a binary file be there again that was changed while it was removed; each of its contents, if several.

        Two replicas that do so at once make the same files.
        """
        for number, changed in enumerate(self.changed_while_removed.get(file_id, ())):
            if number == 0:
                self.bring_back_blob(file_id, self.free_path(changed.path), changed.blob)
            else:
                self.keep_lost_blob(file_id, changed.blob, self.free_path(changed.path))

    def _forget_changes(self, file_id: FileId) -> None:
        """What lost and is not kept yet was seen by nobody here: that is not forgotten."""
        lost = {change_key(file_id, one.blob_hash) for one in self._tree.lost.get(file_id, ())}
        for key in [key for key in self._changed if key.startswith(change_key(file_id)) and key not in lost]:
            del self._changed[key]

    def set_spelling(self, file_id: FileId, spelling: TextFormat) -> None:
        """Let the file of a text be written in another way, everywhere."""
        if file_id not in self.text_files:
            raise UnknownFileError(file_id)
        if spelling != (self.files[file_id].spelling or PLAIN):
            with self._local_tree_change():
                self._files[file_id]["spelling"] = spelling.to_map()

    def rename_file(self, file_id: FileId, path: str) -> None:
        """Give a file another path; its text, history and cursors stay."""
        self._require(file_id)
        path = self._free_path(path)
        with self._local_tree_change():
            self._files[file_id]["path"] = path

    def remove_file(self, file_id: FileId) -> None:
        """Take a file out of the tree; its text stays in the history.

        What arrives for that text later was typed by somebody who did not know of this: then the file comes back.
        """
        self._require(file_id)
        entry = self.files[file_id]
        if entry.blob is None:
            self._remember_removed(file_id, RemovedText(entry.path, entry.spelling))
        with self._local_tree_change():
            del self._files[file_id]
            self._forget_changes(file_id)

    @property
    def removed_here(self) -> Mapping[FileId, RemovedText]:
        """The texts that this replica took out of the tree; the latest ones."""
        return self._removed.paths

    def remember_removed(self, removed: Mapping[str, RemovedText]) -> None:
        """Know again, after a restart, which texts were removed here (`removed_here`)."""
        for file_id, text in removed.items():
            if file_id not in self.files and is_safe_path(text.path):
                self._remember_removed(FileId(file_id), text)

    def _remember_removed(self, file_id: FileId, text: RemovedText) -> None:
        self._removed.watch(file_id, text, self._doc.get(TEXT_ROOT + file_id, type=pycrdt.Text))

    @property
    def folders(self) -> frozenset[str]:
        """Paths of folders that are there also without a file in them; others are there through their files."""
        if self._folder_paths is None:
            self._folder_paths = frozenset(path for path in self._folders if is_safe_path(path))
        return self._folder_paths

    def add_folder(self, path: str) -> None:
        """Have a folder at `path`, also without a file in it; raises FilePathError."""
        if not is_safe_path(path):
            raise FilePathError(f"not a path inside a project: {path!r}")
        if path not in self.folders:
            with self._local_tree_change():
                self._folders[path] = 1

    def remove_folder(self, path: str) -> None:
        """Have a folder only as long as files are in it."""
        if path in self.folders:
            with self._local_tree_change():
                del self._folders[path]

    def text(self, file_id: FileId) -> FileText:
        """Return the text of a file; the same object every time. Raises UnknownFileError, also for a binary file."""
        self._require(file_id)
        if self.files[file_id].blob is not None:
            raise UnknownFileError(file_id)
        return self._text_of(file_id)

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────

    def edit_text(self, file_id: FileId, text: pycrdt.Text, start: int, end: int, new: str) -> None:
        """Replace a UTF-8 range in one transaction of the person at this replica: what every key press comes to."""
        self._is_local = True
        try:
            with self._doc.transaction(origin=LOCAL_ORIGIN):
                if end > start:
                    del text[start:end]
                if new:
                    text.insert(start, new)
        finally:
            self._is_local = False
        self.on_file_touched(file_id)

    @contextmanager
    def capturing(self, *, is_local: bool = False) -> Iterator[None]:
        """Report in detail, afterwards, what transactions inside do to texts that are followed."""
        self._watch_unfollowed()
        followed = [text for text in self._texts.values() if text.is_followed]
        with ExitStack() as stack:
            for text in followed:
                stack.enter_context(text.observing())
            if is_local:
                stack.enter_context(self._acting_locally())
            yield
        for text in followed:
            if text.publish():
                self._touched.add(text.file_id)
        self._publish_tree()
        self._publish_touched()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _acting_locally(self) -> Iterator[None]:
        self._is_local = True
        try:
            yield
        finally:
            self._is_local = False

    @contextmanager
    def _local_tree_change(self, entries: Mapping[FileId, FileEntry] | None = None) -> Iterator[None]:
        """`entries`: the files afterwards, where that is known: to read them all costs more than a change."""
        with self._acting_locally(), self._doc.transaction(origin=LOCAL_ORIGIN):
            yield
        if entries is not None:
            self._entries = entries
        self._publish_tree()

    def _on_transaction(self, event: pycrdt.TransactionEvent) -> None:
        self._has_changed = True
        self._removed.note(event, is_local=self._is_local)
        self.on_update(event.update, self._is_local)

    def _on_tree(self, _event: object) -> None:
        self._entries = None
        self._folder_paths = None
        self._tree_changed = True

    def _on_changes(self, event: object) -> None:
        self._changes = None
        self._on_tree(event)

    def _on_text(self, file_id: FileId, _event: pycrdt.TextEvent) -> None:
        self._touched.add(file_id)

    def _bring_back(self) -> None:
        if self._removed:
            self._removed.forget(self.files)
        for file_id, text, writers in self._removed.take_typed_in():
            self.add_file(self.free_path(text.path), file_id=file_id, spelling=text.spelling)
            self.on_file_returned(file_id, writers)

    def _publish_tree(self) -> None:
        if self._tree_changed:
            self._tree_changed = False
            self.on_files_changed()

    def _publish_touched(self) -> None:
        touched, self._touched = self._touched, set()
        for file_id in touched:
            self.on_file_touched(file_id)

    def _touch(self, file_id: FileId) -> None:
        self._touched.add(file_id)
        self._publish_touched()

    def _text_of(self, file_id: FileId) -> FileText:
        text = self._texts.get(file_id)
        if text is None:
            root = self._doc.get(TEXT_ROOT + file_id, type=pycrdt.Text)
            text = self._texts[file_id] = FileText(self, file_id, root)
        return text

    def _watch_unfollowed(self) -> None:
        """Keep a cheap watch on every text nobody follows, so that it is known which files changed."""
        for file_id, entry in self.files.items():
            if file_id in self._watches or entry.blob is not None:
                continue
            root = self._doc.get(TEXT_ROOT + file_id, type=pycrdt.Text)
            self._watches[file_id] = root.observe(held_weakly(self._on_text, file_id))

    def _require(self, file_id: FileId) -> None:
        if file_id not in self.files:
            raise UnknownFileError(file_id)

    def _free_path(self, path: str) -> str:
        if not is_safe_path(path):
            raise FilePathError(f"not a path inside a project: {path!r}")
        if self.file_at(path) is not None:
            raise FilePathError(f"taken: {path!r}")
        return path


def _ignore(*_args: object) -> None:
    pass
