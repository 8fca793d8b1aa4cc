"""When the panel's kept backend starts and ends."""

from __future__ import annotations

from qgis.core import QgsApplication

from .. import settings
from ..bridge import install_task
from ..bridge.kept import KeptBackend


class Keeping:
    """Starts the kept backend with the panel, and ends it with QGIS or when the setting is switched off."""

    def __init__(self) -> None:
        from processing.core.ProcessingConfig import settingsWatcher

        self.backend = KeptBackend()
        self._changes = settingsWatcher.settingsChanged
        self._changes.connect(self._apply)
        QgsApplication.instance().aboutToQuit.connect(self.backend.end)

    def start(self) -> None:
        """The panel is shown: a preview may follow."""
        if self.for_preview() is None:
            return
        try:
            self.backend.start(settings.backend_python())
        except settings.BackendMissingError:
            return  # the panel says so

    def for_preview(self) -> KeptBackend | None:
        """The backend to run a preview in; None if the setting is off, or while a backend is installed or removed."""
        return self.backend if settings.keeps_backend() and install_task.running() is None else None

    def end_for_good(self) -> None:
        """End it when the plugin is unloaded."""
        self._changes.disconnect(self._apply)
        QgsApplication.instance().aboutToQuit.disconnect(self.backend.end)
        self.backend.end()

    def _apply(self) -> None:
        if not settings.keeps_backend():
            self.backend.end()
