"""What a server is told when it starts: every setting with its default, its unit and one sentence about it.

From the fields of `ServerConfig` and `Limits` the command line makes its options, the names of environment variables
and the keys of the configuration file; a field that is added here appears in all of them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from texswarm_server.logs import LogFormat, LogLevel
from texswarm_server.protocol.version import DEFAULT_PORT, Limits

_DAY_S = 24 * 3600.0

ABOUT: Final = "about"


@dataclass(frozen=True, slots=True)
class About:
    """What people are told of a setting. `is_internal`: not one that an operator is shown.

    `may_be_zero`: zero is a time like another. `shown` stands for a default that is found out when the server starts.
    """

    text: str
    section: str = ""
    shown: str = ""
    is_internal: bool = False
    may_be_zero: bool = False


def about(text: str, section: str, *, shown: str = "", zero: bool = False) -> dict[str, About]:
    """Return the metadata of a field that an operator may set."""
    return {ABOUT: About(text, section, shown, may_be_zero=zero)}


def internal(text: str) -> dict[str, About]:
    """Return the metadata of a field that only tests and the desktop set."""
    return {ABOUT: About(text, is_internal=True)}


WHERE: Final = "Where it listens"
ACCESS: Final = "Who gets in"
SESSIONS: Final = "Sessions and connections"
STORAGE: Final = "Storage"
LIMITS: Final = "Limits"
LOGS: Final = "Logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Everything a `CollabServer` needs to know; times in seconds."""

    data: Path = field(metadata=about("folder in which everything is kept", STORAGE, shown="texswarm-data"))
    host: str = field(default="127.0.0.1", metadata=about("address to listen on; 0.0.0.0 or :: for every one", WHERE))
    port: int = field(default=DEFAULT_PORT, metadata=about("port to listen on, 0 for any free one", WHERE))
    tls_cert: Path | None = field(default=None, metadata=about("certificate chain in PEM form", WHERE))
    tls_key: Path | None = field(default=None, metadata=about("private key of the certificate in PEM form", WHERE))
    name: str = field(
        default="TeXSwarm", metadata=about("what people see as the server's name", WHERE, shown="the host's name")
    )
    advertise: str | None = field(
        default=None, metadata=about("announce the server on the local network (mDNS) by this name", WHERE)
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(), metadata=about("addresses or networks of proxies whose X-Forwarded-For is believed", WHERE)
    )
    metrics_from: tuple[str, ...] = field(
        default=("127.0.0.0/8", "::1"),
        metadata=about("addresses or networks that may read /metrics; 0.0.0.0/0 and ::/0 for everybody", WHERE),
    )
    open: bool = field(
        default=False, metadata=about("let everybody in without an invitation, to every document", ACCESS)
    )
    access_ttl_s: float = field(
        default=3600.0, metadata=about("life of an access token; it is renewed by itself", ACCESS)
    )
    refresh_idle_s: float = field(
        default=30 * _DAY_S, metadata=about("after this absence a sign-in needs a new invitation", ACCESS)
    )
    key_days: float = field(default=30.0, metadata=about("days after which access tokens are signed anew", ACCESS))
    audit_days: float = field(default=90.0, metadata=about("days for which the audit log is kept", ACCESS))
    lobby_s: float = field(
        default=600.0, metadata=about("how long somebody who must be let in by an owner may wait for it", ACCESS)
    )
    grace_s: float = field(default=3 * 3600.0, metadata=about("how long a session outlives its connection", SESSIONS))
    idle_s: float = field(
        default=0.0,
        metadata=about("a session that sends nothing for so long is ended; 0 for never", SESSIONS, zero=True),
    )
    presence_grace_s: float = field(
        default=30.0, metadata=about("how long a lost person is shown as reconnecting", SESSIONS)
    )
    auth_timeout_s: float = field(
        default=10.0, metadata=about("a connection that has not signed in by then is closed", SESSIONS)
    )
    heartbeat_s: float = field(default=10.0, metadata=about("how often a silent connection is pinged", SESSIONS))
    dead_after_s: float = field(
        default=25.0, metadata=about("a connection that has been silent for so long is given up", SESSIONS)
    )
    idle_document_s: float = field(
        default=60.0, metadata=about("a document that nobody has open is unloaded after this", STORAGE)
    )
    max_backlog_bytes: int = field(
        default=256 * 1024 * 1024,
        metadata=about("changes kept in memory while the disk refuses; above it, edits are refused", STORAGE),
    )
    blob_grace_s: float = field(
        default=14 * _DAY_S,
        metadata=about("how long a binary file is kept that neither a document nor its history names", STORAGE),
    )
    blob_unfinished_s: float = field(
        default=_DAY_S, metadata=about("how long the part of a binary file is kept whose rest does not come", STORAGE)
    )
    log_level: LogLevel = field(default="info", metadata=about("the least important messages that are logged", LOGS))
    log_format: LogFormat = field(default="text", metadata=about("one line of text an event, or one JSON object", LOGS))
    max_connections: int = field(default=10_000, metadata=about("connections that have signed in", LIMITS))
    max_connections_per_address: int | None = field(
        default=None, metadata=about("connections of one IP address (an IPv6 network of 64 bits)", LIMITS)
    )
    max_unauthenticated: int = field(default=2_000, metadata=about("connections that have not signed in yet", LIMITS))
    drain_s: float = field(
        default=3.0,
        metadata=about("over how long clients are told to connect again when the server ends", SESSIONS, zero=True),
    )
    presence_renewal_s: float = field(
        default=12.0,
        metadata=internal("how often clients that forget presence are told of it anew"),
    )
    housekeeping_s: float = field(default=1.0, metadata=internal("how often what is due is looked for"))
    blob_care_s: float = field(
        default=3600.0, metadata=internal("how often binary files that nothing names are looked for")
    )
    limits: Limits = field(default_factory=Limits, metadata=about("", LIMITS))


ABOUT_LIMITS: Final = {
    "max_frame_bytes": "one message of a connection that has signed in",
    "max_unauthenticated_frame_bytes": "one message before signing in",
    "max_document_bytes": "one document, with its history",
    "max_presence_bytes": "what one person tells of where they are",
    "max_title_chars": "characters of a document's title",
    "max_name_chars": "characters of a person's name",
    "max_documents_per_user": "documents that one user owns",
    "max_open_documents": "documents that one session has open at a time",
    "max_blob_bytes": "one binary file of a document: a figure",
    "max_document_blob_bytes": "all binary files of one document",
    "max_blob_chunk_bytes": "one part in which a binary file travels",
    "max_sessions_per_user": "sessions of one user: windows and devices",
}
