"""The desktop's side of the wire: one connection to one server, kept up without anybody having to think about it.

Knows no Qt and no widgets; runs the same under plain asyncio and under the window's loop.
"""
