"""What a backend lacks: how it is added in QGIS, and a signal for those who can offer that."""

from __future__ import annotations

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..compat import tr
from .install_plan import CLOUDS, EVALUATION, TORCH, VARIANTS
from .installed import installed_backend

MISSING = "missing-extra"  # error code of the backend


class Notices(QObject):
    """Emitted in the thread of a run, received in the main thread."""

    lacking = pyqtSignal(str, str)
    """What needs which package, and the extra of the backend that brings it."""


notices = Notices()


def advice(program: str, message: str, hint: str, extra: str) -> str:
    """How to add a missing package, and tell `notices` if the installer can do it.

    Args:
        program: The interpreter that lacks it. The installer adds nothing to a Python of the user's own, and only the
            extras of its builds.
        message: The backend's: what needs which package.
        hint: The backend's, for a shell.
        extra: The extra of the backend that brings the package.
    """
    backend = installed_backend()
    if backend is None or str(backend.python) != program or extra not in VARIANTS["cpu"].extras:
        return hint
    notices.lacking.emit(message, extra)
    if extra == TORCH:
        return tr("Add PyTorch with Plugins > Sunbreak > Backend.")
    if extra in (CLOUDS, EVALUATION):
        return tr("Add the networks for clouds, which bring it, with Plugins > Sunbreak > Backend.")
    return tr("Repair the backend with Plugins > Sunbreak > Backend.")
