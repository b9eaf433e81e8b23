"""Loads pycrdt, when it is imported, without what nobody here uses of it, so that a start does not wait for that.

Its asynchronous half brings anyio, and for each document made in a coroutine the part of anyio that drives asyncio; and
it looks its own version up among the installed packages. All that takes as long to load as the rest of pycrdt: a
twentieth of the cold start of the desktop. So while pycrdt is loaded, stand-ins are there in place of these modules:
their names can be taken, derived from and called, and nothing comes of it. Whoever imports anyio later gets the real
one, and a pycrdt that wants more of them than that is loaded as it is.

WORKAROUND https://github.com/y-crdt/pycrdt (no bug of it, and none is reported): until it loads anyio where an
asynchronous method is called.
"""

import sys
from types import ModuleType
from typing import Final

_UNUSED: Final = ("anyio", "anyio.abc", "anyio.streams", "anyio.streams.memory", "pycrdt._version")
_NATIVE: Final = "pycrdt._pycrdt"  # can be loaded once only


class _StandIn(Exception):  # noqa: N818 - some of them are caught
    """Whatever is taken from a module that is not there."""

    def __init__(self, *_arguments: object, **_options: object) -> None:
        super().__init__()

    def __class_getitem__(cls, _item: object) -> type["_StandIn"]:
        return cls


class _StandInModule(ModuleType):
    def __getattr__(self, name: str) -> type[_StandIn]:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return _StandIn


def _load() -> None:
    if "pycrdt" in sys.modules:
        return
    lacking = [name for name in _UNUSED if name not in sys.modules]
    sys.modules.update({name: _StandInModule(name) for name in lacking})
    try:
        import pycrdt  # noqa: F401, PLC0415 - see above
    except (AttributeError, ImportError, TypeError):  # for want of what was left out
        for name in [name for name in sys.modules if name.startswith("pycrdt.") and name != _NATIVE]:
            del sys.modules[name]
    finally:
        for name in lacking:
            sys.modules.pop(name, None)


_load()
