"""The machine around the server: its clock, how many files it may open, and variables that nobody reads."""

import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from texswarm_server.cli.diagnosis.finding import Finding, fine, note, problem, warning
from texswarm_server.cli.settings import unknown_variables
from texswarm_server.config import ServerConfig
from texswarm_server.event_loop import allow_many_files
from texswarm_server.system_answers import printed_by

_CLOCK: Final = "clock"
_FILES: Final = "files"
_PATIENCE_S: Final = 5.0
_SPARE_FILES: Final = 256
_BACKWARDS_S: Final = 120.0
_FIRST_GOOD_YEAR: Final = 2024


def check_clock(now: datetime, newest_record: float | None) -> list[Finding]:
    """Return what is to be said of the clock; `newest_record`: the latest time in the database."""
    shown = f"{now:%Y-%m-%d %H:%M} UTC"
    remedy = "set it: timedatectl set-ntp true"
    if now.year < _FIRST_GOOD_YEAR:
        return [problem(_CLOCK, f"{shown} cannot be true: certificates and invitations will be refused", remedy)]
    if newest_record is not None and newest_record > now.timestamp() + _BACKWARDS_S:
        latest = f"{datetime.fromtimestamp(newest_record, UTC):%Y-%m-%d %H:%M} UTC"
        return [problem(_CLOCK, f"{shown}, but the database holds something of {latest}: it was set back", remedy)]
    if _is_synchronised() is False:
        return [warning(_CLOCK, f"{shown}, not synchronised: tokens and invitations expire early or late", remedy)]
    return [fine(_CLOCK, shown)]


def _is_synchronised() -> bool | None:
    """Return whether the clock follows others, None where nobody says."""
    program = shutil.which("timedatectl") if sys.platform == "linux" else None
    if program is None:
        return None
    answer = printed_by(program, "show", "--property=NTPSynchronized", "--value", patience_s=_PATIENCE_S)
    return {"yes": True, "no": False}.get(answer.strip())


def check_files(config: ServerConfig, allowed: int | None) -> list[Finding]:
    """Return whether there are as many files as connections; `allowed`: how many this process may open."""
    wanted = config.max_connections + config.max_unauthenticated + _SPARE_FILES
    if allowed is None or allowed >= wanted:
        return [fine(_FILES, f"enough for {config.max_connections} connections")]
    says = f"{allowed} may be open, and {config.max_connections} connections need {wanted}"
    return [warning(_FILES, says, f"LimitNOFILE={wanted} in the unit (ulimit -n {wanted}), or a lower max_connections")]


def allowed_files() -> int | None:
    """Return how many files a server of this user may open, None for any number."""
    return allow_many_files()


def check_variables(environ: Mapping[str, str]) -> list[Finding]:
    """Return the variables that look as if they were meant for the server."""
    return [
        warning("environment", f"{name} is not a variable of the server", f"did you mean {like}?")
        if like
        else note("environment", f"{name} is not a variable of the server")
        for name, like in unknown_variables(environ).items()
    ]
