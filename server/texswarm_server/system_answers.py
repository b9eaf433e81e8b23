"""What programs of the operating system say of it; whoever asks waits a moment for the answer."""

import subprocess
from typing import Final

_PATIENCE_S: Final = 2.0


def printed_by(*command: str, patience_s: float = _PATIENCE_S) -> str:
    """Return what a program printed; nothing where there is none, or it does not answer in time. Blocks."""
    try:
        answer = subprocess.run(  # noqa: S603 - programs of the system, with fixed words
            command, check=False, capture_output=True, text=True, errors="replace", timeout=patience_s,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout
