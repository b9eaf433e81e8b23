"""The settings of the server in their layers: option before environment before file before default.

`SETTINGS` is read off the fields of `ServerConfig` and `Limits`; options, variables, keys and the tables of the
operator's guide are all made from it.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from texswarm_server.cli import values
from texswarm_server.cli.values import Kind
from texswarm_server.config import ABOUT, ABOUT_LIMITS, LIMITS, About, ServerConfig
from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.version import Limits

PREFIX: Final = "TEXSWARM_"
CONFIG_VARIABLE: Final = "TEXSWARM_CONFIG"
DEFAULT_DATA: Final = Path("texswarm-data")
_LIMITS_FIELD: Final = "limits"
_UNITS: Final = ("_s", "_bytes")
_NUMBERS: Final = frozenset({"TIME", "SIZE", "N", "DAYS"})
_PATHS: Final = frozenset({"FILE", "DIR"})
_KINDS: Final[dict[object, Kind]] = {
    bool: values.SWITCH,
    int: values.COUNT,
    str: values.TEXT,
    Path: values.PATH,
    tuple[str, ...]: values.LIST,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `field`: its name in `ServerConfig`, or in `Limits` if `is_limit`. `shown`: its default in words."""

    name: str
    field: str
    kind: Kind
    text: str
    section: str
    shown: str
    is_limit: bool = False

    @property
    def option(self) -> str:
        """What it is called on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """What it is called in the environment."""
        return PREFIX + self.name.upper()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value and where it comes from, in words."""

    value: object
    source: str


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file as it was read. Paths in it are meant from the folder it lies in."""

    path: Path
    entries: Mapping[str, object]


def _all_settings() -> tuple[Setting, ...]:
    hints = typing.get_type_hints(ServerConfig)
    found = [
        _setting(field.name, hints[field.name], _about(field), field.default)
        for field in dataclasses.fields(ServerConfig)
        if field.name != _LIMITS_FIELD and not _about(field).is_internal
    ]
    limits, kinds = Limits(), typing.get_type_hints(Limits)
    for name in Limits.__struct_fields__:
        about = About(ABOUT_LIMITS.get(name, ""), LIMITS)
        found.append(_setting(name, kinds[name], about, getattr(limits, name), is_limit=True))
    return tuple(found)


def _about(field: "dataclasses.Field[Any]") -> About:
    about: About = field.metadata.get(ABOUT, About(""))
    return about


def _setting(field: str, hint: object, about: About, default: object, *, is_limit: bool = False) -> Setting:
    kind = values.or_zero(_kind(field, hint)) if about.may_be_zero else _kind(field, hint)
    name = next((field.removesuffix(unit) for unit in _UNITS if field.endswith(unit)), field)
    has_default = default is not dataclasses.MISSING and default not in {None, ()}
    shown = about.shown or (kind.show(default) if has_default else "off" if kind.metavar in _NUMBERS else "")
    return Setting(name, field, kind, about.text, about.section, shown, is_limit)


def _kind(field: str, hint: object) -> Kind:
    parts = typing.get_args(hint)
    if isinstance(hint, types.UnionType) and type(None) in parts:
        (inner,) = (part for part in parts if part is not type(None))
        kind = _kind(field, inner)
        return kind if inner in {Path, str} else values.or_off(kind)
    if typing.get_origin(hint) is typing.Literal:
        return values.choice_of(parts)
    if field == "port":
        return values.PORT
    if field == "data":
        return dataclasses.replace(values.PATH, metavar="DIR")
    for ending, kind in (("_s", values.TIME), ("_bytes", values.SIZE), ("_days", values.DAYS)):
        if field.endswith(ending):
            return kind
    return _KINDS[hint]


SETTINGS: Final = _all_settings()
BY_NAME: Final = types.MappingProxyType({setting.name: setting for setting in SETTINGS})


def choose(given: Mapping[str, object], environ: Mapping[str, str], file: ConfigFile | None) -> dict[str, Chosen]:
    """Return every setting's value and source. `given`: what the command line said, already read.

    Settings that nobody named are left out. Raises SettingsError, which names the place and what it may be.
    """
    chosen: dict[str, Chosen] = {}
    if file is not None:
        chosen |= {name: Chosen(value, str(file.path)) for name, value in _from_file(file).items()}
    for setting in SETTINGS:
        if environ.get(setting.variable, "").strip():
            chosen[setting.name] = Chosen(_from_environment(setting, environ), setting.variable)
        if setting.name in given:
            chosen[setting.name] = Chosen(_as_path(setting, given[setting.name]), setting.option)
    return chosen


def build(chosen: Mapping[str, Chosen], *, host_name: str) -> ServerConfig:
    """Return the configuration; raises SettingsError where settings do not fit each other."""
    own: dict[str, Any] = {"data": DEFAULT_DATA, "name": host_name}
    limits: dict[str, Any] = {}
    for name, choice in chosen.items():
        setting = BY_NAME[name]
        (limits if setting.is_limit else own)[setting.field] = choice.value
    config = ServerConfig(**own, limits=Limits(**limits))
    _check(config)
    return config


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables that look like ours and are not, each with the nearest that is, or nothing."""
    known = {CONFIG_VARIABLE, *(setting.variable for setting in SETTINGS)}
    words = {variable.removeprefix(PREFIX): variable for variable in known}
    return {
        name: words.get(nearest(name.removeprefix(PREFIX), words), "")
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known
    }


