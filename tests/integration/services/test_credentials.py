"""Sign-ins on a real disk. No key ring of this machine is touched: one is made up, and one is broken."""

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.helpers.run_async import until
from texswarm_desktop.services.credentials import CredentialStore, SecretPlace, ServerCredentials
from texswarm_desktop.services.secret_store import FileSecretStore, KeyringSecretStore, SecretStore
from texswarm_server.protocol.errors import NotWritableError
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
        self.is_prompt = False

    def submit(self, job: Callable[..., Any], /, *values: Any, **named: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        if self.is_prompt:
            done.set_result(job(*values, **named))
        else:
            self._jobs.append(lambda: job(*values, **named))
        return done

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


class HereAndNow:
    """A loop of which only one thing is asked."""

    def call_soon_threadsafe(self, call: Callable[..., None], *values: Any) -> None:
        call(*values)


class BrokenStore:
    """Secrets in memory, on a disk that may be full."""

    def __init__(self) -> None:
        self.secrets: dict[str, str | None] = {}
        self.is_full = False

    def get(self, name: str) -> str | None:
        return self.secrets.get(name)

    def set(self, name: str, secret: str | None) -> None:
        if self.is_full:
            raise NotWritableError("full")
        self.secrets[name] = secret


class SlowStore(BrokenStore):
    """Lets every other thread in between a reading and the writing that follows."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets["lab"] = '{"refresh_token": "first"}'
        self.written: list[str | None] = []
        self._together = threading.Barrier(2)

    def get(self, name: str) -> str | None:
        found = super().get(name)
        with suppress(threading.BrokenBarrierError):
            self._together.wait(timeout=0.02)
        return found

    def set(self, name: str, secret: str | None) -> None:
        super().set(name, secret)
        self.written.append(secret)


@pytest.fixture
def at_the_lab(tmp_path: Path) -> Callable[..., ServerCredentials]:
    """Make the credentials of one more window."""

    def made(secrets: SecretStore, executor: Executor, *, refresh_token: str | None = None) -> ServerCredentials:
        place = SecretPlace(secrets, "lab", executor, HereAndNow(), lock=tmp_path / "sign-ins.lock")
        return ServerCredentials(user_id="u", refresh_token=refresh_token, invite=None, place=place)

    return made


def rotated(token: str) -> AuthenticationResult:
    return msgspec.structs.replace(SIGNED_IN, refresh_token=token)


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


def at(profile: Path, address: ServerAddress, fingerprint: str | None) -> ServerCredentials:
    with ThreadPoolExecutor(1) as executor:
        return asyncio.run(store(profile, executor).for_server(address, fingerprint=fingerprint))


def test_a_host_that_is_known_by_its_key_is_the_same_at_another_address_and_nobody_else_is(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        credentials = asyncio.run(store(tmp_path, executor).for_server(LAB, invite="invite", fingerprint="ab" * 32))
        credentials.signed_in(SIGNED_IN)
    assert at(tmp_path, OTHER, ":".join(["AB"] * 32)).refresh_token == "refresh"
    for stranger in ("cd" * 32, None):
        assert at(tmp_path, LAB, stranger).refresh_token is None
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(store(tmp_path, executor).forget(OTHER, "ab" * 32))
    assert at(tmp_path, LAB, "ab" * 32).refresh_token is None


def test_who_signed_out_asks_for_the_same_id_the_next_time(tmp_path: Path) -> None:
    signed_in(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(store(tmp_path, executor).forget(LAB))
    assert (again(tmp_path).user_id, again(tmp_path).refresh_token) == ("u-1", None)
    assert b"refresh" not in (tmp_path / "secrets.json").read_bytes()


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


def test_what_a_server_does_not_know_is_kept_until_there_is_another(tmp_path: Path) -> None:
    signed_in(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        credentials = asyncio.run(store(tmp_path, executor).for_server(LAB, invite="new"))
        credentials.refused("refresh", "token_invalid")  # it was begun anew, and its backup may be put back
    assert again(tmp_path).refresh_token == "refresh"
    with ThreadPoolExecutor(1) as executor:
        credentials = asyncio.run(store(tmp_path, executor).for_server(LAB))
        credentials.signed_in(rotated("another"))  # by an invitation
    assert again(tmp_path).refresh_token == "another"


def test_the_latest_word_counts_whichever_worker_is_first(tmp_path: Path, at_the_lab: Any) -> None:
    later = LaterExecutor()
    secrets = FileSecretStore(tmp_path / "secrets.json")
    one = at_the_lab(secrets, later)
    one.signed_in(SIGNED_IN)
    one.refused("refresh", "token_revoked")
    later.do_all()
    assert secrets.get("lab") == '{"user_id":"u-1"}'


# ── refresh tokens that change with each use ────────────────────────────────────────────────────────────────


def kept_in(secrets: SecretStore) -> str | None:
    return json.loads(secrets.get("lab") or "{}").get("refresh_token")


def test_a_successor_is_shown_once_it_is_durable_and_not_before(tmp_path: Path, at_the_lab: Any) -> None:
    secrets, later = FileSecretStore(tmp_path / "secrets.json"), LaterExecutor()
    one = at_the_lab(secrets, later, refresh_token="first")
    one.signed_in(rotated("second"))
    assert one.refresh_token == "first"
    later.do_all()
    assert (one.refresh_token, kept_in(secrets)) == ("second", "second")


@pytest.mark.expects_log
def test_while_the_disk_is_full_the_old_one_is_good_and_the_next_one_is_kept_after(
    caplog: Any, at_the_lab: Any
) -> None:
    secrets, later = BrokenStore(), LaterExecutor()
    secrets.secrets["lab"] = '{"refresh_token": "first"}'
    one = at_the_lab(secrets, later, refresh_token="first")
    secrets.is_full = True
    one.signed_in(rotated("second"))
    later.do_all()
    assert (one.refresh_token, kept_in(secrets)) == ("first", "first")
    assert "could not be kept" in caplog.text
    secrets.is_full = False
    one.signed_in(rotated("third"))
    later.do_all()
    assert (one.refresh_token, kept_in(secrets)) == ("third", "third")


@pytest.mark.expects_log
def test_a_first_refresh_token_is_used_even_if_it_cannot_be_kept(caplog: Any, at_the_lab: Any) -> None:
    secrets, later = BrokenStore(), LaterExecutor()
    secrets.is_full = True
    one = at_the_lab(secrets, later)
    one.signed_in(SIGNED_IN)
    later.do_all()
    assert one.refresh_token == "refresh"
    assert "could not be kept" in caplog.text


def test_another_windows_successor_is_taken_over_before_the_next_use(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"

    async def story() -> None:
        with ThreadPoolExecutor(1) as executor:
            one, other = [await store(tmp_path, executor).for_server(LAB, invite="invite") for _ in range(2)]
            one.signed_in(SIGNED_IN)
            await until(lambda: path.exists() and b"refresh_token" in path.read_bytes())
            await other.catch_up()
            assert other.refresh_token == "refresh"
            other.signed_in(rotated("second"))
            await until(lambda: other.refresh_token == "second")
            await one.catch_up()
            assert one.refresh_token == "second"

    asyncio.run(story())


def test_of_two_successors_the_first_that_is_kept_is_everybodys(tmp_path: Path, at_the_lab: Any) -> None:
    secrets, later = FileSecretStore(tmp_path / "secrets.json"), LaterExecutor()
    secrets.set("lab", '{"refresh_token": "first"}')
    one, other = [at_the_lab(secrets, later, refresh_token="first") for _ in range(2)]
    one.signed_in(rotated("of one"))
    later.do_all()
    other.signed_in(rotated("of the other"))
    later.do_all()
    assert (one.refresh_token, other.refresh_token, kept_in(secrets)) == ("of one", "of one", "of one")


def test_windows_that_keep_at_the_same_moment_read_and_write_one_after_the_other(at_the_lab: Any) -> None:
    """Whoever reads between another's reading and writing puts an older token back."""
    secrets = SlowStore()
    with ThreadPoolExecutor(8) as executor:
        windows = [at_the_lab(secrets, executor, refresh_token="first") for _ in range(8)]
        for number, one in enumerate(windows):
            one.signed_in(rotated(f"of {number}"))
    assert len(secrets.written) == 8
    assert len(set(secrets.written)) == 1


@pytest.mark.expects_log
def test_a_successor_that_could_not_be_kept_gives_way_to_what_another_window_kept(caplog: Any, at_the_lab: Any) -> None:
    secrets, later = BrokenStore(), LaterExecutor()
    secrets.secrets["lab"] = '{"refresh_token": "first"}'
    one = at_the_lab(secrets, later, refresh_token="first")
    secrets.is_full = True
    one.signed_in(rotated("of one"))
    later.do_all()
    secrets.is_full, secrets.secrets["lab"] = False, '{"refresh_token": "of the other"}'
    later.is_prompt = True
    asyncio.run(one.catch_up())
    assert one.refresh_token == "of the other"
    one.signed_in(rotated("next"))
    later.do_all()
    assert (one.refresh_token, kept_in(secrets)) == ("next", "next")
    assert "could not be kept" in caplog.text


def test_what_is_refused_here_is_not_taken_from_a_window_that_signed_in_anew(tmp_path: Path, at_the_lab: Any) -> None:
    secrets, later = FileSecretStore(tmp_path / "secrets.json"), LaterExecutor()
    old = at_the_lab(secrets, later, refresh_token="first")
    new = at_the_lab(secrets, later)
    new.signed_in(rotated("of a new sign-in"))
    old.refused("refresh", "token_revoked")
    old.invite = "spent"
    old.signed_in(msgspec.structs.replace(SIGNED_IN, refresh_token=None))
    later.do_all()
    assert kept_in(secrets) == "of a new sign-in"


def test_two_windows_that_keep_different_secrets_keep_both(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda name: FileSecretStore(path).set(str(name), f"secret {name}"), range(40)))
    assert [FileSecretStore(path).get(str(name)) for name in range(40)] == [f"secret {name}" for name in range(40)]


