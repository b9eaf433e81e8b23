"""What `texswarm sync` says: status lines for people on standard error, or objects for programs on standard output."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import msgspec

from texswarm_desktop.client.states import Idle, LinkState, state_name
from texswarm_desktop.core.figure_travel import Progress
from texswarm_desktop.core.file_differences import Change, FileDifference
from texswarm_desktop.core.holder_news import HolderNews
from texswarm_desktop.core.joining import Road
from texswarm_desktop.core.one_line import one_line
from texswarm_desktop.ui.error_texts import line_about, sentence_of, text_at_the_end
from texswarm_desktop.ui.sizes import transfer_words
from texswarm_desktop.viewmodels.figure_view import TransferFacts
from texswarm_server.protocol.errors import (
    ErrorCode,
    OneOriginError,
    ProjectInUseError,
    RejectedError,
    SettingsError,
    TexSwarmError,
)

CHOICES: Final = ("--take theirs", "--keep-both")
CHOICES_OF_ONE_ORIGIN: Final = (*CHOICES, "--merge")
_PLANS: Final = {
    Road.GO_ON: "The folder and the document have one history: what either side lacks would be exchanged.",
    Road.MERGE: "The folder is a copy of the project. It would belong to the document, with what was written in both.",
    Road.FETCH: "The document would arrive in the folder.",
    Road.FILL: "The files of the folder would go into the document, which is empty.",
    Road.ASK: "The folder and the document have different histories. Nothing would happen until you choose.",
    Road.TAKE_THEIRS: "The document would take the place of the files, which would be kept in .texswarm/backups.",
    Road.KEEP_BOTH: "The folder would become a copy beside, and the document would arrive in its place.",
}
_ALL_SHARED: Final = "Every file of the folder is shared"
_MOST_NAMES: Final = 8
_MOST_CHARS: Final = 2000
_ASIDE: Final = {"backup": "What was in the folder is kept in", "copy": "What was in the folder is now in"}


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended. `code` and `sentence` are empty when all went well; `choices`: the options that would help."""

    status: int = 0
    code: str = ""
    sentence: str = ""
    choices: tuple[str, ...] = ()


def ending_of(error: TexSwarmError) -> Ending:
    """Return how an error ends the program: its exit status, and the one line about it."""
    match error:
        case RejectedError(code=ErrorCode.LINEAGE_MISMATCH):
            choices = CHOICES_OF_ONE_ORIGIN if isinstance(error, OneOriginError) else CHOICES
            wanted = f"{sentence_of(error)} Choose: {' or '.join(choices)}; --dry-run shows the difference."
            return Ending(3, ErrorCode.LINEAGE_MISMATCH, wanted, choices)
        case RejectedError():
            return Ending(4, error.code, sentence_of(error))
        case SettingsError():
            return Ending(2, "usage", str(error))
        case _:
            return Ending(1, type(error).__name__, line_about(text_at_the_end(error), error))


