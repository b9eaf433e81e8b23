"""Close codes: which of them a client gets over by itself, as the table of PROTOCOL.md has it."""

from texswarm_server.protocol.close_codes import CloseCode, close_verdict
from texswarm_server.protocol.errors import Verdict

RECONNECTS = {1000, 1001, 1002, 1006, 1011, 1012, 1013, 4000, 4401, 4408, 4999}


def test_a_client_stops_where_only_a_person_can_help() -> None:
    stops = {code for code in [*CloseCode, 1006, 4999] if close_verdict(code) is Verdict.STOP}

    assert stops == {*CloseCode} - RECONNECTS
