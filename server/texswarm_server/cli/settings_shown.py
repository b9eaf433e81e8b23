"""`settings`: what the server here is told, and by whom; also the table of the operator's guide."""

import argparse
from collections.abc import Mapping
from typing import Final

from texswarm_server.cli.arguments import Commands, add_command, add_json, add_settings, chosen_settings, configured
from texswarm_server.cli.output import Column, say, say_json, say_table
from texswarm_server.cli.settings import SETTINGS, Chosen, Setting
from texswarm_server.cli.values import SWITCH

_COLUMNS: Final = (Column("setting"), Column("value", may_shrink=True), Column("from", may_shrink=True))
_DEFAULT: Final = "default"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "settings", _settings, "show what the server here is told, and where that stands")
    add_settings(parser)
    add_json(parser)
    parser.add_argument("--markdown", action="store_true", help="print the table of all settings for the guide instead")


def _settings(options: argparse.Namespace) -> int:
    if options.markdown:
        for line in markdown():
            say(line)
        return 0
    chosen = chosen_settings(options)
    configured(chosen)  # raises SettingsError where they do not fit each other
    rows = [(setting.name, *_value(setting, chosen)) for setting in SETTINGS]
    if options.json:
        say_json({name: {"value": value, "from": source} for name, value, source in rows})
    else:
        say_table(_COLUMNS, rows, empty="")
    return 0


def _value(setting: Setting, chosen: Mapping[str, Chosen]) -> tuple[str, str]:
    choice = chosen.get(setting.name)
    return (setting.shown, _DEFAULT) if choice is None else (setting.kind.show(choice.value), choice.source)


def markdown() -> list[str]:
    """Return the tables of all settings, one for each section, as lines of Markdown."""
    lines: list[str] = []
    for section in dict.fromkeys(setting.section for setting in SETTINGS):
        lines += ["", f"**{section}**", "", "| option | variable | key in the file | default | what it is |"]
        lines += ["|---|---|---|---|---|"]
        lines += [_row(setting) for setting in SETTINGS if setting.section == section]
    return lines[1:]


def _row(setting: Setting) -> str:
    option = (
        setting.option if setting.kind is SWITCH else f"{setting.option} {setting.kind.metavar}".replace("|", "\\|")
    )
    shown = f"`{setting.shown}`" if setting.shown else "–"
    return f"| `{option}` | `{setting.variable}` | `{setting.name}` | {shown} | {setting.text} |"
