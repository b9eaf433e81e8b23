"""Runs `texswarm doctor`: what keeps this computer and a server apart, step by step, without a window."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from texswarm_desktop.client.join_doctor import JoinDoctor, Visitor
from texswarm_desktop.client.proxy_choice import ProxyChoice
from texswarm_desktop.core.doctor import Finding, Level, worst
from texswarm_desktop.services.credentials import CredentialStore
from texswarm_desktop.services.embedded_server import likely_ports
from texswarm_desktop.services.lan_addresses import prefixes_here
from texswarm_desktop.services.machine_facts import ThisMachine
from texswarm_desktop.services.secret_store import FileSecretStore
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_desktop.ui.doctor_texts import line_of, report_head, text_of_finding, verdict_of
from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link

_NAME: Final = "texswarm"


def main(arguments: Sequence[str]) -> int:
    """Look, say what was found as it is found, and return 1 where a problem is in the way."""
    options = _parser().parse_args(arguments)
    return asyncio.run(_run(options))


def _parser() -> argparse.ArgumentParser:
    reader = argparse.ArgumentParser(
        prog="texswarm doctor",
        description="Look for what keeps this computer and a server apart, and say what to do about it.",
    )
    reader.add_argument(
        "link", nargs="?", metavar="LINK", help="where you wish to join; without it, whether others can join here"
    )
    reader.add_argument("--json", action="store_true", help="one line of JSON for each finding")
    reader.add_argument("--profile-dir", type=Path, metavar="DIR", help="sign in as the user of DIR, as texswarm does")
    return reader


async def _run(options: argparse.Namespace) -> int:
    found: list[Finding] = []
    if not options.json:
        _say("\n".join(report_head()))
    visitor = _visitor(options.link, options.profile_dir) if options.link else None
    doctor = JoinDoctor(ThisMachine(), visitor, host_ports=likely_ports(), find_proxy=ProxyChoice(prefixes_here))
    async for each in doctor.examine(options.link):
        found.append(each)
        _say(_as_json(each) if options.json else line_of(each))
    if not options.json:
        _say(f"\n{verdict_of(found)}")
    return int(worst(found) is Level.PROBLEM)


def _visitor(link: str, profile: Path | None) -> Visitor | None:
    """Return who would sign in: who will join by the invitation later, for whom it then still counts once.

    None where this user has joined already: shown again, an invitation would count again.
    """
    folder = profile.resolve() if profile else user_data_path(_NAME, appauthor=False)
    with suppress(SettingsError):
        address = str(InviteLink(parse_invite_link(link).address))
        if any(server.address == address for server in SettingsStore(folder).settings.servers):
            return None
    with ThreadPoolExecutor(1) as executor:
        store = CredentialStore(folder, FileSecretStore(folder / "secrets.json"), executor)
    return Visitor(store.user_id, store.default_name)


def _as_json(found: Finding) -> str:
    text = text_of_finding(found)
    told = {"step": found.step, "level": found.level, "code": found.code, "data": dict(found.data)}
    return json.dumps(told | {"says": text.sentence, "remedy": text.remedy})


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
