"""A small disk that can be filled: a file system of its own, where the system lets us make one (Linux, root)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A mounted disk of a few hundred kilobytes. `fill` leaves no room, `make_room` gives it back."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ballast = root / ".ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, size_kb: int = 1024) -> Iterator[SmallDisk]:
    """Mount a small disk on `folder/disk`; skips the test where that is not possible."""
    root = folder / "disk"
    root.mkdir()
    mount = shutil.which("mount")
    if mount is None or sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    options = f"size={size_kb}k,mode=0700"
    made = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(root)], check=False, capture_output=True)
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.decode(errors='replace').strip()}")
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "-l", str(root)], check=True)