def nearest(name: str, known: typing.Collection[str]) -> str:
    """Return the known name that is most like `name`, empty when none is."""
    return next(iter(get_close_matches(name, sorted(known), 1, 0.6)), "")


# ── the layers ──────────────────────────────────────────────────────────────────────────────────────────


def _from_file(file: ConfigFile) -> dict[str, object]:
    found = {}
    for key, raw in file.entries.items():
        if key not in BY_NAME:
            raise SettingsError(f"{file.path}: {_unknown_key(key)}")
        setting = BY_NAME[key]
        try:
            value = _read_literal(setting.kind, raw)
        except ValueError as error:
            raise SettingsError(f"{file.path}: {key}: {error}") from error
        found[key] = _as_path(setting, value, file.path.parent)
    return found


def _unknown_key(key: str) -> str:
    like = nearest(key.replace("-", "_"), BY_NAME)
    return f"unknown key {key!r}" + (f"; did you mean {like!r}?" if like else "")


def _read_literal(kind: Kind, raw: object) -> object:
    if isinstance(raw, list) and kind is values.LIST and all(isinstance(item, str) for item in raw):
        return kind.read(",".join(raw))
    if isinstance(raw, str):
        return kind.read(raw)
    if type(raw) in kind.literals:
        return kind.read(str(raw).lower())
    raise ValueError(f"not a value of the form {kind.metavar}: {raw!r}")


def _from_environment(setting: Setting, environ: Mapping[str, str]) -> object:
    text = environ[setting.variable]
    try:
        return _as_path(setting, setting.kind.read(text))
    except ValueError as error:
        advice = ""
        if text.startswith(("tcp://", "udp://")):
            advice = " (Kubernetes sets this for a service of that name; say enableServiceLinks: false)"
        raise SettingsError(f"{setting.variable}: {error}{advice}") from error


def _as_path(setting: Setting, value: object, folder: Path | None = None) -> object:
    if setting.kind.metavar not in _PATHS:
        return value
    path = Path(str(value)).expanduser()
    return folder / path if folder is not None else path


def _check(config: ServerConfig) -> None:
    if (config.tls_cert is None) != (config.tls_key is None):
        raise SettingsError("tls_cert and tls_key belong together: give both or none")
    if config.dead_after_s <= config.heartbeat_s:
        raise SettingsError(
            f"dead_after ({config.dead_after_s:g}s) must be longer than heartbeat ({config.heartbeat_s:g}s)"
        )
