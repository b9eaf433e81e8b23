"""The data folder: is it there, whose is it, is there room, and is the database in it sound?"""

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Final

from texswarm_server.cli.diagnosis.finding import Finding, fine, note, problem, warning
from texswarm_server.cli.output import count_of, size
from texswarm_server.protocol.errors import NotReadableError, NotWritableError
from texswarm_server.storage.blob_backup import named_blobs
from texswarm_server.storage.blob_store import blob_path, blobs_folder
from texswarm_server.storage.damage import find_loss
from texswarm_server.storage.migrations import SCHEMA_VERSION
from texswarm_server.storage.read_only import open_read_only
from texswarm_server.storage.store import database_path

_FOLDER: Final = "data"
_DISK: Final = "disk"
_DATABASE: Final = "database"
_BLOBS: Final = "binary files"
_MOUNTS: Final = Path("/proc/mounts")
_FAR_AWAY: Final = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs", "davfs")
_LITTLE_BYTES: Final = 1024**3
_TOO_LITTLE_BYTES: Final = 64 * 1024**2
_QUICK_BELOW_BYTES: Final = 256 * 1024**2
_COUNTS: Final = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM users)"
_LONG_LOG_BYTES: Final = 512 * 1024**2


def check_storage(data: Path, mounts: Path = _MOUNTS) -> list[Finding]:
    """Return what is to be said of the data folder and what lies in it. `mounts`: where the system lists its disks."""
    data = data.absolute()
    if not data.exists():
        return [_check_place(data), *_check_disk(_existing_above(data), mounts)]
    unusable = _check_folder(data)
    if unusable is not None:
        return [unusable]
    return [
        *_check_privacy(data),
        *_check_disk(data, mounts),
        *_check_database(database_path(data)),
        *_check_blobs(data),
    ]


def newest_record(data: Path) -> float | None:
    """Return the latest time that stands in the database, in seconds since the epoch; None where it tells none."""
    try:
        with closing(open_read_only(database_path(data))) as database:
            (newest,) = database.execute("SELECT max(updated_at) FROM documents").fetchone()
            return None if newest is None else float(newest)
    except (NotReadableError, sqlite3.Error):
        return None


def _check_place(data: Path) -> Finding:
    above = _existing_above(data)
    if not os.access(above, os.W_OK | os.X_OK):
        remedy = f"mkdir -p {data} && chown {_me()} {data}"
        return problem(_FOLDER, f"{data} does not exist, and {above} may not be written by {_me()}", remedy)
    return note(_FOLDER, f"{data} does not exist yet and is made when the server starts", "is it the one you mean?")


def _check_folder(data: Path) -> Finding | None:
    if not data.is_dir():
        return problem(_FOLDER, f"{data} is not a folder", "give a folder as data")
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        owner = _owner(data)
        remedy = f"run as its owner (sudo -u {owner} …), or chown -R {_me()} {data}"
        return problem(_FOLDER, f"{data} belongs to {owner} and may not be used by {_me()}", remedy)
    return None


def _check_privacy(data: Path) -> list[Finding]:
    if os.name == "posix" and stat.S_IMODE(data.stat().st_mode) & stat.S_IRWXO:
        return [warning(_FOLDER, f"everybody on this machine can look into {data}", f"chmod 700 {data}")]
    return [fine(_FOLDER, f"{data}, of {_owner(data)} only")]


def _check_disk(folder: Path, mounts: Path) -> list[Finding]:
    usage = shutil.disk_usage(folder)
    says = f"{size(usage.free)} of {size(usage.total)} free"
    findings = [fine(_DISK, says)]
    if usage.free < _TOO_LITTLE_BYTES:
        findings = [
            problem(_DISK, f"only {says}: edits are refused when it is full", "make room, or move the data folder")
        ]
    elif usage.free < _LITTLE_BYTES:
        findings = [warning(_DISK, f"only {says}", "make room, or move the data folder")]
    kind = _file_system(folder, mounts)
    if kind.startswith(_FAR_AWAY):
        says = f"{folder} is on a network file system ({kind}), where SQLite cannot keep its promises"
        findings.append(problem(_DISK, says, "put the data folder on a disk of this machine; send backups elsewhere"))
    return findings


