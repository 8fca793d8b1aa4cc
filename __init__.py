"""Entry point of the QGIS plugin: QGIS imports this folder as a package and asks it for the plugin."""

from __future__ import annotations


def classFactory(iface):
    """Give QGIS the plugin.

    Args:
        iface: QGIS Desktop's interface, or None under `qgis_process`.
    """
    from .plugin.plugin import SunbreakPlugin

    return SunbreakPlugin(iface)
