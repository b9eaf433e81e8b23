"""Settings on a real disk: written whole, and a broken file is kept for its owner."""

from pathlib import Path

import pytest

from tests.helpers.small_disk import small_disk
from texswarm_desktop.core.settings import KnownServer, RecentProject, Settings
from texswarm_desktop.services.settings_store import SettingsStore
from texswarm_server.protocol.errors import DiskFullError, NotWritableError, SettingsError


def test_what_was_set_is_there_at_the_next_start(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "profile")
    store.set_name("Ada")
    store.set_theme("dark")
    store.add_recent(RecentProject(path="p", title="P", last_opened=1.0))
    store.add_server(KnownServer(address="texswarm://lab:8091/"))
    again = SettingsStore(tmp_path / "profile")
    assert (again.settings, again.problem) == (store.settings, None)


def test_a_first_start_has_defaults_and_no_problem(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path)
    assert (store.settings, store.problem) == (Settings(), None)


def test_a_broken_file_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_bytes(b"{broken")
    store = SettingsStore(tmp_path)
    assert store.settings == Settings()
    assert isinstance(store.problem, SettingsError)
    store.set_name("Ada")
    assert (tmp_path / "settings.json.broken").read_bytes() == b"{broken"
    assert SettingsStore(tmp_path).settings.name == "Ada"


def test_a_value_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path)
    with pytest.raises(SettingsError):
        store.set_font_size(1000)
    assert store.settings == Settings()


def test_a_profile_that_cannot_be_written_is_told_and_the_change_stands(tmp_path: Path) -> None:
    (tmp_path / "profile").write_bytes(b"a file in the way")
    problems: list[Exception] = []
    store = SettingsStore(tmp_path / "profile", on_problem=problems.append)
    store.set_name("Ada")
    assert store.settings.name == "Ada"
    assert [type(problem) for problem in problems] == [NotWritableError]


def test_a_full_disk_is_told_keeps_the_old_file_and_holds_nothing_back(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        problems: list[Exception] = []
        store = SettingsStore(disk.root, on_problem=problems.append)
        store.set_name("Ada")
        disk.fill()
        store.set_name("Grace")
        assert [type(problem) for problem in problems] == [DiskFullError]
        assert (store.settings.name, SettingsStore(disk.root).settings.name) == ("Grace", "Ada")
        disk.make_room()
        store.set_theme("dark")
        assert SettingsStore(disk.root).settings.name == "Grace"
