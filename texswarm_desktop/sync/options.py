"""The command line of `texswarm sync`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from texswarm_desktop.core.joining import Choice

_PATIENCE_S: Final = 30.0
_DESCRIPTION: Final = """\
Keep a folder the same as a document on a server, without a window: for another editor, for a machine that builds, for
scripts. It goes on until it is ended (Ctrl-C, SIGTERM), over lost links and restarts of the server.
"""
_EPILOG: Final = """\
what happens to the folder:
  no files, or not there     the document arrives in it
  files, and an empty document, or a link to a server only
                             the files go there; with a server only, the link for others is printed
  in sync with it before     what either side lacks is exchanged; LINK may be left out
  files of another history   nothing happens (exit status 3) until you choose --take theirs or --keep-both
  a copy of the same origin  nothing happens (exit status 3) until you choose one of these, or --merge
  open in another program    that one keeps it in sync; this one tells how it stands, and takes over when it lets go.
                             With --once it ends when the other one has brought everything to rest

exit status:
  0 done, or ended as asked    1 failed (disk, network, a figure that nobody has)    2 wrong command line
  3 two different histories    4 the server says no (invitation, role, removed)

Status lines go to standard error. With --json they, and everything else, go to standard output, one object a line:
  {"event": "status", "state": "live", "text": "Connected · all changes saved", "waiting": 0}
  {"event": "attached", "program": "texswarm", "pid": 7, "host": "…"}
                                                another program has the folder; all that follows is then that one's.
                                                With nulls: it let go, and this one keeps the folder from now on
  {"event": "link", "link": "texswarm://…", "document": "…"}
  {"event": "problem", "sentence": "…"}         something is wrong; null: no longer
  {"event": "file_problem", "path": "…", "sentence": "…"}       … with one file, and the others go on;
                                                with "is_note": true it is not shared, as it should be
  {"event": "transfer", "sending": {"done": …, "total": …, "files": 1}, "fetching": null}
                                                bytes of figures, once a second while they take longer than that
  {"event": "left", "edits": 0, "figures": 1}   at the end: what the server has not stored; the next run sends it
  {"event": "aside", "kept": "backup" | "copy", "folder": "…"}
  {"event": "plan", "road": "…"}                with --dry-run: what would happen …
  {"event": "file", "path": "…", "change": "changed", "added": 1, "removed": 2}        … and to which file
  {"event": "ended", "status": 0, "code": "", "sentence": "", "choices": []}
`state` is one of idle, connecting, authenticating, syncing, live, waiting, offline, needs_user, closed.
"""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What was asked for. `patience_s`: how long, with `once`, to wait for a server that does not let us in."""

    folder: Path
    link: str | None = None
    once: bool = False
    as_json: bool = False
    choice: Choice = Choice.ASK
    dry_run: bool = False
    name: str = ""
    profile: Path | None = None
    patience_s: float = _PATIENCE_S


def parse(arguments: Sequence[str]) -> SyncOptions:
    """Read the arguments after `sync`; leaves the program with status 2 when they are wrong."""
    given = _parser().parse_intermixed_args(arguments)
    folder, link = given.folder, given.link
    if link is None and _is_link(folder):
        folder, link = ".", folder
    choice = Choice.TAKE_THEIRS if given.take else Choice.KEEP_BOTH if given.keep_both else Choice.ASK
    choice = Choice.MERGE if given.merge else choice
    return SyncOptions(
        folder=Path(folder).expanduser().absolute(),
        link=link,
        once=given.once,
        as_json=given.json,
        choice=choice,
        dry_run=given.dry_run,
        name=given.name,
        profile=given.profile_dir,
        patience_s=given.patience,
    )


def _parser() -> argparse.ArgumentParser:
    reader = argparse.ArgumentParser(
        prog="texswarm sync",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reader.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="without it, the one you are in")
    reader.add_argument(
        "link", nargs="?", metavar="LINK", help="an invitation; may be left out for a folder that knows its server"
    )
    reader.add_argument("--once", action="store_true", help="end when both sides are the same and durably stored")
    reader.add_argument("--json", action="store_true", help="tell programs what happens, as described below")
    choice = reader.add_mutually_exclusive_group()
    choice.add_argument(
        "--take",
        choices=["theirs"],
        help="of two different histories take the server's; what is in the folder is put into .texswarm/backups first",
    )
    choice.add_argument(
        "--keep-both",
        action="store_true",
        help="of two different histories keep both: the folder becomes a copy beside, a project of its own",
    )
    choice.add_argument(
        "--merge",
        action="store_true",
        help="a copy of the same origin, which became a project of its own: write on in one, with what is in both",
    )
    reader.add_argument("--dry-run", action="store_true", help="only say what would happen, file by file")
    reader.add_argument("--name", default="", help="what others read of you")
    reader.add_argument("--profile-dir", type=Path, metavar="DIR", help="keep sign-ins in DIR, apart from all others")
    reader.add_argument(
        "--patience",
        type=_seconds,
        default=_PATIENCE_S,
        metavar="SECONDS",
        help="with --once: how long to wait for a server that does not answer, or for a figure that it does not have"
        " (default: %(default)g)",
    )
    return reader


def _is_link(word: str) -> bool:
    return "://" in word


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds
