"""A host and two peers write one paper while a link is cut and returns: `python -m tests.demo --output FOLDER`.

Three real desktops with real windows, each a process of its own, on the display there is. What they showed, what came
of the text, and pictures go into the folder and onto the terminal. The exit status is 0 when every check holds.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.demo.evidence import Evidence
from tests.demo.report import markdown, moment, plain
from tests.demo.stage import Stage
from tests.demo.story import Story
from tests.helpers.desktop_process import DesktopError

_LIMIT_S: Final = 240.0
_EXIT_FAILED: Final = 1
_EXIT_USAGE: Final = 2
_EXIT_INTERRUPTED: Final = 130


def main() -> int:
    """Play, show, and judge; returns the exit status."""
    reader = argparse.ArgumentParser(prog="python -m tests.demo", description=(__doc__ or "").partition("\n")[0])
    reader.add_argument("--output", type=Path, default=Path("demo-output"), metavar="FOLDER")
    output: Path = reader.parse_args().output
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        print("There is no display (DISPLAY is not set): run it on a virtual screen with `make demo`.", file=sys.stderr)
        return _EXIT_USAGE
    output.mkdir(parents=True, exist_ok=True)
    try:
        evidence = asyncio.run(_play(output))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Interrupted; every program has been ended.", file=sys.stderr)
        return _EXIT_INTERRUPTED
    except (DesktopError, TimeoutError, ExceptionGroup) as failure:
        for reason in _reasons(failure):
            print(f"The demonstration came to a halt: {type(reason).__name__}: {reason}", file=sys.stderr)
        return _EXIT_FAILED
    return _show(evidence, output)


async def _play(output: Path) -> Evidence:
    with tempfile.TemporaryDirectory(prefix="texswarm-demo-", ignore_cleanup_errors=True) as homes, _ends_when_told():
        async with asyncio.timeout(_LIMIT_S), Stage(Path(homes)) as stage:
            return await Story(stage, output, _tell).perform()


@contextmanager
def _ends_when_told() -> Iterator[None]:
    """Take a request to end as Ctrl-C is taken, so that no program is left behind."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    yield


def _tell(at_s: float, sentence: str) -> None:
    print(moment(at_s, sentence), flush=True)


def _show(evidence: Evidence, output: Path) -> int:
    checks = evidence.checks()
    print("\n".join(plain(evidence, checks)))
    for path, text in evidence.desks[0].files.items():
        file = output / "paper" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    transcript = output / "transcript.md"
    transcript.write_text(markdown(evidence, checks), encoding="utf-8")
    failed = [check.claim for check in checks if not check.is_true]
    print(
        f"\nNot true: {'; '.join(failed)}"
        if failed
        else f"\nAll {len(checks)} checks hold. Transcript: {transcript}, the paper: {output / 'paper'}"
    )
    return _EXIT_FAILED if failed else 0


def _reasons(failure: BaseException) -> Iterator[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        for inner in failure.exceptions:
            yield from _reasons(inner)
    else:
        yield failure


if __name__ == "__main__":
    sys.exit(main())