# ── invites ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invite_that_was_not_used_survives_a_restart(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(store(tmp_path, executor).for_server(LAB, invite="invite"))
    assert (again(tmp_path).invite, again(tmp_path, OTHER).invite) == ("invite", None)


@pytest.mark.parametrize("end", ["used", "refused"])
def test_an_invite_that_was_used_or_refused_is_not_kept(tmp_path: Path, end: str) -> None:
    with ThreadPoolExecutor(1) as executor:
        credentials = asyncio.run(store(tmp_path, executor).for_server(LAB, invite="invite"))
        credentials.signed_in(SIGNED_IN) if end == "used" else credentials.refused("invite", "invite_expired")
    assert again(tmp_path).invite is None


def test_the_invite_of_a_server_that_makes_one_for_each_start_is_not_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(store(tmp_path, executor).for_server(LAB, invite="invite", key="embedded"))
        assert asyncio.run(store(tmp_path, executor).for_server(LAB, key="embedded")).invite is None


# ── key rings ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_ring_that_fails_once_does_not_bring_back_an_older_secret(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    secrets = KeyringSecretStore(FileSecretStore(tmp_path / "secrets.json"), load_keyring=lambda: keyring)
    secrets.set("lab", "older")
    keyring.error = RuntimeError("locked")
    secrets.set("lab", "newer")
    keyring.error = None
    assert secrets.get("lab") == "newer"
    secrets.set("lab", "newest")
    assert (secrets.get("lab"), list(keyring.kept.values())) == ("newest", ["newest"])


