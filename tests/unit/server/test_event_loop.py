"""The loop a server runs on."""

import importlib.util
import subprocess
import sys

import pytest

from texswarm_server.event_loop import allow_many_files, new_event_loop


def test_it_is_the_quickest_there_is() -> None:
    """Looked at in a process of its own: uvloop keeps a pipe for signals as long as its process lives."""
    look = (
        "import asyncio; from texswarm_server.event_loop import new_event_loop\n"
        "with asyncio.Runner(loop_factory=new_event_loop) as runner: print(type(runner.get_loop()).__module__)"
    )
    said = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True, timeout=60).stdout
    assert said.startswith("uvloop") == (importlib.util.find_spec("uvloop") is not None)


def test_without_uvloop_it_is_that_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("texswarm_server.event_loop.find_spec", lambda _name: None)
    loop = new_event_loop()
    loop.close()
    assert type(loop).__module__.startswith("asyncio")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_process_may_open_what_the_system_allows() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
        assert allow_many_files() in {hard, None}
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
