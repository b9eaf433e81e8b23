"""The event loop a server runs on, and how many connections the system lets it have.

uvloop where there is one: it is quicker with many sockets. Nothing depends on it; Windows has none.
"""

import asyncio
import sys
from contextlib import suppress
from importlib.util import find_spec


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop of the quickest kind there is; give it to `asyncio.Runner` as its factory."""
    if find_spec("uvloop") is None:
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - only who serves needs it

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def allow_many_files() -> int | None:
    """Let this process open as many files as the system allows without asking; each connection is one.

    Returns how many that are, None where there is no limit or nobody knows.
    """
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # some systems name a hard limit they do not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft
