"""Which certificates hosts showed that the user has trusted: `known-hosts.json` in the profile folder."""

import json
import logging
from pathlib import Path
from types import MappingProxyType
from typing import Final

from texswarm_desktop.services.atomic_file import write_atomically
from texswarm_server.protocol.errors import StorageError

_log: Final = logging.getLogger(__name__)
_MOST: Final = 500


class KnownHosts:
    """Fingerprints by what a host is known by: its id, or `host:port`; stored as far as the disk allows."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._fingerprints: dict[str, str] | None = None

    @property
    def fingerprints(self) -> MappingProxyType[str, str]:
        """All of them."""
        return MappingProxyType(self._loaded())

    def remember(self, key: str, fingerprint: str) -> None:
        """Trust a certificate from now on, instead of another one there may have been."""
        known = self._loaded()
        if known.get(key) == fingerprint:
            return
        known.pop(key, None)
        known[key] = fingerprint
        for oldest in list(known)[:-_MOST]:
            del known[oldest]
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps(known, indent=1).encode())
        except (OSError, StorageError) as error:
            _log.info("known hosts are kept until the end only: %s", error)

    def _loaded(self) -> dict[str, str]:
        if self._fingerprints is None:
            self._fingerprints = self._read()
        return self._fingerprints

    def _read(self) -> dict[str, str]:
        """Return what is stored; of a damaged file nothing, so that everybody is compared anew."""
        try:
            stored = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(stored, dict):
            return {}
        return {str(key): value for key, value in stored.items() if isinstance(value, str)}
