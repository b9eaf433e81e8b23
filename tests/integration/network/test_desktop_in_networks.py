"""A whole desktop on a machine of its own: the system's word about cables and addresses reaches its status line."""

import re
from pathlib import Path

from tests.helpers.lab_desk import LabServer, desktop_on
from tests.helpers.network_lab import NetworkLab, needs_network_lab
from tests.helpers.run_async import runs_async

SAVED = "Connected · all changes saved"


@needs_network_lab
@runs_async
async def test_a_cable_that_is_pulled_is_called_offline_and_one_that_is_back_is_used(tmp_path: Path) -> None:
    with NetworkLab() as lab:
        office = lab.network()
        server = LabServer(lab.host("server", office), tmp_path / "data", is_open=False)
        adas = lab.host("ada", office)
        async with desktop_on(adas, tmp_path / "ada") as ada:
            await ada.until("ready", bool)
            await ada.do("share", link=server.invitation("--role", "owner"))
            await ada.until("status", lambda status: status["text"] == SAVED)
            adas.unplug()
            await ada.do("type", text="alone. ")
            status = await ada.until("status", lambda status: status["text"].startswith("Offline"))
            assert re.fullmatch(r"Offline · [1-9]\d* edits? waiting", status["text"])
            adas.plug()
            status = await ada.until("status", lambda status: status["text"] == SAVED)
    assert (status["dialogs"], status["unacknowledged"]) == ([], 0)
