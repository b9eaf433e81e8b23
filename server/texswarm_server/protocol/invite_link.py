"""The invite link: `texswarm://HOST:PORT/[PREFIX/]?token=…[&document=UUID][&tls=1&fp=SHA256[&key_fp=SHA256]]`."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.version import DEFAULT_PORT, WEBSOCKET_PATH

_SCHEME = "texswarm"
_TLS_BY_SCHEME = {_SCHEME: None, "ws": False, "wss": True, "http": False, "https": True}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens. `path` is `/ws`, with a prefix in front where a reverse proxy wants one."""

    host: str
    port: int = DEFAULT_PORT
    tls: bool = False
    path: str = WEBSOCKET_PATH

    @property
    def url(self) -> str:
        """The WebSocket address, `ws://…` or `wss://…`."""
        return f"{'wss' if self.tls else 'ws'}://{_bracketed(self.host)}:{self.port}{self.path}"

    @property
    def prefix(self) -> str:
        """What stands in front of `/ws`; empty for a path that is nothing like it."""
        return self.path.removesuffix(WEBSOCKET_PATH) if self.path.endswith(WEBSOCKET_PATH) else ""

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}{self.prefix}"


@dataclass(frozen=True, slots=True)
class InviteLink:
    """An invitation as people pass it on. Without a token it is only an address.

    `fingerprint` is what the server is recognised by: of its key where the link tells it, which lasts longer than a
    certificate. `certificate` is the certificate's, where the link names both, for programs that know nothing of keys.
    """

    address: ServerAddress
    token: str | None = None
    document_id: str | None = None
    fingerprint: str | None = None
    certificate: str | None = None

    def __str__(self) -> str:
        query = {"token": self.token, "document": self.document_id}
        if self.address.tls:
            query |= {"tls": "1", "fp": self.certificate or self.fingerprint}
            query["key_fp"] = self.fingerprint if self.certificate else None
        if self.address.path != f"{self.address.prefix}{WEBSOCKET_PATH}":
            query["path"] = self.address.path
        pairs = {key: value for key, value in query.items() if value is not None}
        text = urlencode(pairs, quote_via=quote)
        return f"{_SCHEME}://{self.address}/" + (f"?{text}" if text else "")


def recognised_by(link: InviteLink, certificate: str | None, key: str | None) -> InviteLink:
    """Return a link to a server that is recognised by these fingerprints, by the key's where there is one."""
    return replace(link, fingerprint=key or certificate, certificate=certificate if key else None)


def parse_invite_link(text: str) -> InviteLink:
    """Read a link, a WebSocket or HTTP address, or a bare `host[:port]`, each with a prefix or without.

    Unknown parameters are ignored. Raises SettingsError when no host can be read from it.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"{_SCHEME}://{text}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"not an address: {text!r}: {error}") from error
    if parts.scheme not in _TLS_BY_SCHEME or not host or any(c.isspace() for c in host):
        raise SettingsError(f"not an address: {text!r}")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    tls = _TLS_BY_SCHEME[parts.scheme]
    address = ServerAddress(
        host=host,
        port=DEFAULT_PORT if port is None else port,
        tls=query.get("tls") == "1" if tls is None else tls,
        path=_path(query.get("path") or f"{parts.path.rstrip('/').removesuffix(WEBSOCKET_PATH)}{WEBSOCKET_PATH}"),
    )
    link = InviteLink(address, query.get("token"), query.get("document"))
    return recognised_by(link, query.get("fp"), query.get("key_fp"))


def _path(text: str) -> str:
    return text if text.startswith("/") else f"/{text}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
