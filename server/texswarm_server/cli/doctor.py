"""`doctor`: looks at everything a server needs, and says for each thing that is wrong exactly what to do."""

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from texswarm_server import __version__
from texswarm_server.cli.arguments import (
    Commands,
    add_command,
    add_json,
    add_settings,
    chosen_settings,
    config_file,
    configured,
)
from texswarm_server.cli.diagnosis.certificates import check_certificate, utc_now
from texswarm_server.cli.diagnosis.finding import Finding, Level, fine, problem
from texswarm_server.cli.diagnosis.network import check_network
from texswarm_server.cli.diagnosis.storage import check_storage, newest_record
from texswarm_server.cli.diagnosis.system import allowed_files, check_clock, check_files, check_variables
from texswarm_server.cli.output import count_of, plain, say, say_json
from texswarm_server.cli.settings import Chosen, ConfigFile
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.errors import SettingsError

_SIGNS: Final = {Level.FINE: "ok  ", Level.NOTE: "note", Level.WARNING: "WARN", Level.PROBLEM: "FAIL"}
_INDENT: Final = " " * 6


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "doctor", _doctor, "look for what keeps a server from working, and say what to do")
    add_settings(parser)
    add_json(parser)


def _doctor(options: argparse.Namespace) -> int:
    findings = examine(options)
    if options.json:
        say_json([asdict(finding) for finding in findings])
    else:
        for line in report(findings):
            say(line)
    return int(any(finding.level is Level.PROBLEM for finding in findings))


def examine(options: argparse.Namespace) -> list[Finding]:
    """Return what was found; a configuration that cannot be read is the only finding then."""
    variables = check_variables(os.environ)
    try:
        chosen = chosen_settings(options)
        config = configured(chosen)
    except SettingsError as error:
        return [problem("settings", str(error), "correct it there; OPERATING.md lists all settings"), *variables]
    return [
        fine("settings", f"{_origins(chosen, config_file(options))} (version {__version__})"),
        *variables,
        *_look(config),
    ]


def _origins(chosen: Mapping[str, Chosen], file: ConfigFile | None) -> str:
    """Say where the settings come from."""
    path = str(file.path) if file else ""
    others = [f"{name} by {each.source}" for name, each in chosen.items() if each.source != path]
    return ", ".join(filter(None, [path, *others])) or "no file, no variables: all by default"


def _look(config: ServerConfig) -> Iterable[Finding]:
    now = utc_now()
    return [
        *check_network(config),
        *check_certificate(config, now),
        *check_storage(config.data),
        *check_clock(now, newest_record(config.data)),
        *check_files(config, allowed_files()),
    ]


def report(findings: Sequence[Finding]) -> list[str]:
    """Return the findings as lines, and a last one that counts what is to be done."""
    lines = []
    width = max((len(finding.subject) for finding in findings), default=0)
    for finding in findings:
        lines.append(f"{_SIGNS[finding.level]}  {finding.subject:<{width}}  {plain(finding.says)}")
        if finding.remedy:
            lines.append(f"{_INDENT}{'':<{width}}  → {plain(finding.remedy)}")
    counts = [
        count_of(sum(each.level is level for each in findings), level.value) for level in (Level.PROBLEM, Level.WARNING)
    ]
    return [*lines, "", ", ".join(counts) + "."]
