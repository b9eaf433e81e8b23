"""Options that several commands share, and the way from options, environment and file to a configuration."""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias, TypeVar

from texswarm_server.cli.config_file import find_config_file
from texswarm_server.cli.settings import BY_NAME, SETTINGS, Chosen, ConfigFile, Setting, build, choose, nearest
from texswarm_server.cli.values import SWITCH, read_count, read_time
from texswarm_server.config import ServerConfig

if TYPE_CHECKING:
    from argparse import _ActionsContainer

T = TypeVar("T")

_DEST: Final = "setting_"
_DATA: Final = BY_NAME["data"]

Command = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, and takes no abbreviations: they would change their meaning."""

    def __init__(self, **words: object) -> None:
        super().__init__(**{"allow_abbrev": False, **words})  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        print(f"{self.prog}: error: {' '.join(message.split())}; see --help", file=sys.stderr)  # noqa: T201
        raise SystemExit(2)

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Read a command line; what is not known is refused, with the nearest that is."""
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            parser = getattr(options, "parser", self)
            like = nearest(unknown[0].partition("=")[0], list(parser.option_strings()))
            parser.error(f"unknown argument {unknown[0]!r}" + (f"; did you mean {like}?" if like else ""))
        return options

    def option_strings(self) -> Iterator[str]:
        """Yield what the options are called."""
        for action in self._actions:
            yield from action.option_strings


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 - it has no other name


def add_command(commands: Commands, name: str, run: Command, text: str) -> Parser:
    """Add one command; `text` is one sentence that says what it does."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(run=run, parser=parser)
    return parser


def add_group(commands: Commands, name: str, text: str) -> Commands:
    """Add a command that has commands of its own."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    return parser.add_subparsers(title="commands", required=True, metavar="COMMAND")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Let a command be told of a configuration file."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration file (default: $TEXSWARM_CONFIG, else /etc/texswarm/server.toml if there is one)",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Let a command be told which server it is about: a configuration file, or the data folder itself."""
    add_config(parser)
    _add_setting(parser, _DATA)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a command answer for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def add_listing(commands: Commands, name: str, run: Command, text: str) -> Parser:
    """Add a command that shows or changes what a server keeps, for people or as JSON."""
    parser = add_command(commands, name, run, text)
    add_data(parser)
    add_json(parser)
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Let a command be told everything a server can be told."""
    add_config(parser)
    for section in dict.fromkeys(setting.section for setting in SETTINGS):
        group = parser.add_argument_group(section)
        for setting in SETTINGS:
            if setting.section == section:
                _add_setting(group, setting)


def chosen_settings(options: argparse.Namespace) -> dict[str, Chosen]:
    """Return what options, environment and configuration file say; raises SettingsError."""
    return choose(_given(options), os.environ, config_file(options))


def config_file(options: argparse.Namespace) -> ConfigFile | None:
    """Return the configuration file that applies, None without one; raises SettingsError."""
    return find_config_file(options.config, os.environ)


def server_config(options: argparse.Namespace) -> ServerConfig:
    """Return the whole configuration; raises SettingsError."""
    return configured(chosen_settings(options))


def configured(chosen: Mapping[str, Chosen]) -> ServerConfig:
    """Return the configuration that was chosen; raises SettingsError where settings do not fit each other."""
    return build(chosen, host_name=socket.gethostname())


def data_folder(options: argparse.Namespace) -> Path:
    """Return the data folder of the server that a command is about; raises SettingsError.

    What else the configuration says is not looked at, so that a mistake in it stops no operator.
    """
    given = _given(options)
    environ = {_DATA.variable: os.environ.get(_DATA.variable, "")}
    file = None if given or environ[_DATA.variable] else config_file(options)
    entries = {key: value for key, value in file.entries.items() if key == _DATA.name} if file else {}
    chosen = choose(given, environ, ConfigFile(file.path, entries) if file else None)
    return build(chosen, host_name="").data


def seconds(text: str) -> float:
    """Read a time, for argparse."""
    return typed(read_time)(text)


def count(text: str) -> int:
    """Read a number of at least one, for argparse."""
    return typed(read_count)(text)


def typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """Return `read` in the form argparse wants: with its own words when it refuses."""

    def reads(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return reads


def _given(options: argparse.Namespace) -> dict[str, object]:
    return {name.removeprefix(_DEST): value for name, value in vars(options).items() if name.startswith(_DEST)}


def _add_setting(parser: "_ActionsContainer", setting: Setting) -> None:
    default = f" (default: {setting.shown})" if setting.shown else ""
    text = setting.text.replace("%", "%%") + default.replace("%", "%%")
    where = _DEST + setting.name
    if setting.kind is SWITCH:
        on_off = argparse.BooleanOptionalAction
        parser.add_argument(setting.option, dest=where, action=on_off, default=argparse.SUPPRESS, help=text)
        return
    parser.add_argument(
        setting.option,
        dest=where,
        type=typed(setting.kind.read),
        metavar=setting.kind.metavar,
        default=argparse.SUPPRESS,
        help=text,
    )
