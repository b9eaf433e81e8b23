"""Runs `texswarm import` and `texswarm export`, and chooses the last words.

What was done is one line on standard error; what was left out, and why, goes to standard output, a line each.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from texswarm_desktop.services.exporting import ExportReport, export_arxiv, export_zip
from texswarm_desktop.services.importing import ImportReport, import_project
from texswarm_desktop.services.unzip import Progress
from texswarm_desktop.ui.error_texts import text_of
from texswarm_desktop.ui.transfer_texts import REFUSAL_WORDS, advice_words, file_count, size_words
from texswarm_server.protocol.errors import CloneError, TexSwarmError, TransferCancelledError

_FAILED: Final = 1
_INTERRUPTED: Final = 130
_STATUS: Final = """\
exit status:
  0 done    1 failed    2 wrong command line    130 ended by Ctrl-C or SIGTERM; nothing is left behind then
"""
_IMPORT: Final = """\
Bring a project in: a zip archive (a download from Overleaf, say), or a git repository by its address (https, ssh). It
arrives whole in FOLDER, which must be empty or not there yet. Of an archive, what could do harm is left out: names that
lead elsewhere, links, bombs, and files that programs obey. Each is listed on standard output with the reason.
"""
_EXPORT: Final = """\
Pack the project in FOLDER: as it is, without build products and what is ignored, or with --arxiv only what its document
needs, put into as few files as possible, under names that arXiv takes, with the .bbl. What was left out, what is
missing, and what to look at is listed on standard output.
"""


def import_main(arguments: Sequence[str]) -> int:
    """Run `texswarm import`; returns the exit status."""
    reader = _reader("import", _IMPORT)
    reader.add_argument("source", metavar="ZIP-OR-URL")
    reader.add_argument("folder", type=Path, metavar="FOLDER")
    given = reader.parse_args(arguments)
    folder = given.folder.expanduser().absolute()
    if Path(given.source).expanduser().is_dir():
        reader.error(f"{given.source} is a folder, a project as it is: `texswarm {given.source}` opens it")
    return _ended("import", lambda progress: _tell(*_imported(import_project(given.source, folder, progress))))


def export_main(arguments: Sequence[str]) -> int:
    """Run `texswarm export`; returns the exit status."""
    reader = _reader("export", _EXPORT)
    reader.add_argument("folder", type=Path, metavar="FOLDER")
    reader.add_argument("archive", type=Path, metavar="OUT.zip")
    reader.add_argument("--arxiv", action="store_true", help="a bundle that can be sent to arXiv")
    reader.add_argument("--main", metavar="FILE", help="with --arxiv: the main file, where it is not the obvious one")
    reader.add_argument("--keep-comments", action="store_true", help="with --arxiv: leave comments in the sources")
    given = reader.parse_args(arguments)
    folder, archive = given.folder.expanduser().absolute(), given.archive.expanduser().absolute()
    if given.main is not None and not (folder / given.main).is_file():
        reader.error(f"there is no {given.main} in {folder}")

    def work(progress: Progress) -> None:
        if given.arxiv:
            report = export_arxiv(folder, archive, progress, main=given.main, keep_comments=given.keep_comments)
        else:
            report = export_zip(folder, archive, progress)
        _tell(*_exported(report))

    return _ended("export", work)


def _reader(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"texswarm {name}",
        description=description,
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _ended(name: str, work: Callable[[Progress], None]) -> int:
    """Do the work, and say in one line what went wrong, if anything."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        work(_until_signalled())
    except TransferCancelledError:
        _say(f"texswarm {name}: cancelled", sys.stderr)
        return _INTERRUPTED
    except TexSwarmError as error:
        text = text_of(error)
        said = f" ({error.detail})" if isinstance(error, CloneError) and error.detail else ""
        _say(f"texswarm {name}: {text.title}: {text.sentence}{said}", sys.stderr)
        return _FAILED
    return 0


def _until_signalled() -> Progress:
    """Return what ends the work where it can be ended; an exception out of a signal may come between any two lines."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: signals.append(number))

    def progress(_done: int, _all: int) -> None:
        if signals:
            raise TransferCancelledError

    return progress


def _tell(summary: str, details: Iterator[str]) -> None:
    for line in details:
        _say(line, sys.stdout)
    _say(summary, sys.stderr)


def _say(line: str, stream: TextIO) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def _imported(report: ImportReport) -> tuple[str, Iterator[str]]:
    refused = f", {len(report.refused)} left out" if report.refused else ""
    summary = f"imported {file_count(report.files)} ({size_words(report.size_bytes)}) into {report.folder}{refused}"
    return summary, (f"left out: {one.name}: {REFUSAL_WORDS[one.reason]}" for one in report.refused)


def _exported(report: ExportReport) -> tuple[str, Iterator[str]]:
    summary = f"exported {file_count(report.files)} ({size_words(report.size_bytes)}) to {report.archive}"
    return summary, _details(report)


def _details(report: ExportReport) -> Iterator[str]:
    bundle = report.bundle
    if bundle is not None:
        yield from (f"included: {one.path}" for one in bundle.files)
        yield from (f"inside another file: {path}" for path in bundle.flattened)
        yield from (f"renamed: {one.source} to {one.path}" for one in bundle.renamed)
    yield from (f"left out: {path}" for path in report.left_out)
    if bundle is not None:
        yield from (f"missing: {one.name}, needed in {one.by}, line {one.line}" for one in bundle.missing)
        yield from (f"look at: {advice_words(one)}" for one in bundle.remarks)
