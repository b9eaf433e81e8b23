"""What members who synchronise are told; many who come at the same moment ask for the same."""

from typing import Final

from texswarm_server.document.shared_document import SharedDocument
from texswarm_server.protocol.errors import ErrorCode, MalformedUpdateError, RejectedError
from texswarm_server.protocol.frames import SyncStep1, SyncStep2, encode_frame
from texswarm_server.protocol.ids import Handle

_KEPT: Final = 8
_LARGE_BYTES: Final = 1024 * 1024


class SyncAnswers:
    """Payloads for the document as it is. Invariant: `forget` was called when it changed."""

    def __init__(self, handle: Handle, document: SharedDocument) -> None:
        self._handle = handle
        self._document = document
        self._answers: dict[bytes, bytes] = {}
        self._state_vector: bytes | None = None

    def step_1(self) -> bytes:
        """Return what the document has."""
        if self._state_vector is None:
            self._state_vector = self._document.state_vector
        return encode_frame(self._handle, SyncStep1(self._state_vector))

    def step_2(self, state_vector: bytes) -> bytes:
        """Return what a replica with `state_vector` lacks; raises RejectedError where it is none."""
        payload = self._answers.get(state_vector)
        if payload is None:
            try:
                payload = encode_frame(self._handle, SyncStep2(self._document.update_since(state_vector)))
            except MalformedUpdateError as error:
                raise RejectedError(ErrorCode.UPDATE_INVALID, "state vector") from error
            if len(self._answers) >= _KEPT or len(payload) > _LARGE_BYTES:
                self._answers.clear()
            self._answers[state_vector] = payload
        return payload

    def forget(self) -> None:
        """The document is about to change: what was said of it will not be true."""
        self._answers.clear()
        self._state_vector = None