def _file_system(folder: Path, mounts: Path) -> str:
    """Return the kind of file system a folder is on, empty where the system does not tell."""
    best, kind = "", ""
    try:
        lines = mounts.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) > 2 and folder.resolve().is_relative_to(fields[1]) and len(fields[1]) >= len(best):
            best, kind = fields[1], fields[2]
    return kind


# ── the database ────────────────────────────────────────────────────────────────────────────────────────


def _check_database(path: Path) -> list[Finding]:
    try:
        if loss := find_loss(path):
            remedy = (
                "start the server, which shows what can be read, then take that or put the latest backup in its place"
            )
            return [problem(_DATABASE, f"{path} is damaged: {loss}", remedy)]
        with closing(open_read_only(path)) as database:
            return [*_check_version(database, path), *_check_log(path)]
    except NotReadableError:
        if path.exists():
            return [problem(_DATABASE, f"{path} cannot be read", f"give it to the server's user: chown {_me()} {path}")]
        return [note(_DATABASE, "there is none yet; it is made when the server starts")]
    except (sqlite3.Error, NotWritableError) as error:
        remedy = "stop the server, run `texswarm-server check`, and put the latest backup in its place"
        return [problem(_DATABASE, f"{path} cannot be read: {error}", remedy)]


def _check_version(database: sqlite3.Connection, path: Path) -> list[Finding]:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        says = f"{path} was written by a newer program (schema {version}, this one knows {SCHEMA_VERSION})"
        return [problem(_DATABASE, says, "install that version again: pip install --upgrade texswarm")]
    if version < SCHEMA_VERSION:
        says = f"{path} is of an older program (schema {version}) and is brought up to date when it is next opened"
        return [note(_DATABASE, says, f"keep a copy first: texswarm-server backup --data {path.parent} FILE")]
    return [_check_content(database, path)]


def _check_content(database: sqlite3.Connection, path: Path) -> Finding:
    bytes_used = path.stat().st_size
    is_small = bytes_used < _QUICK_BELOW_BYTES
    found = [row[0] for row in database.execute("PRAGMA quick_check(1)")] if is_small else ["ok"]
    if found != ["ok"]:
        remedy = "run `texswarm-server check`, then put the latest backup in its place"
        return problem(_DATABASE, f"{path} is damaged: {found[0]}", remedy)
    documents, users = database.execute(_COUNTS).fetchone()
    says = f"{size(bytes_used)}, {count_of(documents, 'document')}, {count_of(users, 'user')}"
    return fine(_DATABASE, says if is_small else f"{says}; `texswarm-server check` looks through all of it")


def _check_log(path: Path) -> list[Finding]:
    log = path.with_name(path.name + "-wal")
    length = log.stat().st_size if log.exists() else 0
    if length < _LONG_LOG_BYTES:
        return []
    says = f"the log beside the database has grown to {size(length)}: something has been reading for long"
    return [warning(_DATABASE, says, "end other programs that have it open, or restart the server")]


def _check_blobs(data: Path) -> list[Finding]:
    """Whether the binary files that the database names are there; what is in them `check` looks through."""
    folder = blobs_folder(data)
    try:
        with closing(open_read_only(database_path(data))) as database:
            named = named_blobs(database)
    except (NotReadableError, sqlite3.Error):
        return []
    if folder.exists() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        says = f"{folder} belongs to {_owner(folder)} and may not be used by {_me()}"
        return [problem(_BLOBS, says, f"chown -R {_me()} {folder}")]
    missing = [blob_hash for blob_hash, _ in named if not blob_path(folder, blob_hash).is_file()]
    if missing:
        says = f"{len(missing)} of {len(named)} are not in {folder}"
        remedy = "put the folder of the backup there; what nobody has any more stays away"
        return [problem(_BLOBS, says, remedy)]
    if not named:
        return []
    return [fine(_BLOBS, f"{len(named)}, {size(sum(each for _, each in named))}")]


def _existing_above(path: Path) -> Path:
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError, NotImplementedError):
        return "somebody else"


def _me() -> str:
    try:
        import pwd  # noqa: PLC0415 - Windows has none

        return pwd.getpwuid(os.geteuid()).pw_name
    except (ImportError, KeyError):
        return os.environ.get("USERNAME", "this user")
