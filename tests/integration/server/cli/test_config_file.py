"""Which configuration file applies, and what is said of one that cannot be used."""

from pathlib import Path

import pytest

from texswarm_server.cli.config_file import find_config_file, read_config_file
from texswarm_server.protocol.errors import SettingsError


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_the_named_file_is_read_before_the_systems(tmp_path: Path) -> None:
    option, variable, system = (written(tmp_path / name, f"name = '{name}'") for name in ("a", "b", "c"))

    environ = {"TEXSWARM_CONFIG": str(variable)}
    named = [
        find_config_file(option, environ, system),
        find_config_file(None, environ, system),
        find_config_file(None, {}, system),
        find_config_file(None, {}, tmp_path / "none"),
    ]

    assert [file and file.entries["name"] for file in named] == ["a", "b", "c", None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"port = 1\nhost = x", "is not TOML: .*line 2"),
        (b"\xff\xfe", "is not TOML"),
        (b"a = " + b"[" * 3000 + b"]" * 3000, "nested too deeply"),
        (b"#" * 2_000_000, "too large"),
    ],
)
def test_what_is_no_configuration_is_said_with_its_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "server.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=words) as caught:
        read_config_file(path)
    assert str(path) in str(caught.value)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*: No such file"):
        find_config_file(tmp_path / "none", {})
    with pytest.raises(SettingsError, match=r"cannot read .*: Is a directory"):
        find_config_file(None, {"TEXSWARM_CONFIG": str(tmp_path)})
