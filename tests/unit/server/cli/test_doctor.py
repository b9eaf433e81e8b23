"""How findings are told."""

from texswarm_server.cli.diagnosis.finding import fine, note, problem, warning
from texswarm_server.cli.doctor import report


def test_each_finding_is_a_line_and_what_to_do_stands_under_it() -> None:
    findings = [fine("disk", "5 GB free"), problem("address", "not here", "give another"), note("x", "y")]
    assert report([*findings, warning("disk", "\x1b[2Jfull", "make room")]) == [
        "ok    disk     5 GB free",
        "FAIL  address  not here",
        "               → give another",
        "note  x        y",
        "WARN  disk     �[2Jfull",
        "               → make room",
        "",
        "1 problem, 1 warning.",
    ]
