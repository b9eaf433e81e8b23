"""Links are registered in the user's own folder, by the system's programs where there are some."""

import os
from pathlib import Path

import pytest

from texswarm_desktop.__main__ import main
from texswarm_desktop.services.link_registration import register_links
from texswarm_server.protocol.errors import NotWritableError, SettingsError


def environ(home: Path) -> dict[str, str]:
    """A home of the test's own, in which the system's programs only note what they were asked."""
    programs = home / "bin"
    programs.mkdir(parents=True)
    for name in ("xdg-mime", "update-desktop-database"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >> {home}/asked\n')
        program.chmod(0o755)
    return {"HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.defpath}"}


def test_links_are_registered_for_this_user(tmp_path: Path) -> None:
    told = environ(tmp_path)
    file = Path(register_links(["/opt/bin/texswarm"], platform="linux", environ=told))
    assert file == tmp_path / ".local/share/applications/texswarm.desktop"
    entry = dict(line.split("=", 1) for line in file.read_text().splitlines()[1:])
    assert entry["Exec"] == "/opt/bin/texswarm %u"
    assert Path(entry["Icon"]).is_file()
    assert (tmp_path / "asked").read_text().splitlines() == [
        f"update-desktop-database {file.parent}",
        "xdg-mime default texswarm.desktop x-scheme-handler/texswarm",
    ]


def test_to_register_twice_is_to_register_once(tmp_path: Path) -> None:
    told = environ(tmp_path)
    file = Path(register_links(["texswarm"], platform="linux", environ=told))
    before = file.stat().st_mtime_ns
    register_links(["texswarm"], platform="linux", environ=told)
    assert file.stat().st_mtime_ns == before


def test_a_folder_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file stands where the folder should be")
    with pytest.raises(NotWritableError):
        register_links(["texswarm"], platform="linux", environ={"HOME": str(tmp_path), "PATH": ""})


def test_on_macos_it_says_that_a_bundle_is_needed() -> None:
    with pytest.raises(SettingsError, match="bundle"):
        register_links(["texswarm"], platform="darwin", environ={})


@pytest.mark.skipif(os.name == "nt", reason="writes into the registry there")
def test_the_command_says_where_it_is_written(tmp_path: Path, monkeypatch, capsys) -> None:
    for name, value in environ(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert main(["register-links"]) == 0
    assert str(tmp_path / "data/applications/texswarm.desktop") in capsys.readouterr().out
