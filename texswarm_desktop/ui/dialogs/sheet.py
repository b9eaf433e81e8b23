"""What all dialogs have in common: a title, fields below each other, buttons, and one place for a problem."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from texswarm_desktop.ui.parts import RoomyArea, button, column, label, restyle, row


class Sheet(QDialog):
    """A dialog of ours; deleted when it is closed."""

    finished_well = Signal()

    def __init__(self, title: str, hint: str, parent: QWidget | None, *, width_px: int = 460) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(width_px)
        self.problem = label(name="Problem", wraps=True)
        self.problem.hide()
        self.body = QVBoxLayout()
        self.body.setSpacing(6)
        self.buttons: QHBoxLayout = row(None)
        self._hint = label(hint, "Muted", wraps=True)
        self._hint.setVisible(bool(hint))
        outside = column(label(title, "DialogTitle"), 4, self._hint, 12, margins=(24, 20, 24, 20))
        outside.addLayout(self.body)
        outside.addWidget(self.problem)
        outside.addSpacing(18)
        outside.addLayout(self.buttons)
        self.setLayout(outside)

    def add_field(self, text: str, hint: str = "", *, value: str = "") -> QLineEdit:
        """Add a labelled field."""
        field = QLineEdit(value)
        field.setPlaceholderText(hint)
        name = label(text)
        name.setBuddy(field)
        field.setAccessibleName(text)
        field.textEdited.connect(self.clear_problem)
        if self.body.count():
            self.body.addSpacing(8)
        self.body.addWidget(name)
        self.body.addWidget(field)
        return field

    def add_buttons(self, accept: str, *, cancel: str = "Cancel") -> QPushButton:
        """Add the button that does it, and the one that does not."""
        no, yes = button(cancel), button(accept, "Primary")
        no.clicked.connect(self.reject)
        yes.setDefault(True)
        yes.clicked.connect(self.try_accept)
        self.buttons.addWidget(no)
        self.buttons.addWidget(yes)
        return yes

    def try_accept(self) -> None:
        """Close if everything is as it must be; dialogs that check something override this."""
        self.accept()

    def show_problem(self, text: str, field: QLineEdit | None = None) -> None:
        """Say what is wrong, and where."""
        self.problem.setText(text)
        self.problem.show()
        self.fit()
        if field is not None:
            field.setProperty("problem", True)
            restyle(field)
            field.setFocus()

    def make_room(self) -> None:
        """Grow, if what is shown now needs more room than before and the screen has it."""
        if not self.isVisible():
            return
        wanted, screen = self._wanted_size(), self.screen().availableGeometry()
        self.resize(wanted.width(), max(self.height(), min(wanted.height(), self.most_height_px)))
        too_low = self.frameGeometry().bottom() - screen.bottom()
        if too_low > 0:
            self.move(self.x(), max(screen.top(), self.y() - too_low))

    def fit(self) -> None:
        """Be just as high as what is shown now, at the width it has."""
        if self.isVisible():
            self.resize(self.width(), min(self.wanted_height_px, self.most_height_px))

    @property
    def wanted_height_px(self) -> int:
        """How high it would be with all that is shown now."""
        return self._wanted_size().height()

    @property
    def most_height_px(self) -> int:
        """How high it can be on this screen."""
        return self.screen().availableGeometry().height() - (self.frameGeometry().height() - self.height())

    def _wanted_size(self) -> QSize:
        layout = self.layout()
        assert layout is not None, "a sheet is laid out when it is made"
        for area in self.findChildren(RoomyArea):
            area.look_inside()
        layout.activate()
        width = max(self.width(), layout.totalMinimumSize().width())
        height = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
        return QSize(width, height)

    def clear_problem(self) -> None:
        """Say nothing more."""
        self.problem.hide()
        for field in self.findChildren(QLineEdit):
            if field.property("problem"):
                field.setProperty("problem", False)
                restyle(field)

    def showEvent(self, event: QShowEvent) -> None:
        """Be as large as what is shown; Qt takes two thirds of the screen at most."""
        super().showEvent(event)
        self.make_room()
