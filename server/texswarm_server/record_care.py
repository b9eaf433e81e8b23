"""What a running server does about records that grow old: the audit log, and the keys that sign access tokens."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from texswarm_server.config import ServerConfig
from texswarm_server.sessions.access_tokens import AccessTokens
from texswarm_server.sessions.administration import rotate_keys
from texswarm_server.sessions.audit import SERVER
from texswarm_server.sessions.credentials import RandomBytes
from texswarm_server.sessions.records import Records
from texswarm_server.sessions.signing_keys import SigningKey, keys_for_start, load_keys, verifying
from texswarm_server.storage.store import Store, log_failure

if TYPE_CHECKING:
    import asyncio

_EVERY_S: Final = 3600.0
_DAY_S: Final = 86400.0


class RecordCare:
    """`on_keys_dropped` is called when tokens that were given out are not accepted any more."""

    def __init__(
        self,
        store: Store,
        tokens: AccessTokens,
        config: ServerConfig,
        *,
        random: RandomBytes,
        wall_clock: Callable[[], float],
        on_keys_dropped: Callable[[], None],
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._config = config
        self._random = random
        self._wall_clock = wall_clock
        self._on_keys_dropped = on_keys_dropped
        self._due_at = 0.0

    def tick(self, now: float) -> None:
        """Look after the records when it is time; `now` by the loop's clock."""
        if now >= self._due_at:
            self._due_at = now + _EVERY_S
            self._store.run(self._look_after).add_done_callback(log_failure)

    def use_newest_key(self) -> None:
        """Sign with the key that was made last, once it is read."""
        self._store.run(load_keys).add_done_callback(self._use)

    def _look_after(self, records: Records) -> None:
        """Forget what is old in the log, and sign with a new key when the present one was used for long enough."""
        now = self._wall_clock()
        records.prune_audit(now - self._config.audit_days * _DAY_S)
        keys = keys_for_start(records, self._random, now=now, ttl_s=self._tokens.ttl_s)
        if now - keys[-1].made_at > self._config.key_days * _DAY_S:
            rotate_keys(records, actor=SERVER, random=self._random, now=now)

    def _use(self, loaded: "asyncio.Future[list[SigningKey]]") -> None:
        if loaded.cancelled() or loaded.exception() or not loaded.result():
            return
        if self._tokens.use(*verifying(loaded.result())):
            self._on_keys_dropped()
