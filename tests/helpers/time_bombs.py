"""Updates that are well-formed, wait for a letter, and break an ordinary document when it arrives."""

from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.document.updates import check_update, merge_updates, read_state_vector
from texswarm_server.protocol.frames import write_varuint


def time_bomb(updates: list[bytes], letter: int, client: int) -> bytes:
    """A well-formed update of another client, which puts a text inside a letter: it waits for that, and then breaks."""
    before = SharedDocument()
    before.apply(merge_updates(updates[: letter + 1]))
    ((author, clock),) = read_state_vector(before.state_vector).items()
    inside = write_varuint(author) + write_varuint(clock)
    bomb = b"\x01\x01" + write_varuint(client) + b"\x00\x04\x00" + inside + b"\x01z\x00"
    check_update(bomb)
    return bomb
