"""What the desktop decides without touching anything: pure, no Qt, no asyncio, no files, no clock."""
