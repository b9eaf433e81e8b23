"""A program that is refused what a file's permissions refuse: root's privilege to pass over them is taken from it."""

import os
import shutil
import subprocess
import sys

import pytest

_PRIVILEGES = "-dac_override,-dac_read_search,-fowner"


def as_plain_user() -> list[str]:
    """Return what is to stand before a command; skips the test where permissions would bind nobody."""
    if sys.platform == "win32":
        pytest.skip("Windows has other permissions")
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is needed for permissions to bind root")
    command = [setpriv, f"--bounding-set={_PRIVILEGES}"]
    made = subprocess.run([*command, "true"], check=False, capture_output=True)
    if made.returncode:
        pytest.skip(f"permissions bind nobody here: {made.stderr.decode(errors='replace').strip()}")
    return command
