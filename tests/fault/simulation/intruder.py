"""Somebody who was shut out, with a program of their own: shows every credential there ever was, and writes anyway."""

import asyncio
from typing import Final

from tests.fault.simulation.guests import Guest
from tests.fault.simulation.network import ClientEnd
from tests.fault.simulation.person import Person
from texswarm_server.document import ProjectDocument
from texswarm_server.document.updates import EMPTY_STATE
from texswarm_server.protocol.codec import encode, fact_codec
from texswarm_server.protocol.errors import LinkError, LinkLostError
from texswarm_server.protocol.frames import Update, encode_frame
from texswarm_server.protocol.ids import Handle
from texswarm_server.protocol.messages import Authentication, AuthenticationResult, DocumentOpened, Error, OpenDocument

_PATIENCE_S: Final = 8.0
#: More than a burst, and what is added while somebody tries: servers that start anew have forgotten all of it.
MOST_GUESSES: Final = 45


async def break_in(person: Person, kind: str) -> None:
    """Try everything; `kind`: what was done to the person. Fails where more is possible than should be."""
    tokens = {result.access_token for result in person.credentials.results[-2:]}
    tokens |= {result.refresh_token for result in person.credentials.results}
    if kind == "user":
        tokens.add(person.invite)
    for token in sorted(token for token in tokens if token):
        await _try(person, kind, token)


async def guess(person: Person | Guest, times: int) -> None:
    """Try invitations that nobody made, from the person's address and under their name; after some it must be slow."""
    codes = []
    for number in range(times):
        try:
            end = await person.cable.connect()
        except LinkError:
            continue
        end.send(encode(Authentication(protocol=2, token=f"txi_{number:032}", user_id=person.user_id)))
        result = await _heard(end, AuthenticationResult)
        end.close()
        if isinstance(result, AuthenticationResult):
            codes.append(result.code)
    assert None not in codes, "a guess has let somebody in"
    assert codes.count("token_invalid") <= MOST_GUESSES, f"{codes.count('token_invalid')} guesses were looked at"


async def _try(person: Person, kind: str, token: str) -> None:
    end = await person.cable.connect()
    session_id = person.credentials.session_id
    end.send(encode(Authentication(protocol=2, token=token, user_id=person.user_id, session_id=session_id)))
    result = await _heard(end, AuthenticationResult)
    if isinstance(result, AuthenticationResult) and result.ok:
        assert kind in {"viewer", "member"}, f"{person.name} is in again after {kind}"
        await _write(person, kind, end)
    end.close()


async def _write(person: Person, kind: str, end: ClientEnd) -> None:
    end.send(encode(OpenDocument(document_id=person.replica.document_id, request=1)))
    opened = await _heard(end, DocumentOpened, Error)
    if isinstance(opened, DocumentOpened):
        assert (kind, opened.role) == ("viewer", "viewer"), f"{person.name} opened the document as {opened.role}"
    document = ProjectDocument(client_id=1)
    document.apply(person.replica.update_since(EMPTY_STATE))
    vector = document.state_vector()
    file_id = next(iter(document.files), None)
    if file_id is None:
        return
    document.text(file_id).replace_u16(0, 0, "evil ")
    for handle in range(1, 4):
        end.send(encode_frame(Handle(handle), Update(document.update_since(vector))))
    await asyncio.sleep(1.0)


async def _heard(end: ClientEnd, *kinds: type) -> object:
    """Return the first fact of these kinds, None when none comes."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                frame = await end.receive()
                fact = fact_codec.decode(frame) if isinstance(frame, str) else None
                if isinstance(fact, kinds):
                    return fact
    except (TimeoutError, LinkLostError):
        return None
