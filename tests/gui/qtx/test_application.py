"""Links that come as events of the system, as on macOS, are passed on; each runs in a program of its own."""

import subprocess
import sys
from pathlib import Path

LINK = "texswarm://host:8091/?token=a%2Fb&tls=1"
_EVENTS = """
import sys
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QFileOpenEvent
from texswarm_desktop.qtx.application import Application
"""
_TAKEN = f"""{_EVENTS}
application, taken = Application(sys.argv[:1]), []
open_ = lambda url: QCoreApplication.sendEvent(application, QFileOpenEvent(QUrl(url)))
open_(sys.argv[1])
application.take_links(taken.append)
open_(sys.argv[1] + "&more=1")
open_("file:///papers/a-paper")
application.take_links(None)
open_(sys.argv[1] + "&more=2")
print(*taken)
"""
_SHOWN = f"""{_EVENTS}
import asyncio
from pathlib import Path
from texswarm_desktop.app import run
from texswarm_desktop.ui.dialogs.join_dialog import JoinDialog

async def follows(desktop):
    QCoreApplication.postEvent(QCoreApplication.instance(), QFileOpenEvent(QUrl(sys.argv[1])))
    while (dialog := desktop.window.findChild(JoinDialog)) is None:
        await asyncio.sleep(0.02)
    print(dialog.link.text(), desktop.window.isVisible())
    desktop.window.close()

sys.exit(run(target=None, profile_dir=Path(sys.argv[2]), companion=follows, host_address="127.0.0.1"))
"""


def said_by(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_links_are_passed_on_also_those_that_came_before_anybody_takes_them() -> None:
    assert said_by(_TAKEN, LINK) == f"{LINK} {LINK}&more=1"


def test_a_link_is_shown_in_the_join_dialog(tmp_path: Path) -> None:
    assert said_by(_SHOWN, LINK, str(tmp_path)) == f"{LINK} True"
