"""Registers `texswarm://` links for this user with the system; what is written, `core.link_registration` decides."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from texswarm_desktop.core.link_registration import ENTRY_NAME, MIME_TYPE, desktop_entry, registry_values
from texswarm_desktop.services.atomic_file import write_atomically
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_desktop.services.resources import resource
from texswarm_server.protocol.errors import NotWritableError, SettingsError

_TIME_LIMIT_S: Final = 20


def own_command() -> list[str]:
    """Return what starts this program for a link, which is asked about: its command, else Python with the module.

    Anybody may put a link on a page: that it is followed must not be enough to go where it leads.
    """
    installed = shutil.which("texswarm")
    return [*([installed] if installed else [sys.executable, "-m", "texswarm_desktop"]), "--ask"]


def register_links(
    command: Sequence[str], *, platform: str = sys.platform, environ: Mapping[str, str] = os.environ
) -> str:
    """Let links start `command` from now on, and return where that was written.

    Raises NotWritableError; SettingsError where only the program's packaging can do it.
    """
    if platform == "win32":
        return _in_registry(command)
    if platform == "darwin":
        raise SettingsError("on macOS links belong to an application bundle; see the README for what it must contain")
    return _in_applications(command, environ)


def _in_applications(command: Sequence[str], environ: Mapping[str, str]) -> str:
    home = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME", "~"), ".local/share").expanduser())
    folder = Path(home, "applications")
    template, icon = resource(ENTRY_NAME).read_text("utf-8"), str(resource("icons/texswarm.svg"))
    entry = desktop_entry(template, command, icon).encode()
    file = folder / ENTRY_NAME
    if not file.is_file() or file.read_bytes() != entry:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(folder, error) from error
        write_atomically(file, entry)
    _run(["update-desktop-database", str(folder)], environ)
    _run(["xdg-mime", "default", ENTRY_NAME, MIME_TYPE], environ)
    return str(file)


def _run(command: list[str], environ: Mapping[str, str]) -> None:
    """Run a program of the system where there is one: without it the entry itself is enough for most desktops."""
    program = shutil.which(command[0], path=environ.get("PATH"))
    if program is None:
        return
    try:
        subprocess.run(  # noqa: S603 - a fixed command of the system
            [program, *command[1:]], env=dict(environ), check=False, capture_output=True, timeout=_TIME_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotWritableError(f"{command[0]}: {error}") from error


def _in_registry(command: Sequence[str]) -> str:
    registry: Any = importlib.import_module("winreg")
    values = registry_values(command)
    try:
        for value in values:
            with registry.CreateKey(registry.HKEY_CURRENT_USER, value.key) as key:
                registry.SetValueEx(key, value.name, 0, registry.REG_SZ, value.text)
    except OSError as error:
        raise NotWritableError(f"registry: {error}") from error
    return rf"HKEY_CURRENT_USER\{values[0].key}"
