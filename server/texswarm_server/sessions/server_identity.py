"""By what a server is known again, whatever its name and address: a random id, made once and kept. No secret."""

from typing import Final

from texswarm_server.sessions.credentials import RandomBytes
from texswarm_server.sessions.records import Records

SERVER_ID: Final = "server_id"
_ID_BYTES: Final = 10


def server_id(records: Records, random: RandomBytes) -> str:
    """Return the id of the server whose records these are; makes it the first time."""
    known = records.find_setting(SERVER_ID)
    if known is None:
        known = random(_ID_BYTES).hex()
        records.put_setting(SERVER_ID, known)
    return known
