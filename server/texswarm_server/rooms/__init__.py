"""One open document and its members: fan-out, what to persist, what to acknowledge, who is there.

Pure: no Qt, no asyncio, no files, no sockets, no clock. A room takes what members say and returns effects.
"""
