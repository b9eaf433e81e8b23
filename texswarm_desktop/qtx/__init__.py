"""Our few Qt tools: an owner for tasks, dialogs that are awaited, timers with one purpose, the loop.

They know Qt and asyncio, and nothing of TeXSwarm.
"""
