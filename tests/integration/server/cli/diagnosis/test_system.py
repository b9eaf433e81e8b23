"""Clock, files and variables."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from texswarm_server.cli.diagnosis.finding import Level
from texswarm_server.cli.diagnosis.system import check_clock, check_files, check_variables
from texswarm_server.config import ServerConfig

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_a_clock_that_was_set_back_is_a_problem() -> None:
    later = (NOW + timedelta(hours=1)).timestamp()
    assert check_clock(NOW, later)[0].level is Level.PROBLEM
    assert check_clock(datetime(1970, 1, 1, tzinfo=UTC), None)[0].level is Level.PROBLEM
    assert check_clock(NOW, NOW.timestamp())[0].level is not Level.PROBLEM


def test_fewer_files_than_connections_are_a_warning() -> None:
    config = ServerConfig(data=Path(), max_connections=1000)
    assert check_files(config, None)[0].level is Level.FINE
    (finding,) = check_files(config, 1024)
    assert (finding.level, "LimitNOFILE=" in finding.remedy) == (Level.WARNING, True)


def test_misspelt_variables_are_named_with_what_was_meant() -> None:
    (finding,) = check_variables({"TEXSWARM_HOTS": "x", "TEXSWARM_HOST": "x"})
    assert (finding.says, finding.remedy) == (
        "TEXSWARM_HOTS is not a variable of the server",
        "did you mean TEXSWARM_HOST?",
    )
