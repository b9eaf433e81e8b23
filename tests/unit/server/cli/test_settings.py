"""Option before environment before file before default; one name in all of them; wrong ones are named."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from texswarm_server.cli.settings import (
    BY_NAME,
    SETTINGS,
    Chosen,
    ConfigFile,
    Setting,
    build,
    choose,
    unknown_variables,
)
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.version import Limits

FILE = Path("etc/server.toml")


def a_file(**entries: object) -> ConfigFile:
    return ConfigFile(FILE, entries)


def test_the_nearer_place_wins() -> None:
    file = a_file(port=1, host="file", grace="1h")
    chosen = choose({"port": 3}, {"TEXSWARM_PORT": "2", "TEXSWARM_HOST": "variable"}, file)

    assert chosen == {
        "port": Chosen(3, "--port"),
        "host": Chosen("variable", "TEXSWARM_HOST"),
        "grace": Chosen(3600.0, str(FILE)),
    }


def test_what_nobody_says_is_the_default() -> None:
    assert build({}, host_name="lab") == ServerConfig(data=Path("texswarm-data"), name="lab")


def test_limits_find_their_place() -> None:
    chosen = choose({}, {}, a_file(max_frame="1M", max_sessions_per_user=3))
    assert build(chosen, host_name="").limits == Limits(max_frame_bytes=2**20, max_sessions_per_user=3)


def test_an_empty_variable_says_nothing() -> None:
    assert choose({}, {"TEXSWARM_PORT": " "}, None) == {}


def test_a_path_in_a_file_is_meant_from_its_folder() -> None:
    chosen = choose({}, {"TEXSWARM_TLS_KEY": "key.pem"}, a_file(data="data", tls_cert="cert.pem"))
    assert {name: each.value for name, each in chosen.items()} == {
        "data": Path("etc/data"),
        "tls_cert": Path("etc/cert.pem"),
        "tls_key": Path("key.pem"),
    }


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"prot": 1}, "unknown key 'prot'; did you mean 'port'?"),
        ({"trusted-proxies": []}, "did you mean 'trusted_proxies'?"),
        ({"zzzzzz": 1}, "unknown key 'zzzzzz'"),
        ({"port": "http"}, "port: not a port"),
        ({"port": True}, "port: not a value of the form PORT"),
        ({"open": 1}, "open: not a value of the form true|false"),
        ({"grace": "soon"}, "grace: not a time"),
        ({"grace": [1]}, "grace: not a value of the form TIME"),
        ({"grace": -1}, "grace: not a time"),
        ({"grace": float("nan")}, "grace: not a time"),
        ({"trusted_proxies": [1]}, "trusted_proxies: not a value of the form LIST"),
        ({"max_frame": {"a": 1}}, "max_frame: not a value of the form SIZE"),
        ({"log_level": "loud"}, "log_level: not one of debug, info, warning, error"),
    ],
)
def test_what_a_file_may_not_say_is_named_with_its_place(entries: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        choose({}, {}, ConfigFile(FILE, entries))
    assert str(caught.value).startswith(f"{FILE}: ")
    assert words in str(caught.value)


def test_what_a_variable_may_not_say_is_named_with_its_name() -> None:
    with pytest.raises(SettingsError, match="TEXSWARM_GRACE: not a time"):
        choose({}, {"TEXSWARM_GRACE": "soon"}, None)


def test_a_port_that_kubernetes_set_is_recognised() -> None:
    with pytest.raises(SettingsError, match="enableServiceLinks"):
        choose({}, {"TEXSWARM_PORT": "tcp://10.0.0.1:8091"}, None)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"tls_cert": "c"}, "belong together"),
        ({"heartbeat": "30s", "dead_after": "30s"}, "must be longer than heartbeat"),
    ],
)
def test_settings_that_do_not_fit_are_refused(entries: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        build(choose({}, {}, ConfigFile(FILE, entries)), host_name="")


def test_variables_that_are_none_are_found_with_the_nearest() -> None:
    environ = {"TEXSWARM_PROT": "1", "TEXSWARM_PORT": "1", "TEXSWARM_CONFIG": "x", "TEXSWARM_XYZXYZ": "", "PATH": ""}
    assert unknown_variables(environ) == {"TEXSWARM_PROT": "TEXSWARM_PORT", "TEXSWARM_XYZXYZ": ""}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_explained(setting: Setting) -> None:
    assert setting.text
    assert setting.section


def test_every_field_has_its_setting() -> None:
    fields = {field.name for field in dataclasses.fields(ServerConfig)} - {
        "blob_care_s",
        "limits",
        "housekeeping_s",
        "presence_renewal_s",
    }
    assert {each.field for each in SETTINGS} == fields | set(Limits.__struct_fields__)
    assert len(BY_NAME) == len(SETTINGS)


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.field not in {"data", "name"}])
def test_every_default_can_be_written_in_all_three_places(setting: Setting) -> None:
    default: Any = ServerConfig(data=Path())
    default = getattr(default.limits if setting.is_limit else default, setting.field)
    if setting.shown:
        assert setting.kind.read(setting.shown) == default
        assert choose({}, {setting.variable: setting.shown}, None)[setting.name].value == default
        assert choose({}, {}, a_file(**{setting.name: setting.shown}))[setting.name].value == default
    else:
        assert not default
