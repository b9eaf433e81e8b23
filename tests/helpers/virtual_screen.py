"""A screen of X that exists in memory only, and what locks it: a program that takes keyboard, pointer and the view.

`python -m tests.helpers.virtual_screen` is the locker; it does what lockers for X do, and says whether it succeeded.
"""

import asyncio
import ctypes
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_START_LIMIT_S = 30.0
_LOCKED = "locked"
_GRAB_SUCCESS = 0
_ASYNCHRONOUS = 1
_SAVER_ACTIVE = 1
_OVERRIDE_REDIRECT = 1 << 9
_POINTER_EVENTS = 1 << 2 | 1 << 3 | 1 << 6


def is_available() -> bool:
    """Whether a screen can be had here."""
    return shutil.which("Xvfb") is not None


@asynccontextmanager
async def virtual_screen() -> AsyncIterator[str]:
    """Yield the name of a display of its own."""
    read, write = os.pipe()
    try:
        screen = await asyncio.create_subprocess_exec(
            "Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset",
            pass_fds=(write,), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        os.close(write)
    try:
        number = await asyncio.wait_for(asyncio.to_thread(_line, read), _START_LIMIT_S)
        yield f":{number}"
    finally:
        screen.terminate()
        await screen.wait()


@asynccontextmanager
async def locked(display: str) -> AsyncIterator[None]:
    """Lock a screen, until the end of the block."""
    locker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.helpers.virtual_screen",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=os.environ | {"DISPLAY": display},
    )  # fmt: skip
    assert locker.stdin is not None
    assert locker.stdout is not None
    try:
        said = await asyncio.wait_for(locker.stdout.readline(), _START_LIMIT_S)
        assert said.decode().strip() == _LOCKED, said
        yield
    finally:
        locker.stdin.close()
        await locker.wait()


def _line(descriptor: int) -> str:
    with os.fdopen(descriptor) as pipe:
        return pipe.readline().strip()


class _Attributes(ctypes.Structure):
    """XSetWindowAttributes, of which only one is set."""

    _fields_ = [
        ("before", ctypes.c_byte * 88),
        ("override_redirect", ctypes.c_int),
        ("after", ctypes.c_byte * 20),
    ]


def _lock() -> bool:
    """Cover the screen, take keyboard and pointer, and have the screen saver active."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XDefaultRootWindow.restype = ctypes.c_ulong
    x.XCreateSimpleWindow.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x.XOpenDisplay(None))
    root = ctypes.c_ulong(x.XDefaultRootWindow(display))
    cover = ctypes.c_ulong(x.XCreateSimpleWindow(display, root, 0, 0, 1280, 800, 0, 0, 0))
    attributes = _Attributes(override_redirect=1)
    x.XChangeWindowAttributes(display, cover, ctypes.c_ulong(_OVERRIDE_REDIRECT), ctypes.byref(attributes))
    x.XMapRaised(display, cover)
    x.XSync(display, 0)
    none, now, mode = ctypes.c_ulong(0), ctypes.c_ulong(0), _ASYNCHRONOUS
    keyboard = x.XGrabKeyboard(display, root, 1, mode, mode, now)
    pointer = x.XGrabPointer(display, root, 0, _POINTER_EVENTS, mode, mode, none, none, now)
    x.XForceScreenSaver(display, _SAVER_ACTIVE)
    x.XSync(display, 0)
    return (keyboard, pointer) == (_GRAB_SUCCESS, _GRAB_SUCCESS)


if __name__ == "__main__":
    sys.stdout.write(f"{_LOCKED if _lock() else 'not locked'}\n")
    sys.stdout.flush()
    sys.stdin.read()
