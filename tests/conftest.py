"""What holds for every test: it leaves nothing behind, logs no unexpected warning, and touches nobody's own settings.

Knows nothing of single packages; their fixtures stand in the conftest of their folder.
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.leaks import Stock, left_since
from tests.helpers.log_watch import watching_logs
from tests.helpers.qt_garbage import dying_here

# No absolute time limits: two cores may be shared with anything. A failure prints what is needed to replay it.
settings.register_profile("dev", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=False, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    """Draw no window, and keep away from the settings, key ring and runtime folder of the person who runs the tests."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    home = tempfile.TemporaryDirectory(prefix="texswarm-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        folder = Path(home.name, name.lower())
        folder.mkdir(mode=0o700)
        os.environ[name] = str(folder)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End what a test left of Qt once pytest has let go of it, which is after the last fixture."""
    uses_qt = isinstance(item, pytest.Function) and "qapp" in item.fixturenames
    with dying_here() if uses_qt else nullcontext():
        return (yield)


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """Fail a test after which a thread, task, descriptor, child process or window is left."""
    before = Stock.take()
    yield
    left = left_since(before)
    if left:
        pytest.fail("the test left behind\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def _logs_nothing_unexpected(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which we logged a warning, unless it is marked `expects_log` and looks at it through `caplog`."""
    expects = request.node.get_closest_marker("expects_log") is not None
    if expects and "caplog" not in request.fixturenames:
        pytest.fail("a test marked expects_log looks at the log through caplog", pytrace=False)
    with watching_logs() as watch:
        yield
    if watch.lines and not expects:
        pytest.fail("unexpected in the log\n  " + "\n  ".join(watch.lines), pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the figures that benchmarks recorded with `record_property`, one line each."""
    figures = [
        (report.nodeid.rpartition("/")[2], name, value)
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        if report.when == "call"
        for name, value in report.user_properties
    ]
    if figures:
        terminalreporter.section("figures")
    for test, name, value in figures:
        terminalreporter.write_line(f"{test}  {name} = {value}")
