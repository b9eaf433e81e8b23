"""What was seen in the demonstration, and the judgement of it. Pure: values in, values out."""

import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import Final

from tests.demo.cast import CAST, FILE, HOST, TRAVELLER, Author

BLIP_S: Final = 1.0
_TROUBLE: Final = re.compile(r"Reconnecting|Connecting|Signing in|Catching up|Offline")
_COUNTED_DOWN: Final = re.compile(r"\d+ s · |[\d,]+ edits? waiting|all changes saved|saving…")


@dataclass(frozen=True)
class Check:
    """One thing that must be true. `detail` says what was found."""

    claim: str
    is_true: bool
    detail: str = ""


@dataclass(frozen=True)
class Desk:
    """What one desktop held at the end. `history`: monotonic seconds and status line, at each change."""

    author: Author
    files: dict[str, str]
    screen: str
    folder: dict[str, str]
    status: str
    dialogs: list[str]
    history: list[tuple[float, str]]


@dataclass
class Evidence:
    """Everything that was seen; times are monotonic seconds."""

    began: float
    cut_at: float = 0.0
    restored_at: float = 0.0
    before: dict[str, str] = field(default_factory=dict)
    apart: dict[str, str] = field(default_factory=dict)
    places: list[dict[str, int]] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    desks: list[Desk] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    exits: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text that was written in, as the host has it at the end."""
        return self.desks[0].files[FILE]

    def changes(self) -> list[str]:
        """Return how the text differs from the one it began as, in the form of `diff`, one line above and below."""
        old, new = self.before[FILE].splitlines(), self.text.splitlines()
        return list(unified_diff(old, new, f"a/{FILE}", f"b/{FILE}", lineterm="", n=1))

    # ── the time line ───────────────────────────────────────────────────────────────────────────────────

    def time_line(self) -> list[tuple[float, str, str]]:
        """Return what happened and what everybody's status line said: seconds from the beginning, who, what."""
        told = [(at, "", sentence) for at, sentence in self.events]
        for desk in self.desks:
            told += [(at, desk.author.name, line) for at, line in readable(desk.history)]
        return [(at - self.began, who, what) for at, who, what in sorted(told, key=lambda entry: entry[0])]

    # ── the checks ──────────────────────────────────────────────────────────────────────────────────────

    def checks(self) -> list[Check]:
        """Judge everything."""
        return [
            Check("Everybody saw the others where they were", len(self.places) == 3, "each time they paused"),
            *self._texts(),
            *self._letters(),
            *self._cut(),
            *self._ends(),
        ]

    def _texts(self) -> list[Check]:
        files = [desk.files for desk in self.desks]
        shown = [desk.screen == desk.files[FILE] for desk in self.desks]
        stored = [desk.folder == desk.files for desk in self.desks]
        return [
            Check("All texts are equal", all(one == files[0] for one in files), f"{len(files[0])} files on each side"),
            Check("Every window shows that text", all(shown)),
            Check("Every folder holds those files", all(stored)),
        ]

    def _letters(self) -> list[Check]:
        passages = [passage for author in CAST for passage in author.passages]
        before, typed, after = (
            Counter("".join(self.before.values())),
            Counter("".join(passages)),
            Counter("".join(self.desks[0].files.values())),
        )
        lost, doubled = before + typed - after, after - before - typed
        sums = f"{before.total():,} before + {typed.total():,} typed = {after.total():,} now"
        found = [self.text.count(passage) for passage in passages]
        return [
            Check("No character was lost", not lost, f"{sums}{_list(lost)}"),
            Check("No character was doubled", not doubled, f"{sums}{_list(doubled)}"),
            Check("Every passage stands there whole, once", set(found) == {1}, f"{len(found)} passages"),
        ]

    def _cut(self) -> list[Check]:
        away = next(desk for desk in self.desks if desk.author is TRAVELLER)
        began, ended = self.cut_at, self.restored_at
        at_once = [line for at, line in away.history if began <= at < min(began + BLIP_S, ended)]
        later = [line for at, line in away.history if began + BLIP_S <= at <= ended]
        hidden = [line for line in at_once if _TROUBLE.search(line)]
        waiting = [line for line in later if re.fullmatch(r"Reconnecting in \d+ s · [\d,]+ edits? waiting", line)]
        there, here = self.apart[HOST.key], self.apart[TRAVELLER.key]
        did_not_pass = TRAVELLER.passages[1] not in there and HOST.passages[1] not in here
        went_on = TRAVELLER.passages[1] in here and HOST.passages[1] in there
        return [
            Check("Both sides of the cut went on writing", went_on),
            Check("Nothing passed the cut", did_not_pass),
            Check("The first second of it was not shown", not hidden, "; ".join(hidden)),
            Check("Then the status line told of it", bool(waiting), waiting[-1] if waiting else "; ".join(later)),
        ]

    def _ends(self) -> list[Check]:
        dialogs = [dialog for desk in self.desks for dialog in desk.dialogs]
        saved = [desk.status.endswith("all changes saved") for desk in self.desks]
        ended = ", ".join(f"{name}: {status}" for name, status in self.exits.items() if status)
        return [
            Check("Everybody's changes are saved", all(saved)),
            Check("No dialog was shown", not dialogs, "; ".join(dialogs)),
            Check("Every program ended in peace", not ended and len(self.exits) == len(CAST), ended),
        ]


def readable(history: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return the first and the last line of each stretch in which only the numbers, or saving and saved, took turns."""
    stretches: list[list[tuple[float, str]]] = []
    for at, line in history:
        if stretches and _kind(stretches[-1][-1][1]) == _kind(line):
            stretches[-1].append((at, line))
        else:
            stretches.append([(at, line)])
    return [line for stretch in stretches for line in (stretch[:1] if len(stretch) == 1 else [stretch[0], stretch[-1]])]


def _kind(line: str) -> str:
    return _COUNTED_DOWN.sub("", line)


def _list(found: Counter[str]) -> str:
    return f"; {dict(found)}" if found else ""
