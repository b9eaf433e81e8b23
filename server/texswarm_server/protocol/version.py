"""Protocol versions, the paths of the three wires, and the limits that one side tells the other."""

from typing import Final

import msgspec

PROTOCOL_VERSION: Final = 2
LEGACY_PROTOCOL_VERSION: Final = 1
#: The first of the versions that are spoken here; all up to PROTOCOL_VERSION are.
OLDEST_PROTOCOL_VERSION: Final = LEGACY_PROTOCOL_VERSION
DEFAULT_PORT: Final = 8091
WEBSOCKET_PATH: Final = "/ws"
YJS_PATH: Final = "/yjs/"
PAIRING_PATH: Final = "/pair"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection, session or document may grow to; sent to the client in `AuthenticationResult`.

    A frame over `max_frame_bytes` closes the connection with 1009; every other limit has a typed answer.
    """

    max_frame_bytes: int = 64 * 1024 * 1024
    max_unauthenticated_frame_bytes: int = 64 * 1024
    max_document_bytes: int = 512 * 1024 * 1024
    max_presence_bytes: int = 16 * 1024
    max_title_chars: int = 200
    max_name_chars: int = 80
    max_documents_per_user: int = 1_000
    max_open_documents: int = 64
    max_sessions_per_user: int = 16
    max_blob_bytes: int = 50 * 1024 * 1024
    max_document_blob_bytes: int = 2 * 1024 * 1024 * 1024
    max_blob_chunk_bytes: int = 256 * 1024
