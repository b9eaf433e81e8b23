"""Network namespaces without names: made and held open by this process, with threads and programs put into them."""

import ctypes
import fcntl
import os
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final, TypeVar

T = TypeVar("T")

LIMIT_S: Final = 20.0
_CLONE_NEWNET: Final = 0x40000000
_TUNSETIFF: Final = 0x400454CA
_TAP_WITHOUT_HEADER: Final = 0x0002 | 0x1000
_HERE: Final = "/proc/thread-self/ns/net"


@contextmanager
def entered(namespace: int) -> Iterator[None]:
    """Put this thread into a namespace. Nothing may be awaited in the block by a loop that others use."""
    back = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _set_namespace(namespace)
        yield
    finally:
        _set_namespace(back)
        os.close(back)


def new_tap(namespace: int, name: str) -> int:
    """Make a tap interface in a namespace; frames are read from and written to the descriptor."""
    with entered(namespace):
        made = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(made, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP_WITHOUT_HEADER))
        except OSError:
            os.close(made)
            raise
    return made


def run_program(*command: str, stdin: str = "", timeout_s: float = LIMIT_S) -> str:
    """Run a program to its end where this thread is; raises CalledProcessError."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, input=stdin, timeout=timeout_s)
    return done.stdout


def unshared() -> int:
    """Put this thread into a new namespace, and return its descriptor."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no new network namespace")
    return os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)


def in_a_thread(function: Callable[[], T]) -> T:
    """Threads have namespaces of their own, so this one's stays as it is."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # handed to whoever waits
            future.set_exception(error)

    thread = threading.Thread(target=run, name="in a namespace")
    thread.start()
    thread.join()
    return future.result()


def _set_namespace(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "no such network namespace")
