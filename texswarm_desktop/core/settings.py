"""What the user may choose, what the program remembers between two starts, and the one form in which both are kept.

Pure: bytes in, values out. Where the file lies, and when it is read, is known to `services.settings_store`.
"""

from typing import Annotated, Final, Literal

import msgspec

from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_server.protocol.errors import SettingsError

ThemeName = Literal["system", "light", "dark"]

USUAL_FONT_SIZE_PT: Final = 12
MAX_RECENT: Final = 20
MAX_SERVERS: Final = 20
_Color = Annotated[str, msgspec.Meta(pattern="^(#[0-9a-fA-F]{6})?$")]
_Name = Annotated[str, msgspec.Meta(max_length=80)]


class RecentProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project this installation had open. `last_opened`: seconds since the epoch. `server`: its name, if shared."""

    path: str
    title: str
    last_opened: float
    server: str = ""


class KnownServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server this installation was signed in at. `address`: a link without secrets."""

    address: str
    name: str = ""
    last_used: float = 0.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in `settings.json`. Empty `color` and `projects_folder` mean: as the program thinks best."""

    name: _Name = ""
    color: _Color = ""
    theme: ThemeName = "system"
    font_size_pt: Annotated[int, msgspec.Meta(ge=6, le=72)] = USUAL_FONT_SIZE_PT
    projects_folder: str = ""
    who_joins: WhoJoins = WhoJoins.ANYBODY
    recent: tuple[RecentProject, ...] = ()
    servers: tuple[KnownServer, ...] = ()
    has_started_before: bool = False


def decode_settings(data: bytes) -> Settings:
    """Read settings; raises SettingsError when a value is not one. What a newer version added is passed over."""
    try:
        return msgspec.json.decode(data, type=Settings)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SettingsError(str(error)) from error


def encode_settings(settings: Settings) -> bytes:
    """Return settings as a person can read them; raises SettingsError rather than write what could not be read."""
    data = msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"
    decode_settings(data)
    return data


def with_recent(settings: Settings, project: RecentProject) -> Settings:
    """Return settings in which `project` is the one opened last."""
    others = [known for known in settings.recent if known.path != project.path]
    return msgspec.structs.replace(settings, recent=(project, *others)[:MAX_RECENT])


def with_server(settings: Settings, server: KnownServer) -> Settings:
    """Return settings in which `server` is the one used last."""
    others = [known for known in settings.servers if known.address != server.address]
    return msgspec.structs.replace(settings, servers=(server, *others)[:MAX_SERVERS])


def without_server(settings: Settings, address: str) -> Settings:
    """Return settings that remember nothing of the server at `address`."""
    kept = tuple(known for known in settings.servers if known.address != address)
    return msgspec.structs.replace(settings, servers=kept)
