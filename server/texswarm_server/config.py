"""What a server is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from texswarm_server.protocol.version import DEFAULT_PORT, Limits

_DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Everything a `CollabServer` needs to know; times in seconds.

    `open`: people come in without an invite and see every document. `grace_s`: how long a session outlives its
    connection. `heartbeat_s` and `dead_after_s`: how often a silent connection is pinged, and when it is given up.
    `drain_s`: over how long the goodbyes are spread when the process is asked to end.
    `max_connections`: signed-in connections; `max_connections_per_address`: of one IP address, None for any number;
    `max_unauthenticated`: connections that have not signed in yet.
    `trusted_proxies`: addresses or networks whose `X-Forwarded-For` is believed.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    name: str = "TeXSwarm"
    open: bool = False
    trusted_proxies: tuple[str, ...] = ()
    max_connections: int = 10_000
    max_connections_per_address: int | None = None
    max_unauthenticated: int = 2_000
    tls_cert: Path | None = None
    tls_key: Path | None = None
    access_ttl_s: float = 3600.0
    refresh_idle_s: float = 30 * _DAY_S
    grace_s: float = 3 * 3600.0
    presence_grace_s: float = 30.0
    auth_timeout_s: float = 10.0
    heartbeat_s: float = 10.0
    dead_after_s: float = 25.0
    idle_document_s: float = 60.0
    drain_s: float = 3.0
    housekeeping_s: float = 1.0
    max_backlog_bytes: int = 256 * 1024 * 1024
    limits: Limits = field(default_factory=Limits)
