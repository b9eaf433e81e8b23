"""OPERATING.md, the unit and the container say nothing that the command line does not understand."""

import argparse
import configparser
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from texswarm_server.cli.arguments import Parser
from texswarm_server.cli.program import parser
from texswarm_server.cli.serve import MISCONFIGURED
from texswarm_server.cli.settings import BY_NAME, ConfigFile, build, choose
from texswarm_server.cli.settings_shown import markdown
from texswarm_server.config import ServerConfig

SERVER = Path(__file__).parents[4] / "server"
TEXT = (SERVER / "OPERATING.md").read_text("utf-8")
UNIT = (SERVER / "texswarm-server.service").read_text("utf-8")
DOCKERFILE = (SERVER / "Dockerfile").read_text("utf-8")
IGNORED = (SERVER / "Dockerfile.dockerignore").read_text("utf-8")
PROGRAM = re.compile(r"(?:^|.* )(?:/\S*/)?texswarm-server (.*)")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def command_lines() -> list[str]:
    """What follows the program's name in the examples; with `docker run` it stands at the end, for the image."""
    lines = [
        line for block in blocks("sh") for line in block.splitlines() if not line.startswith(("docker run", "docker b"))
    ]
    return [
        found[1] for line in lines if (found := PROGRAM.match(line)) and not line.startswith(("install", "systemctl"))
    ]


def commands(of: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    """Yield every command that can be run."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, f"{before} {name}".strip())
            return
    yield before


def test_the_tables_of_settings_are_those_of_the_program() -> None:
    begin, end = "<!-- made by `texswarm-server settings --markdown` -->\n", "\n<!-- end -->"
    shown = TEXT[TEXT.index(begin) + len(begin) : TEXT.index(end)].strip("\n")
    assert shown == "\n".join(markdown()), "put the output of `texswarm-server settings --markdown` into OPERATING.md"


@pytest.mark.parametrize("line", command_lines())
def test_every_example_is_a_command(line: str) -> None:
    assert parser().parse(shlex.split(line)).run


def test_there_are_examples() -> None:
    assert len(command_lines()) > 8


def test_the_table_of_commands_is_complete() -> None:
    section = TEXT.split("| command | what it does |", 1)[1].split("\n\n", 1)[0]
    assert sorted(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)) == sorted(commands(parser()))


@pytest.mark.parametrize("command", sorted(commands(parser())))
def test_every_command_explains_itself_in_one_screen_width(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        parser().parse([*command.split(), "--help"])
    assert caught.value.code == 0
    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_configuration_can_be_used(block: str) -> None:
    file = ConfigFile(Path("/etc/texswarm/server.toml"), tomllib.loads(block))
    assert build(choose({}, {}, file), host_name="")


def test_the_unit_starts_the_server_with_what_it_knows() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(UNIT)
    service = unit["Service"]
    found = PROGRAM.match(service["ExecStart"])
    assert found
    assert parser().parse(shlex.split(found[1]))
    variable, _, data = service["Environment"].partition("=")
    assert variable == BY_NAME["data"].variable
    assert data == f"/var/lib/{service['StateDirectory']}"
    assert "AF_NETLINK" in service["RestrictAddressFamilies"].split()
    assert {"2", str(MISCONFIGURED)} == set(service["RestartPreventExitStatus"].split())
    assert float(service["TimeoutStopSec"]) > ServerConfig(data=Path()).drain_s + 15


def test_the_container_starts_the_server_with_what_it_knows() -> None:
    for words in re.findall(r"CMD (\[.*\])", DOCKERFILE):
        program, *rest = json.loads(words)
        assert program == "texswarm-server"
        assert parser().parse(rest)
    variables = dict(re.findall(r"(TEXSWARM_\w+)=(\S+)", DOCKERFILE))
    config = build(choose({}, variables, None), host_name="")
    assert (config.host, str(config.data)) == ("0.0.0.0", "/data")
    assert set(variables) <= {setting.variable for setting in BY_NAME.values()}
    about_files = TEXT.split("## In a container")[1].split("\n## ")[0]
    assert all(f"`{variable}`" in about_files for variable in variables), "they win over a mounted file: say so"


def test_what_the_container_sets_wins_over_a_mounted_file() -> None:
    variables = dict(re.findall(r"(TEXSWARM_\w+)=(\S+)", DOCKERFILE))
    mounted = ConfigFile(Path("/etc/texswarm/server.toml"), {"host": "127.0.0.1", "port": 1, "grace": "12h"})
    config = build(choose({}, variables, mounted), host_name="")
    assert (config.host, config.port, config.grace_s) == ("0.0.0.0", 8091, 12 * 3600)


def test_parts_of_the_source_that_the_container_takes_are_there() -> None:
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE):
        for name in line.split():
            assert (SERVER.parent / name).exists(), name


def test_the_builder_is_sent_all_that_the_container_takes() -> None:
    kept = {line[1:] for line in IGNORED.splitlines() if line.startswith("!")}
    taken = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert {name for line in taken for name in line.split()} == kept


def test_every_command_is_read_by_our_own_reader() -> None:
    assert isinstance(parser(), Parser)
