"""`backup`, `check`, `accept-recovered` and `keys`: what keeps a server in good order."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from texswarm_server.cli.arguments import Commands, add_group, add_listing, data_folder
from texswarm_server.cli.changed import change_and_tell
from texswarm_server.cli.database import reading
from texswarm_server.cli.output import count_of, for_programs, plain, say, say_json, size
from texswarm_server.sessions.administration import rotate_keys
from texswarm_server.sessions.audit import OPERATOR
from texswarm_server.storage.backup import backup
from texswarm_server.storage.blob_backup import backup_folder
from texswarm_server.storage.integrity import IntegrityReport, Problem, check
from texswarm_server.storage.recovery import accept_recovered, database_in_use
from texswarm_server.storage.store import database_path

_STEPS: Final = 100


def add(commands: Commands) -> None:
    """Add the commands."""
    parser = add_listing(commands, "backup", _backup, "copy everything into one file, also while the server runs")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="file to write; an older backup of that name is replaced"
    )
    add_listing(commands, "check", _check, "look whether everything is as it was written, also while the server runs")
    text = "put what was recovered of a damaged database in its place, while no server runs"
    add_listing(commands, "accept-recovered", _accept_recovered, text)
    group = add_group(commands, "keys", "change the keys that access tokens are signed with")
    rotate = add_listing(group, "rotate", _rotate, "sign access tokens with a new key from now on")
    rotate.add_argument(
        "--drop-old", action="store_true", help="accept no token of earlier keys; programs renew theirs by themselves"
    )


def _backup(options: argparse.Namespace) -> int:
    made = backup(data_folder(options), options.file, on_progress=_Progress("copied"))
    if options.json:
        say_json({**for_programs(made), "path": str(made.path)})
    else:
        say(f"{made.path}: {size(made.size_bytes)}, {count_of(made.documents, 'document')}.")
        if made.blobs.count:
            figures = count_of(made.blobs.count, "binary file")
            say(f"{backup_folder(made.path)}: {size(made.blobs.size_bytes)}, {figures}.")
        for blob_hash in made.blobs.missing:
            say(f"missing or damaged, and not copied: binary file {blob_hash}")
    return 0


def _check(options: argparse.Namespace) -> int:
    report = check(data_folder(options), on_progress=_Progress("looked through"))
    if options.json:
        say_json({**for_programs(report), "path": str(report.path), "is_sound": report.is_sound})
    else:
        for line in _told(report):
            say(plain(line))
    return int(not report.is_sound)


def _told(report: IntegrityReport) -> list[str]:
    content = (
        f"{count_of(report.documents, 'document')}, {count_of(report.updates, 'update')}, {size(report.content_bytes)},"
        f" {count_of(report.versions, 'former state')}, {count_of(report.blobs, 'binary file')} of"
        f" {size(report.blob_bytes)}"
    )
    if report.is_sound:
        return [f"{report.path}: sound. {content}."]
    found = count_of(len(report.problems), "problem")
    return [f"{report.path}: {found}. {content}.", *map(_problem, report.problems), *_way_out(report)]


def _way_out(report: IntegrityReport) -> list[str]:
    in_use = database_in_use(report.path.parent)
    if in_use == report.path:
        return []
    return [f"What can be read is in {in_use}: put a backup back, or take that with `accept-recovered`."]


def _problem(problem: Problem) -> str:
    place = f"document {problem.document_id}: " if problem.document_id else ""
    return f"  {problem.kind}: {place}{problem.detail}"


def _accept_recovered(options: argparse.Namespace) -> int:
    data = data_folder(options)
    aside = accept_recovered(data, actor=OPERATOR, now=time.time())
    with reading(data) as overview:
        documents, users = len(overview.documents()), len(overview.users())
    if options.json:
        say_json({"path": str(database_path(data)), "damaged": str(aside), "documents": documents, "users": users})
    else:
        counts = f"{count_of(documents, 'document')}, {count_of(users, 'user')}"
        damaged = f" The damaged one is {aside}." if aside.exists() else ""
        say(f"{database_path(data)} is what was recovered now: {counts}.{damaged}")
    return 0


def _rotate(options: argparse.Namespace) -> int:
    return change_and_tell(
        options,
        lambda to: rotate_keys(to.records, actor=to.actor, random=os.urandom, now=to.now, drop_old=options.drop_old),
    )


class _Progress:
    """Shows on a terminal how far something is, in steps of a hundredth."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._shown = -1

    def __call__(self, done: int, of_all: int) -> None:
        step = _STEPS * done // of_all if of_all else _STEPS
        if step == self._shown or not sys.stderr.isatty():
            return
        self._shown = step
        end = "\r\x1b[K" if step == _STEPS else ""
        print(f"\r{self._word} {step} %{end}", end="", file=sys.stderr, flush=True)  # noqa: T201
