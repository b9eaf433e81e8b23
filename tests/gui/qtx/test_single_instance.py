"""One desktop per profile takes the links of later starts; what a killed one left behind stops nobody."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket

from texswarm_desktop.qtx.single_instance import LinkReceiver, hand_over, private_folder, socket_name


@pytest.fixture
def name(tmp_path: Path) -> str:
    return socket_name(tmp_path)


@pytest.fixture
def receiver(qtbot, name: str):
    made = LinkReceiver(name)
    assert made.start()
    yield made
    made.close()


def test_a_later_start_hands_its_link_over(qtbot, receiver: LinkReceiver, name: str) -> None:
    link = "texswarm://host:8091/?token=abc"
    program = "import sys; from texswarm_desktop.qtx.single_instance import hand_over; print(hand_over(*sys.argv[1:]))"
    with qtbot.waitSignal(receiver.link_received, timeout=20_000) as received:
        later = subprocess.Popen([sys.executable, "-c", program, name, link], stdout=subprocess.PIPE, text=True)
    assert (received.args, later.communicate()[0]) == ([link], "True\n")


def test_where_nobody_runs_nobody_takes_it(qtbot, name: str) -> None:
    assert not hand_over(name, "texswarm://host:8091/")


def test_a_second_desktop_leaves_the_links_to_the_first(qtbot, receiver: LinkReceiver, name: str) -> None:
    second = LinkReceiver(name)
    assert not second.start()
    second.close()


def test_a_socket_that_a_killed_desktop_left_is_replaced(qtbot, tmp_path: Path) -> None:
    import socket

    path = str(tmp_path / "left")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    receiver = LinkReceiver(path)
    assert receiver.start()
    receiver.close()


def test_profiles_do_not_take_each_others_links(tmp_path: Path) -> None:
    assert socket_name(tmp_path / "one") != socket_name(tmp_path / "other")
    assert len(socket_name(tmp_path / ("long" * 100))) < 100


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such folders")
def test_the_socket_lies_where_nobody_else_can_have_made_it(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all, private = tmp_path / "open", tmp_path / "private"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    private.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(private))
    assert private_folder() == private
    for runtime_dir in (str(open_to_all), str(tmp_path / "gone"), "relative", ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime_dir)
        assert private_folder() == tmp_path / f"texswarm-{os.getuid()}"
    assert private_folder().stat().st_mode & 0o777 == 0o700

    private_folder().chmod(0o777)
    receiver = LinkReceiver(socket_name(tmp_path))
    assert not receiver.start()
    assert not hand_over(socket_name(tmp_path), "texswarm://host:8091/")
    receiver.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such folders")
def test_a_link_beside_the_temporary_files_is_no_folder_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / f"texswarm-{os.getuid()}").symlink_to(tmp_path / "theirs")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert not private_folder().exists()


def test_who_sends_too_much_is_cut_off(qtbot, receiver: LinkReceiver, name: str) -> None:
    client = QLocalSocket()
    client.connectToServer(name)
    assert client.waitForConnected(1000)
    with qtbot.assertNotEmitted(receiver.link_received), qtbot.waitSignal(client.disconnected):
        client.write(b"x" * 100_000)
    client.abort()
