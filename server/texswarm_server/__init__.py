"""The session server of TeXSwarm, and what both ends of the wire must agree on.

`document` and `protocol` are shared with the desktop; importing them opens no socket and needs no Qt.
"""

__version__ = "0.1.0"
