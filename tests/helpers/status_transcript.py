"""Writes down what the status line says while things happen, so that a person can read whether it is right.

A count of seconds that only goes down is written once. Without a clock, in stories of real time, single attempts are
not told: how many there are is chance.
"""

import re
from collections.abc import Callable
from typing import Final

from texswarm_desktop.client.history import Drop, record
from texswarm_desktop.client.states import LinkState
from texswarm_desktop.client.status import LinkFacts, StatusLine, Tone, present
from texswarm_desktop.ui.error_texts import need_words, text_of_code
from texswarm_desktop.ui.status_line import ACTION_WORDS

_COLOURS: Final = {Tone.QUIET: "grey", Tone.BUSY: "amber", Tone.GOOD: "green", Tone.BAD: "red"}
_SECONDS: Final = re.compile(r"\bin \d+ s\b")
_RETRIES: Final = re.compile(r"Reconnecting(…| in \d+ s)")


class StatusTranscript:
    """Lines of what was shown, and of what happened. `clock`: monotonic; None where times are nobody's business."""

    def __init__(self, title: str, clock: Callable[[], float] | None = None) -> None:
        self.history: tuple[Drop, ...] = ()
        self._clock = clock
        self._began_at = clock() if clock else 0.0
        self._lines = [f"# {title}", ""]
        self._shown = ""

    def happens(self, what: str) -> None:
        """Write down what happens from outside."""
        self._lines.append(f"{self._time()}-- {what}")

    def look(self, state: LinkState, facts: LinkFacts, now: float) -> None:
        """Write down what is shown, if it is something else than before."""
        line = present(state, facts, now, need_words)
        text = _written(line)
        if self._clock is None:
            text = _RETRIES.sub("Reconnecting in N s", text).replace("  [Retry now]", "")
            text = text.replace("amber  Connected · saving…", "green  Connected · saving…")  # how old the edit is
        if _SECONDS.sub("", text) != _SECONDS.sub("", self._shown):
            self._lines.append(f"{self._time()}{text}")
        self._shown = text

    def turned(self, old: LinkState, new: LinkState, now: float) -> None:
        """Keep the history, as the view does."""
        self.history = record(self.history, old, new, now)

    def text(self, now: float) -> str:
        """Return the transcript, the history of drops at its end."""
        drops = [_told(drop, now, has_times=self._clock is not None) for drop in self.history]
        return "\n".join([*self._lines, *(["", "History", *drops] if drops else []), ""])

    def _time(self) -> str:
        return f"{self._clock() - self._began_at:6.1f} s  " if self._clock else ""


def _written(line: StatusLine) -> str:
    actions = "".join(f"  [{ACTION_WORDS[action]}]" for action in (line.action, line.second) if action)
    return f"{_COLOURS[line.tone]:<6} {line.whole}{actions}"


def _told(drop: Drop, now: float, *, has_times: bool) -> str:
    title = text_of_code(drop.cause).title
    if not has_times:
        return f"  {title}"
    state = "gone so far" if drop.ended_at is None else "gone"
    tries = f", {drop.attempts} {'try' if drop.attempts == 1 else 'tries'}" if drop.attempts else ""
    return f"  {title}, {state} {drop.lasted_s(now):.1f} s{tries}"
