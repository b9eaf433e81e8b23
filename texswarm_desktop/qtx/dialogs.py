"""Dialogs that are opened and awaited. `exec()` would run a loop inside the loop and can leave tasks stuck for good."""

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog


async def opened(dialog: QDialog) -> bool:
    """Show a dialog on its window, wait for its end, and say whether it was accepted.

    The dialog is deleted afterwards, also when the waiting task is cancelled; then it is closed first.
    """
    result: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def on_dialog_finished(code: int) -> None:
        if not result.done():
            result.set_result(code)

    dialog.finished.connect(on_dialog_finished)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    dialog.open()
    try:
        return await result == QDialog.DialogCode.Accepted.value
    finally:
        dialog.finished.disconnect(on_dialog_finished)
        dialog.close()
        dialog.deleteLater()
