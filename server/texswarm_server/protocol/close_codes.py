"""WebSocket close codes and what a client does about each (the table of PROTOCOL.md)."""

from enum import IntEnum

from texswarm_server.protocol.errors import Verdict


class CloseCode(IntEnum):
    """A close code this protocol uses; standard ones keep their RFC 6455 meaning."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    COMING_BACK = 4000
    TOKEN_INVALID = 4401
    FORBIDDEN = 4403
    SILENT = 4408
    REPLACED = 4409
    SESSION_ENDED = 4410
    OTHER_LINEAGE = 4412
    UNSUPPORTED_VERSION = 4426


_STOP: frozenset[int] = frozenset(
    {
        CloseCode.MESSAGE_TOO_BIG,
        CloseCode.FORBIDDEN,
        CloseCode.REPLACED,
        CloseCode.SESSION_ENDED,
        CloseCode.OTHER_LINEAGE,
        CloseCode.UNSUPPORTED_VERSION,
    }
)


def close_verdict(code: int) -> Verdict:
    """Say whether a client that was closed with `code` connects again by itself.

    Codes nobody has defined are treated as an accident of the network: RETRY. 4401 is RETRY, because
    the client first tries its other credentials.
    """
    return Verdict.STOP if code in _STOP else Verdict.RETRY
