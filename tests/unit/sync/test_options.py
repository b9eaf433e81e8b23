"""The command line of the peer without a window."""

from pathlib import Path

import pytest

from texswarm_desktop.core.joining import Choice
from texswarm_desktop.sync.options import parse


def test_a_folder_alone_goes_on_with_the_server_it_knows() -> None:
    options = parse(["paper"])
    assert (options.folder, options.link, options.once) == (Path.cwd() / "paper", None, False)


def test_without_a_folder_it_is_the_one_where_the_command_is_given() -> None:
    assert (parse([]).folder, parse([]).link) == (Path.cwd(), None)
    link = "texswarm://host:8091/?token=t"
    assert (parse([link]).folder, parse([link, "--once"]).link) == (Path.cwd(), link)
    assert (parse(["paper", link]).folder, parse(["paper", link]).link) == (Path.cwd() / "paper", link)


def test_options_may_stand_anywhere_between_folder_and_link() -> None:
    link = "texswarm://host:8091/?token=t"
    for arguments in (
        ["paper", "--once", link],
        ["--once", "paper", link],
        ["paper", link, "--once"],
        ["paper", "--profile-dir", "d", "--once", link],
        ["--take", "theirs", "paper", "--once", link],
    ):
        options = parse(arguments)
        assert (options.folder, options.link, options.once) == (Path.cwd() / "paper", link, True)
    assert (parse(["--once", link]).folder, parse(["--once", link]).link) == (Path.cwd(), link)
    assert parse(["--profile-dir", "d", "paper"]).profile == Path("d")


@pytest.mark.parametrize(
    ("arguments", "choice"),
    [([], Choice.ASK), (["--take", "theirs"], Choice.TAKE_THEIRS), (["--keep-both"], Choice.KEEP_BOTH)],
)
def test_a_choice_may_be_made_in_advance(arguments: list[str], choice: Choice) -> None:
    assert parse(["paper", "texswarm://host/?token=t", *arguments]).choice is choice


@pytest.mark.parametrize(
    "arguments",
    [["p", "l", "x"], ["p", "--take", "mine"], ["p", "--take", "theirs", "--keep-both"], ["p", "--patience", "0"]],
)
def test_what_makes_no_sense_is_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_the_help_documents_every_event_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    told = capsys.readouterr().out
    assert [
        event
        for event in ("status", "link", "problem", "transfer", "left", "aside", "plan", "file", "ended")
        if f'"{event}"' not in told
    ] == []
