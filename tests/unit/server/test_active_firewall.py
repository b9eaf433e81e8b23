"""A firewall is known by its files, and that of macOS by its own word."""

import pytest

from texswarm_server.active_firewall import active_firewall
from texswarm_server.protocol.firewall import MACOS_FIREWALL

# As printed by Windows 11 for `reg query … /s /v EnableFirewall`, in German.
REGISTRY = r"""
HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\DomainProfile
    EnableFirewall    REG_DWORD    0x{domain}

HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\PublicProfile
    EnableFirewall    REG_DWORD    0x{public}

HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile
    EnableFirewall    REG_DWORD    0x{standard}

Suche endet: 3 \u00dcbereinstimmungen gefunden.
"""


@pytest.mark.parametrize(
    ("says", "found"),
    [
        (REGISTRY.format(domain=1, public=1, standard=1), "windows"),
        (REGISTRY.format(domain=0, public=1, standard=0), "windows"),
        (REGISTRY.format(domain=0, public=0, standard=0), None),
        ("FEHLER: Der angegebene Registrierungsschl\u00fcssel wurde nicht gefunden.", "windows"),
    ],
)
def test_that_of_windows_is_known_by_its_registry(tmp_path, monkeypatch, says, found):
    program = tmp_path / "reg"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert active_firewall(tmp_path) == found


def test_none_where_there_are_no_files_of_one(tmp_path):
    assert active_firewall(tmp_path) is None


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("echo 'Firewall is enabled. (State = 1)'", "macos"),
        ("echo 'Firewall is disabled. (State = 0)'", None),
        ("exit 1", "macos"),
    ],
)
def test_that_of_macos_is_asked_whether_it_is_on(tmp_path, says, found):
    program = tmp_path / MACOS_FIREWALL.lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n[ "$1" = --getglobalstate ] || exit 2\n{says}\n')
    program.chmod(0o755)
    assert active_firewall(tmp_path) == found
