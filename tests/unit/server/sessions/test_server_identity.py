"""The id of a server: made once, and the same after every start."""

from tests.helpers.records import records_in_memory
from texswarm_server.sessions.server_identity import server_id


def test_the_id_is_made_once_and_kept() -> None:
    with records_in_memory() as records:
        first = server_id(records, lambda count: b"\x07" * count)
        assert server_id(records, lambda count: b"\x08" * count) == first == "07" * 10
