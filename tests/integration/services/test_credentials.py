"""Sign-ins on a real disk. No key ring of this machine is touched: one is made up, and one is broken."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from texswarm_desktop.services.credentials import CredentialStore, ServerCredentials
from texswarm_desktop.services.secret_store import FileSecretStore, KeyringSecretStore
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import AuthenticationResult, TokenRenewed

LAB, OTHER = ServerAddress("lab.example"), ServerAddress("lab.example", 9000)
SIGNED_IN = AuthenticationResult(
    ok=True, user_id="u-1", session_id="s-1", access_token="access", expires_at=9.0, refresh_token="refresh"
)


class LaterExecutor(Executor):
    """Holds its jobs until it is told to do them, the last one first: as unlucky as several workers can be."""

    def __init__(self) -> None:
        self._jobs: list[Callable[[], Any]] = []

    def submit(self, job: Callable[..., Any], /, *values: Any, **named: Any) -> "Future[Any]":
        self._jobs.append(lambda: job(*values, **named))
        return Future()

    def do_all(self) -> None:
        while self._jobs:
            self._jobs.pop()()


class MemoryKeyring:
    """A key ring that keeps, and may fail from some moment on."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, secret: str) -> None:
        self._check()
        self.kept[service, name] = secret

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        self.kept.pop((service, name), None)

    def _check(self) -> None:
        if self.error is not None:
            raise self.error


def store(profile: Path, executor: Executor) -> CredentialStore:
    return CredentialStore(profile, FileSecretStore(profile / "secrets.json"), executor)


def signed_in(profile: Path, *, invite: str | None = "invite") -> None:
    """Sign in at the lab; returns when that is kept."""
    with ThreadPoolExecutor(1) as executor:
        credentials = asyncio.run(store(profile, executor).for_server(LAB, invite=invite))
        credentials.signed_in(SIGNED_IN)


def again(profile: Path, address: ServerAddress = LAB) -> ServerCredentials:
    with ThreadPoolExecutor(1) as executor:
        return asyncio.run(store(profile, executor).for_server(address))


def test_the_installation_keeps_its_user_id(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    first = store(tmp_path, executor).user_id
    assert store(tmp_path, executor).user_id == first
    (tmp_path / "identity.json").write_bytes(b"nonsense")
    assert store(tmp_path, executor).user_id not in {first, ""}


def test_a_sign_in_survives_a_restart_without_the_short_lived_part(tmp_path: Path) -> None:
    signed_in(tmp_path)
    kept = again(tmp_path)
    assert (kept.user_id, kept.refresh_token, kept.access_token, kept.invite) == ("u-1", "refresh", None, None)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert b"access" not in (tmp_path / "secrets.json").read_bytes()


def test_servers_do_not_share_what_they_gave(tmp_path: Path) -> None:
    signed_in(tmp_path)
    assert again(tmp_path, OTHER).refresh_token is None


def test_an_invite_goes_when_something_better_came(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    credentials = asyncio.run(store(tmp_path, executor).for_server(LAB, invite="invite"))
    assert credentials.invite == "invite"
    credentials.signed_in(SIGNED_IN)
    credentials.renewed(TokenRenewed(access_token="fresh", expires_at=20.0))
    assert (credentials.invite, credentials.access_token, credentials.access_expires_at) == (None, "fresh", 20.0)


@pytest.mark.parametrize("kind", ["access", "refresh", "invite"])
def test_what_was_refused_is_forgotten_and_nothing_else(tmp_path: Path, kind: str) -> None:
    signed_in(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        credentials = asyncio.run(store(tmp_path, executor).for_server(LAB, invite="new"))
        credentials.renewed(TokenRenewed(access_token="fresh", expires_at=20.0))
        credentials.refused(kind, "token_revoked")
    left = {"access": credentials.access_token, "refresh": credentials.refresh_token, "invite": credentials.invite}
    assert [name for name, value in left.items() if value is None] == [kind]
    assert (again(tmp_path).refresh_token is None) == (kind == "refresh")


def test_the_latest_word_counts_whichever_worker_is_first(tmp_path: Path) -> None:
    later = LaterExecutor()
    secrets = FileSecretStore(tmp_path / "secrets.json")
    credentials = CredentialStore(tmp_path, secrets, later)
    one = ServerCredentials(
        user_id="u", refresh_token=None, invite=None, save=lambda secret: credentials._save_later("lab", secret)
    )
    one.signed_in(SIGNED_IN)
    one.refused("refresh", "token_revoked")
    later.do_all()
    assert secrets.get("lab") is None


def test_a_key_ring_is_used_when_there_is_one(tmp_path: Path) -> None:
    keyring, path = MemoryKeyring(), tmp_path / "secrets.json"
    secrets = KeyringSecretStore(FileSecretStore(path), load_keyring=lambda: keyring)
    secrets.set("lab", "secret")
    assert (secrets.get("lab"), path.exists()) == ("secret", False)
    secrets.set("lab", None)
    assert (secrets.get("lab"), keyring.kept) == (None, {})


def back_end_error() -> Exception:
    """What a Linux desktop's key ring raises when nobody answers it; no relative of the key ring's own errors."""
    return pytest.importorskip("secretstorage.exceptions").SecretStorageException("the prompt was dismissed")


@pytest.mark.parametrize("error", [RuntimeError("locked"), OSError("no bus"), back_end_error, None])
def test_the_file_serves_where_the_key_ring_does_not(tmp_path: Path, error: Any) -> None:
    keyring = MemoryKeyring()
    keyring.error = error() if callable(error) else error
    load: Callable[[], Any] = (lambda: keyring) if error else (lambda: None)
    secrets = KeyringSecretStore(FileSecretStore(tmp_path / "secrets.json"), load_keyring=load)
    secrets.set("lab", "secret")
    assert secrets.get("lab") == "secret"
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"[1]", b'{"lab.example:8091": 5}', b'{"lab.example:8091": "[]"}']
)
def test_a_broken_file_of_secrets_holds_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secrets.json").write_bytes(content)
    assert again(tmp_path).refresh_token is None
