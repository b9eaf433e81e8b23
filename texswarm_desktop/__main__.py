"""The command `texswarm`: reads the command line and starts the desktop, or the peer without a window.

Knows no Qt until it is sure to be there.
"""

import argparse
import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from texswarm_server import __version__

_EXIT_FAILED = 1
_EXIT_USAGE = 2
#: What runs without a window, and where it is; each is loaded only when it is asked for.
_COMMANDS = {
    "sync": "texswarm_desktop.sync.program:main",
    "import": "texswarm_desktop.transfer.program:import_main",
    "export": "texswarm_desktop.transfer.program:export_main",
    "doctor": "texswarm_desktop.doctor:main",
}
_NEEDED = ("PySide6", "qasync", "keyring")


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command line."""
    reader = argparse.ArgumentParser(
        prog="texswarm",
        description="Write LaTeX together.",
        epilog="Without a window: texswarm sync FOLDER LINK keeps a folder the same as a project on a server; texswarm "
        "import and texswarm export bring projects in and give them out; texswarm doctor [LINK] says what keeps this "
        "computer and a server apart; texswarm register-links makes links that begin with texswarm:// open this "
        "program. Each has --help.",
    )
    reader.add_argument(
        "target", nargs="?", metavar="FOLDER | INVITE-LINK", help="a project's folder, or a link somebody sent you"
    )
    reader.add_argument(
        "--ask", action="store_true", help="show the link in the Join window, rather than follow it at once"
    )
    reader.add_argument(
        "--profile-dir",
        type=Path,
        metavar="DIR",
        help="keep settings, sign-ins and new projects in DIR, apart from all others",
    )
    reader.add_argument("--version", action="version", version=f"texswarm {__version__}")
    return reader


def obstacle() -> str | None:
    """Return the one line that says why no window can open, or None."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        return "the desktop is not installed; add it with: pip install 'texswarm[desktop]'"
    has_screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if sys.platform == "linux" and not has_screen:
        return "there is no display; set DISPLAY or WAYLAND_DISPLAY, or run it on a virtual screen: xvfb-run texswarm"
    return None


def _register_links(arguments: Sequence[str]) -> int:
    """Have the system start this program for links; returns the exit status."""
    from texswarm_desktop.services.link_registration import own_command, register_links  # noqa: PLC0415
    from texswarm_server.protocol.errors import TexSwarmError  # noqa: PLC0415

    reader = argparse.ArgumentParser(
        prog="texswarm register-links", description="Let links that begin with texswarm:// open this program, for you."
    )
    reader.parse_args(arguments)
    try:
        print(f"links are opened by {register_links(own_command())}")  # noqa: T201
    except TexSwarmError as error:
        print(f"texswarm: {error}", file=sys.stderr)  # noqa: T201
        return _EXIT_FAILED
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the desktop until its window closes; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _COMMANDS:
        module, _, name = _COMMANDS[given[0]].partition(":")
        command: Callable[[Sequence[str]], int] = getattr(importlib.import_module(module), name)
        return command(given[1:])
    if given[:1] == ["register-links"]:
        return _register_links(given[1:])
    options = parser().parse_args(given)
    reason = obstacle()
    if reason is not None:
        print(f"texswarm: {reason}", file=sys.stderr)  # noqa: T201 - the command line's own voice
        return _EXIT_USAGE
    # What a start makes, it keeps: looking through it for garbage again and again costs a tenth of a second. Later it
    # is looked for in the windows' thread only.
    gc.disable()
    from texswarm_desktop.app import run  # noqa: PLC0415 - Qt only now

    return run(target=options.target, asks=options.ask, profile_dir=options.profile_dir)


if __name__ == "__main__":
    sys.exit(main())
