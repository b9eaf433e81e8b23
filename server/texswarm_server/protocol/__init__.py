"""What client and server must agree on: version, limits, messages, frames, errors and close codes.

Pure: no Qt, no asyncio, no files, no sockets, no clock, no random source, no environment.
"""
