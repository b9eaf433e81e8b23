"""How important a thread is to the system: who carries words between people comes before who waits for disks."""

import os
import sys
import threading
from contextlib import suppress


def give_way(steps: int) -> None:
    """Let the calling thread have less of a busy processor than the others, and not interrupt them when it wakes.

    Only Linux knows that of single threads.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + steps)
        os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))
