"""Who may come in, as whom, with which role, and which of their places outlive a connection.

Pure: no Qt, no asyncio, no files, no sockets, no clock, no random source, no environment. Time and random bytes are
handed in; what must be remembered goes through the `Records` interface.
"""
