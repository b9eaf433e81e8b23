"""Runs `texswarm sync`: builds the parts, passes them on, and chooses the last words."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from platformdirs import user_data_path

from texswarm_desktop.services.credentials import CredentialStore
from texswarm_desktop.services.secret_store import FileSecretStore, KeyringSecretStore
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.sync.options import SyncOptions, parse
from texswarm_desktop.sync.peer import Peer
from texswarm_desktop.sync.reporter import Ending, Reporter, ending_of
from texswarm_server.protocol.errors import TexSwarmError

_NAME: Final = "texswarm"
_DISK_WORKERS: Final = 4


def main(arguments: Sequence[str]) -> int:
    """Run until it is done or ended; returns the exit status."""
    options = parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    reporter = Reporter(sys.stdout, sys.stderr, as_json=options.as_json)
    try:
        asyncio.run(_run(options, reporter))
        ending = Ending()
    except TexSwarmError as error:
        ending = ending_of(error)
    reporter.ended(ending)
    return ending.status


async def _run(options: SyncOptions, reporter: Reporter) -> None:
    profile = options.profile.resolve() if options.profile else user_data_path(_NAME, appauthor=False)
    secrets = FileSecretStore(profile / "secrets.json")
    with ThreadPoolExecutor(_DISK_WORKERS, thread_name_prefix="disk") as executor:
        kept = secrets if options.profile else KeyringSecretStore(secrets)
        peer = Peer(
            options,
            reporter,
            credentials=CredentialStore(profile, kept, executor),
            settings=SettingsStore(profile).settings,
            executor=executor,
        )
        _stop_on_signals(peer)
        await peer.run()


def _stop_on_signals(peer: Peer) -> None:
    """Windows has neither signal."""
    with suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, peer.stop)