class Reporter:
    """Says each thing once, at once."""

    def __init__(self, out: TextIO, err: TextIO, *, as_json: bool) -> None:
        self._out, self._err, self._as_json = out, err, as_json

    def status(self, state: LinkState | None, text: str, waiting: int) -> None:
        """Tell how the link is, in the words of the window's status line."""
        self._status(state_name(type(state or Idle())), text, waiting)

    def attached(self, holder: ProjectInUseError | None, *, is_once: bool) -> None:
        """Tell which program has the folder open, beside which this one only listens; None: none has it any more."""
        if holder is None:
            line = "The other program let go of the folder: it is kept in sync by this one now."
            self._say(line, "attached", program=None, pid=None, host=None)
            return
        until = "until all is the same and stored" if is_once else "and takes over when that ends"
        line = f"{holder.holder or 'Another program'} has this folder open: this one is attached to it {until}."
        self._say(line, "attached", program=holder.program, pid=holder.pid, host=holder.host)

    def holder_status(self, news: HolderNews) -> None:
        """Tell how the link of the other program is."""
        self._status(news.state, news.text, news.waiting)

    def _status(self, name: str, text: str, waiting: int) -> None:
        self._say(text, "status", state=name, text=text, waiting=waiting)

    def link(self, link: str, document_id: str) -> None:
        """Tell by which link others can join. It is what was asked for, so it goes to standard output."""
        if self._as_json:
            self._object("link", link=link, document=document_id)
        else:
            _print(link, self._out)

    def problem(self, error: TexSwarmError | None) -> None:
        """Tell what is wrong with the disk, or that it no longer is."""
        self.problem_told(None if error is None else sentence_of(error))

    def problem_told(self, sentence: str | None) -> None:
        """Tell the same, in words that are known already."""
        self._say(sentence or "The disk is as it should be again.", "problem", sentence=sentence)

    def file(self, path: str, error: TexSwarmError | None) -> None:
        """Tell why one file is not the same here and in the document; None: it is again."""
        self.file_told(path, None if error is None else sentence_of(error))

    def file_told(self, path: str, sentence: str | None) -> None:
        """Tell the same, in words that are known already."""
        shown = _shown(path)
        self._say(f"{shown}: {sentence or 'All is well again.'}", "file_problem", path=shown, sentence=sentence)

    def not_shared(self, notes: Mapping[str, TexSwarmError], gone: Iterable[str]) -> None:
        """Tell which files stay on this computer, as they should; `gone`: those that do no more."""
        self.not_shared_told({path: sentence_of(error) for path, error in notes.items()}, gone)

    def not_shared_told(self, notes: Mapping[str, str], gone: Iterable[str]) -> None:
        """Tell the same, in words that are known already."""
        if not self._as_json:
            names = [one_line(_shown(path), _MOST_CHARS) for path in notes]
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            _print(f"Not shared: {', '.join(names[:_MOST_NAMES])}{more}" if names else _ALL_SHARED, self._err)
            return
        for path, sentence in notes.items():
            self._object("file_problem", path=_shown(path), sentence=sentence, is_note=True)
        for path in gone:
            self._object("file_problem", path=_shown(path), sentence=None, is_note=True)

    def transfer(self, facts: TransferFacts | None) -> None:
        """Tell how far figures are that travel; None: none does any more, which people read from the status."""
        if self._as_json:
            progress = (None, None) if facts is None else (facts.sending, facts.fetching)
            self._object("transfer", **dict(zip(("sending", "fetching"), map(_progress, progress), strict=True)))
        elif facts is not None:
            self._say(transfer_words(facts), "transfer")

    def left(self, edits: int, figures: int) -> None:
        """Tell what the server has not stored at the end; it is kept here."""
        parts = [_count(edits, "edit"), _count(figures, "figure")]
        what = " and ".join(part for part in parts if part)
        self._say(f"Not at the server yet: {what}. The next run sends them.", "left", edits=edits, figures=figures)

    def aside(self, kept: str, folder: Path) -> None:
        """Tell where the state of before is; `kept`: as a `backup` inside the folder, or as a `copy` beside it."""
        self._say(f"{_ASIDE[kept]} {folder}", "aside", kept=kept, folder=str(folder))

    def plan(self, road: Road, files: Sequence[FileDifference]) -> None:
        """Tell what would happen, and to which files: what was asked for, so it goes to standard output."""
        if self._as_json:
            self._object("plan", road=road.value)
            for file in files:
                kind = "figure" if file.is_figure else "text"
                details = {"change": file.change, "added": file.added, "removed": file.removed}
                self._object("file", path=file.path, kind=kind, **details)
            return
        same = sum(file.change is Change.SAME for file in files)
        lines = [_PLANS[road], *map(_line_of, (file for file in files if file.change is not Change.SAME))]
        lines += [f"{same} files are the same" if same > 1 else "1 file is the same"] if same else []
        _print("\n".join(lines), self._out)

    def ended(self, ending: Ending) -> None:
        """Tell how it ended."""
        if self._as_json:
            details = {"code": ending.code, "sentence": ending.sentence, "choices": ending.choices}
            self._object("ended", status=ending.status, **details)
        if ending.status:
            _print(one_line(f"texswarm: {ending.sentence}", _MOST_CHARS), self._err)

    def _say(self, line: str, event: str, /, **details: object) -> None:
        """A name of a file may hold anything, and must not look like a line of ours."""
        if self._as_json:
            self._object(event, **details)
        else:
            _print(one_line(line, _MOST_CHARS), self._err)

    def _object(self, event: str, /, **details: object) -> None:
        _print(msgspec.json.encode({"event": event, **details}).decode(), self._out)


def _progress(progress: Progress | None) -> dict[str, int] | None:
    if progress is None:
        return None
    return {"done": progress.done_bytes, "total": progress.total_bytes, "files": progress.files}


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}" if number else ""


def _shown(path: str) -> str:
    return path.encode(errors="replace").decode()


def _print(text: str, stream: TextIO) -> None:
    """Nobody needs to listen: a pipe that was closed must not end the work."""
    with suppress(BrokenPipeError):
        print(text, file=stream, flush=True)


def _line_of(file: FileDifference) -> str:
    counts = "" if file.is_figure else f"  (+{file.added} −{file.removed} lines)"
    return f"  {file.change:<10}  {one_line(_shown(file.path), _MOST_CHARS)}{counts}"
