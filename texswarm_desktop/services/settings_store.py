"""Settings in `settings.json` of the profile: read once, written whole at every change.

A file that cannot be read is kept aside for its owner, never overwritten; the program goes on with defaults.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from texswarm_desktop.core.settings import (
    KnownServer,
    RecentProject,
    Settings,
    ThemeName,
    decode_settings,
    encode_settings,
    with_recent,
    with_server,
    without_server,
)
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_desktop.services.atomic_file import write_atomically
from texswarm_server.protocol.errors import NotWritableError, SettingsError, SettingsUnreadableError

FILE_NAME: Final = "settings.json"


class SettingsStore:
    """The settings of one profile. `problem` says what was wrong with the file when it was read, if anything.

    Changes are kept in memory also when the disk does not take them; `on_problem` hears of that.
    """

    def __init__(self, profile: Path, *, on_problem: Callable[[Exception], None] | None = None) -> None:
        self._path = profile / FILE_NAME
        self.on_problem = on_problem
        self.problem: SettingsError | None = None
        self.settings = self._read()

    def change(self, new: Settings) -> None:
        """Take in and store other settings; raises SettingsError when a value cannot be used."""
        if new == self.settings:
            return
        data = encode_settings(new)
        self.settings = new
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, data)
        except (NotWritableError, OSError) as error:
            if self.on_problem is not None:
                self.on_problem(_as_not_writable(error))

    def set_name(self, name: str) -> None:
        """Remember the name others see."""
        self.change(msgspec.structs.replace(self.settings, name=name))

    def set_theme(self, theme: ThemeName) -> None:
        """Remember the theme."""
        self.change(msgspec.structs.replace(self.settings, theme=theme))

    def set_font_size(self, size_pt: int) -> None:
        """Remember the editor's font size, in points."""
        self.change(msgspec.structs.replace(self.settings, font_size_pt=size_pt))

    def set_who_joins(self, who: WhoJoins) -> None:
        """Remember who may join what is shared from here."""
        self.change(msgspec.structs.replace(self.settings, who_joins=who))

    def set_started(self) -> None:
        """Remember that this was not the first start."""
        self.change(msgspec.structs.replace(self.settings, has_started_before=True))

    def add_recent(self, project: RecentProject) -> None:
        """Remember a project as the one opened last."""
        self.change(with_recent(self.settings, project))

    def add_server(self, server: KnownServer) -> None:
        """Remember a server as the one used last."""
        self.change(with_server(self.settings, server))

    def remove_server(self, address: str) -> None:
        """Forget a server."""
        self.change(without_server(self.settings, address))

    def _read(self) -> Settings:
        try:
            return decode_settings(self._path.read_bytes())
        except FileNotFoundError:
            return Settings()
        except (OSError, SettingsError) as error:
            self.problem = SettingsUnreadableError(f"{self._path}: {error}")
            with suppress(OSError):
                self._path.replace(self._path.with_name(f"{FILE_NAME}.broken"))
            return Settings()


def _as_not_writable(error: NotWritableError | OSError) -> NotWritableError:
    return error if isinstance(error, NotWritableError) else NotWritableError(str(error))
