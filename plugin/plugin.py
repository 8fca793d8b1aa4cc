"""The plugin object that QGIS creates. It registers and removes the Processing provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.core import QgsApplication

from .bridge.asking import stop_asking
from .layers import forget_post_processors
from .provider import SunbreakProvider
from .translation import load_translator, remove_translator

if TYPE_CHECKING:
    from .gui.menu import Menu


class SunbreakPlugin:
    """Adds the Processing provider. Everything else happens when an algorithm runs.

    Args:
        iface: QGIS Desktop's interface; None under `qgis_process`.
    """

    def __init__(self, iface) -> None:
        self.iface = iface
        self.provider: SunbreakProvider | None = None
        self._translator = load_translator()
        self._menu: Menu | None = None

    def initProcessing(self) -> None:
        """Add the provider; called alone by `qgis_process`."""
        if self.provider is not None:
            return
        provider = SunbreakProvider()
        if QgsApplication.processingRegistry().addProvider(provider):
            self.provider = provider

    def initGui(self) -> None:
        """Called by QGIS Desktop when the plugin is enabled."""
        self.initProcessing()
        if self.iface is not None and self._menu is None:
            from .gui.menu import Menu

            self._menu = Menu(self.iface)

    def unload(self) -> None:
        """Remove the menu and the provider, which QGIS deletes."""
        if self._menu is not None:
            self._menu.remove()
            self._menu = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        stop_asking()
        forget_post_processors()
        remove_translator(self._translator)
        self._translator = None
