"""The configuration file: where it is looked for, and how it is read. What its keys mean, `settings` knows."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from texswarm_server.cli.settings import CONFIG_VARIABLE, ConfigFile
from texswarm_server.protocol.errors import SettingsError

SYSTEM_FILE: Final = Path("/etc/texswarm/server.toml")
_LIMIT_BYTES: Final = 1024 * 1024


def find_config_file(
    option: Path | None, environ: Mapping[str, str], system_file: Path = SYSTEM_FILE
) -> ConfigFile | None:
    """Return the file that was named, else the system's if there is one.

    Raises SettingsError when the one that was named is missing, or any cannot be read.
    """
    named = option or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        return read_config_file(named)
    try:
        return read_config_file(system_file) if system_file.is_file() else None
    except PermissionError:  # its folder is not ours to look into
        return None


def read_config_file(path: Path) -> ConfigFile:
    """Return the entries of a TOML file; raises SettingsError."""
    try:
        with path.open("rb") as file:
            text = file.read(_LIMIT_BYTES + 1).decode("utf-8")
        if len(text) > _LIMIT_BYTES:
            raise SettingsError(f"{path} is too large to be a configuration file")
        return ConfigFile(path, tomllib.loads(text))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # also what is not UTF-8
        raise SettingsError(f"{path} is not TOML: {error}") from error
    except RecursionError as error:
        raise SettingsError(f"{path} is nested too deeply") from error
