import msgspec
import pytest

from texswarm_desktop.core.settings import (
    MAX_RECENT,
    KnownServer,
    RecentProject,
    Settings,
    decode_settings,
    encode_settings,
    with_recent,
    with_server,
    without_server,
)
from texswarm_desktop.core.who_joins import WhoJoins
from texswarm_server.protocol.errors import SettingsError


def recent(path: str, at: float = 1.0) -> RecentProject:
    return RecentProject(path=path, title=path.title(), last_opened=at)


def test_settings_survive_being_written() -> None:
    settings = with_server(
        with_recent(
            Settings(name="Ada", color="#12ab00", theme="dark", font_size_pt=14, who_joins=WhoJoins.INVITED),
            recent("paper"),
        ),
        KnownServer(address="texswarm://lab:8091/", name="Lab", last_used=2.0),
    )
    assert decode_settings(encode_settings(settings)) == settings


def test_an_empty_object_means_the_defaults() -> None:
    assert decode_settings(b"{}") == Settings()


def test_one_click_shares_with_the_network_unless_somebody_chose_otherwise() -> None:
    assert decode_settings(b'{"name": "Ada"}').who_joins is WhoJoins.ANYBODY


def test_what_a_newer_version_wrote_is_passed_over() -> None:
    assert decode_settings(b'{"name": "Ada", "hologram": [1]}').name == "Ada"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"nonsense", b"[]", b'{"theme": "pink"}', b'{"font_size_pt": 0}', b'{"font_size_pt": "big"}',
        b'{"who_joins": "everybody"}',
        b'{"color": "red"}', b'{"recent": [{"path": 1}]}', b'{"name": "\xff"}', b"[" * 5000,
    ],
)  # fmt: skip
def test_a_value_that_is_not_one_is_refused(data: bytes) -> None:
    with pytest.raises(SettingsError):
        decode_settings(data)


def test_what_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(SettingsError):
        encode_settings(msgspec.structs.replace(Settings(), font_size_pt=1000))


def test_the_project_opened_last_stands_first_and_once() -> None:
    settings = with_recent(with_recent(with_recent(Settings(), recent("a")), recent("b")), recent("a", 3.0))
    assert [(known.path, known.last_opened) for known in settings.recent] == [("a", 3.0), ("b", 1.0)]


def test_the_list_of_projects_has_an_end() -> None:
    settings = Settings()
    for number in range(MAX_RECENT + 5):
        settings = with_recent(settings, recent(str(number)))
    assert len(settings.recent) == MAX_RECENT
    assert settings.recent[0].path == str(MAX_RECENT + 4)


def test_a_server_can_be_forgotten() -> None:
    known = with_server(with_server(Settings(), KnownServer(address="a")), KnownServer(address="b"))
    assert [each.address for each in without_server(known, "b").servers] == ["a"]
