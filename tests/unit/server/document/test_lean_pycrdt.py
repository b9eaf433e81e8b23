"""pycrdt without its asynchronous half: it works, in a coroutine too, and anyio is there for whoever needs it."""

import subprocess
import sys

import pytest

WITHOUT_ANYIO = """
from texswarm_server.document import ProjectDocument
assert "anyio" not in sys.modules and "importlib.metadata" not in sys.modules
"""
WANTING_MORE = """
class Wanting:  # what a later pycrdt might do with what it takes from anyio
    def find_spec(self, name, path=None, target=None):
        if name == "pycrdt._undo" and "anyio._core" not in sys.modules:
            raise TypeError("not what it seems to be")

sys.meta_path.insert(0, Wanting())
from texswarm_server.document import ProjectDocument
assert "anyio._core" in sys.modules
"""
USE = """
async def write():
    one, other = ProjectDocument(), ProjectDocument()
    one.on_update = lambda update, is_local: other.apply(update)
    one.initialise("Paper", "33333333-3333-4333-8333-333333333333")
    one.text(one.add_file("main.tex")).replace_u16(0, 0, "words")
    return str(other.text(other.file_at("main.tex")))

assert asyncio.run(write()) == "words"
import anyio, anyio.streams.memory, pycrdt, watchfiles

async def stream():
    send, receive = anyio.create_memory_object_stream[str](1)
    with send, receive:
        await send.send("word")
        return await receive.receive()

assert anyio.run(stream) == "word"
"""


@pytest.mark.parametrize("start", [WITHOUT_ANYIO, WANTING_MORE])
def test_it_works_and_anyio_is_there_for_whoever_needs_it(start: str) -> None:
    """In a fresh interpreter; this one has long since loaded everything."""
    program = f"import asyncio, sys{start}{USE}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
