"""What the desktop does with disks, key rings and its own server; no Qt, so that it serves windows and commands alike.

Blocking work runs in the executor a service is given; no service starts a task.
"""
