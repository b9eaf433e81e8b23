"""The evidence as a person reads it: on the terminal, and as `transcript.md`. Pure."""

from collections.abc import Iterable, Iterator

from tests.demo.cast import CAST
from tests.demo.evidence import Check, Evidence

_NAME_WIDTH = max(len(author.name) for author in CAST)


def moment(at_s: float, sentence: str) -> str:
    """Return one line about something that happened."""
    return f"{at_s:6.1f} s  {sentence}"


def plain(evidence: Evidence, checks: list[Check]) -> Iterator[str]:
    """Yield the lines for a terminal."""
    for title, lines in _parts(evidence, checks):
        yield from ("", title, "")
        yield from (f"  {line}".rstrip() for line in lines)


def markdown(evidence: Evidence, checks: list[Check]) -> str:
    """Return the same as a document."""
    blocks = ["# One paper, three authors, and a cut cable"]
    for title, lines in _parts(evidence, checks):
        blocks += [f"## {title}", "\n".join(["```text", *lines, "```"])]
    return "\n\n".join(blocks) + "\n"


def _parts(evidence: Evidence, checks: list[Check]) -> list[tuple[str, Iterable[str]]]:
    return [
        ("What happened, and what each status line said", list(_time_line(evidence))),
        ("What was written", evidence.changes()),
        ("Checks", [_check(check) for check in checks]),
        ("Pictures", [str(path) for path in sorted(evidence.pictures)]),
    ]


def _time_line(evidence: Evidence) -> Iterator[str]:
    for at_s, who, what in evidence.time_line():
        yield moment(at_s, f"{who:<{_NAME_WIDTH}}  {what}" if who else f"── {what}")


def _check(check: Check) -> str:
    detail = f" ({check.detail})" if check.detail else ""
    return f"{'yes' if check.is_true else 'NO '}  {check.claim}{detail}"