def test_a_key_ring_is_used_when_there_is_one(tmp_path: Path) -> None:
    keyring, path = MemoryKeyring(), tmp_path / "secrets.json"
    secrets = KeyringSecretStore(FileSecretStore(path), load_keyring=lambda: keyring)
    secrets.set("lab", "secret")
    assert (secrets.get("lab"), path.exists()) == ("secret", False)
    secrets.set("lab", None)
    assert (secrets.get("lab"), keyring.kept) == (None, {})


@pytest.mark.parametrize("is_there", [True, False])
def test_what_a_locked_key_ring_keeps_is_found_no_more_once_it_is_forgotten(tmp_path: Path, is_there: bool) -> None:
    keyring, path = MemoryKeyring(), tmp_path / "secrets.json"
    KeyringSecretStore(FileSecretStore(path), load_keyring=lambda: keyring).set("lab", "secret")
    keyring.error = RuntimeError("locked")
    secrets = KeyringSecretStore(FileSecretStore(path), load_keyring=lambda: keyring if is_there else None)
    secrets.set("lab", None)
    assert secrets.get("lab") is None
    keyring.error = None
    secrets = KeyringSecretStore(FileSecretStore(path), load_keyring=lambda: keyring)
    assert (secrets.get("lab"), keyring.kept, path.read_text()) == (None, {}, "{}")


