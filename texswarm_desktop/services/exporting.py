"""Gives a project out: as an archive of its folder, or as a bundle for arXiv. Every function blocks.

Files go in as they are on disk, in their own encoding, in the order of their names, so that the same folder gives the
same archive. Written beside and moved into place.
"""

import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from texswarm_desktop.core.arxiv_bundle import Advice, Bundle, BundleFile, Remark, plan_bundle
from texswarm_desktop.core.main_candidates import main_candidate
from texswarm_desktop.core.project_files import is_project_folder, is_project_text, is_usual
from texswarm_desktop.core.text_bytes import MAX_TEXT_BYTES, DecodedText, decode_text, encode_text
from texswarm_desktop.core.zip_check import is_given_out
from texswarm_desktop.services.atomic_file import TEMPORARY_PREFIX, sync_folder
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.folder_walk import FolderWalk, Walked
from texswarm_desktop.services.unzip import PROJECT_COMMENT, Progress
from texswarm_server.document.text_format import PLAIN
from texswarm_server.protocol.errors import NoMainFileError, NotReadableError

_PIECE_BYTES: Final = 256 * 1024
_FIRST_YEAR: Final = 1980
#: What packs badly because it is packed already.
_PACKED: Final = (".png", ".jpg", ".jpeg", ".gif", ".zip", ".gz", ".xz", ".bz2", ".mp4", ".webp")
_PLAIN_FILE: Final = 0o100644
_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What went out: how many files and bytes, into which archive, and what of the folder is not in it."""

    archive: Path
    files: int
    size_bytes: int
    left_out: tuple[str, ...] = ()
    bundle: Bundle | None = None


def export_zip(folder: Path, archive: Path, progress: Progress) -> ExportReport:
    """Pack a project's folder as it is: without its own state, build products, and what is ignored.

    Raises NotReadableError or NotWritableError, and what `progress` raises; the archive is as before then.
    """
    walked = _walked(folder, archive)
    with _writing(archive, PROJECT_COMMENT) as packed:
        done, total = 0, sum(_size(folder / path) for path in walked.files)
        entries = sorted([*walked.files, *(f"{path}/" for path in _empty_folders(walked))])
        for path in entries:
            progress(done, total)
            done += _pack(packed, path, folder / path)
        progress(total, total)
    return ExportReport(archive, len(walked.files), _size(archive), tuple(walked.left_out))


def export_arxiv(
    folder: Path, archive: Path, progress: Progress, *, main: str | None = None, keep_comments: bool = False
) -> ExportReport:
    """Pack what the document of `main` needs, flattened; without `main` it is looked for.

    Raises NoMainFileError, and as `export_zip`.
    """
    files = {path: _size(folder / path) for path in _every_file(folder, archive)}
    texts = dict(_texts(folder, files, progress))
    main = main if main in texts else main_candidate({path: one.text for path, one in texts.items()})
    if main is None:
        raise NoMainFileError(str(folder))
    bundle = plan_bundle(
        main,
        files,
        {path: one.text for path, one in texts.items()},
        encodings={path: one.format.encoding for path, one in texts.items() if not one.text.isascii()},
        keep_comments=keep_comments,
    )
    own = frozenset(_walked(folder, archive).files)
    bundle = replace(
        bundle,
        left_out=tuple(path for path in bundle.left_out if path in own),
        remarks=(*bundle.remarks, *_remarks_on_age(folder, bundle, files)),
    )
    with _writing(archive, b"") as packed:
        for number, one in enumerate(bundle.files):
            progress(number, len(bundle.files))
            _pack_bundled(packed, folder, one, texts)
    return ExportReport(archive, len(bundle.files), _size(archive), bundle.left_out, bundle)


def _walked(folder: Path, archive: Path) -> Walked:
    """What the project is made of; never the archive itself, nor an older one in its place."""
    own = archive.absolute()
    walk = FolderWalk(
        folder,
        takes=lambda path: is_given_out(path) and (folder / path).absolute() != own,
        brings_in=lambda _: True,
    )
    return walk.walk()


def _every_file(folder: Path, archive: Path) -> Iterator[str]:
    """Yield all files a document may need, also such that are ignored: figures and bibliographies are often made."""

    def refuse(error: OSError) -> None:
        raise NotReadableError(f"{error.filename}: {error.strerror}") from error

    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if is_project_folder(name))
        for name in sorted(names):
            path = Path(root, name)
            relative = path.relative_to(folder).as_posix()
            if is_given_out(relative) and not path.is_symlink() and path.absolute() != archive.absolute():
                yield relative


def _texts(folder: Path, files: Mapping[str, int], progress: Progress) -> Iterator[tuple[str, DecodedText]]:
    for path, size in files.items():
        if is_project_text(path) and is_usual(path) and size <= MAX_TEXT_BYTES:
            progress(0, 0)
            decoded = decode_text(_read(folder / path))
            if decoded is not None:
                yield path, decoded


def _remarks_on_age(folder: Path, bundle: Bundle, files: Mapping[str, int]) -> Iterator[Remark]:
    """A bibliography that was made before the last change of what it is made of may lack entries."""
    made = [one.source for one in bundle.files if one.source.endswith(".bbl")]
    sources = [path for path in files if path.endswith(".bib")]
    for path in made:
        if any(_modified(folder / source) > _modified(folder / path) for source in sources):
            yield Remark(Advice.BBL_OLD, path)


def _empty_folders(walked: Walked) -> list[str]:
    """Folders that nothing else in the archive would make."""
    made = {parent for path in walked.files for parent in _above(path)}
    left = {parent for path in walked.left_out for parent in _above(path)}
    inner = {parent for folder in walked.folders for parent in _above(folder)}
    return [folder for folder in walked.folders if folder and folder not in made | left | inner]


def _above(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _writing(archive: Path, comment: bytes) -> Iterator[zipfile.ZipFile]:
    """A new archive, which takes the place of an old one when the block has ended well."""
    temporary = archive.with_name(f"{TEMPORARY_PREFIX}{uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.comment = comment
                yield packed
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(archive)
    except OSError as error:
        raise not_writable(archive, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    sync_folder(archive.parent)


def _pack(packed: zipfile.ZipFile, name: str, source: Path) -> int:
    """Add a file, or the mark of a folder, and return its size."""
    entry = _entry(name, _modified(source))
    if name.endswith("/"):
        packed.writestr(entry, b"")
        return 0
    try:
        file = source.open("rb")
    except OSError as error:
        raise NotReadableError(f"{source}: {error.strerror}") from error
    size = 0
    with file, packed.open(entry, "w", force_zip64=_size(source) > zipfile.ZIP64_LIMIT) as written:
        while piece := file.read(_PIECE_BYTES):
            written.write(piece)
            size += len(piece)
    return size


def _pack_bundled(packed: zipfile.ZipFile, folder: Path, one: BundleFile, texts: Mapping[str, DecodedText]) -> None:
    if one.text is None:
        _pack(packed, one.path, folder / one.source)
        return
    spelled = texts[one.source].format if one.source in texts else PLAIN
    modified = _modified(folder / one.source) if one.source else 0.0
    packed.writestr(_entry(one.path, modified), encode_text(one.text, spelled))


def _entry(name: str, modified: float) -> zipfile.ZipInfo:
    moment = time.gmtime(max(0.0, modified))[:6]
    entry = zipfile.ZipInfo(name, moment if moment[0] >= _FIRST_YEAR else (_FIRST_YEAR, 1, 1, 0, 0, 0))
    entry.create_system = _UNIX
    entry.external_attr = (0o040755 << 16 | 0x10) if name.endswith("/") else _PLAIN_FILE << 16
    entry.compress_type = zipfile.ZIP_STORED if name.lower().endswith(_PACKED) else zipfile.ZIP_DEFLATED
    return entry


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotReadableError(f"{path}: {error.strerror}") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise NotReadableError(f"{path}: {error.strerror}") from error


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError as error:
        raise NotReadableError(f"{path}: {error.strerror}") from error