def test_a_key_ring_that_is_locked_is_told_from_one_that_holds_nothing(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    secrets = KeyringSecretStore(FileSecretStore(tmp_path / "secrets.json"), load_keyring=lambda: keyring)
    assert (secrets.get("lab"), secrets.is_shut("lab")) == (None, False)
    secrets.set("lab", "secret")
    keyring.error = RuntimeError("locked")
    assert (secrets.get("lab"), secrets.is_shut("lab")) == (None, True)
    keyring.error = None
    assert (secrets.get("lab"), secrets.is_shut("lab")) == ("secret", False)


def test_a_key_ring_that_does_not_answer_holds_nobody_up_and_serves_once_it_does(tmp_path: Path) -> None:
    keyring, answers = MemoryKeyring(), threading.Event()
    keyring.kept = {("texswarm", "lab"): "kept"}
    keyring._check = answers.wait  # type: ignore[method-assign, assignment]
    file = FileSecretStore(tmp_path / "secrets.json")
    secrets = KeyringSecretStore(file, load_keyring=lambda: keyring, patience_s=0.01)
    assert (secrets.get("lab"), secrets.is_shut("lab")) == (None, True)
    secrets.set("other", "new")
    assert (secrets.get("other"), file.get("other")) == ("new", "new")
    answers.set()
    asyncio.run(until(lambda: secrets.get("lab") == "kept"))
    assert not secrets.is_shut("lab")


def test_a_key_ring_that_takes_its_time_serves_all_who_ask_at_once(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    keyring, answers = MemoryKeyring(), threading.Event()
    keyring.kept = {("texswarm", name): name for name in ("lab", "office")}
    keyring._check = answers.wait  # type: ignore[method-assign, assignment]
    secrets = KeyringSecretStore(FileSecretStore(tmp_path / "secrets.json"), load_keyring=lambda: keyring)
    asked = [executor.submit(secrets.get, name) for name in ("lab", "office")]
    answers.set()
    assert [one.result() for one in asked] == ["lab", "office"]


def test_who_was_known_in_a_locked_key_ring_is_known_again_once_it_is_open(
    tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    keyring = MemoryKeyring()
    place = {"refresh_token": "r", "user_id": "bob at the lab"}
    keyring.kept = {("texswarm", "lab.example:8091"): json.dumps(place)}
    keyring.error = RuntimeError("locked")
    secrets = KeyringSecretStore(FileSecretStore(tmp_path / "secrets.json"), load_keyring=lambda: keyring)

    async def story() -> None:
        credentials = await CredentialStore(tmp_path, secrets, executor).for_server(LAB)
        assert (credentials.refresh_token, credentials.is_shut) == (None, True)
        keyring.error = None
        await credentials.catch_up()
        assert (credentials.refresh_token, credentials.user_id) == ("r", "bob at the lab")
        assert not credentials.is_shut

    asyncio.run(story())


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
