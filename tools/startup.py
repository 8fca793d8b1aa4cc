"""Runs inside QGIS Desktop (see startup.sh): measures the plugin's part of the start, then quits QGIS."""

import os
import sys
import time

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QTimer
from qgis.utils import plugin_times, plugins


def tell() -> None:
    """One line: seconds for the plugin as QGIS measured them, what was imported, and the version of QGIS."""
    if "sunbreak" not in plugins:
        print("startup: the plugin was not loaded", file=sys.stderr)
        os._exit(1)
    seconds = float(str(plugin_times["sunbreak"]).rstrip("s"))
    heavy = sorted(name for name in ("numpy", "scipy", "torch", "osgeo") if name in sys.modules)
    print(f"startup: {seconds:.4f} {time.process_time():.2f} {','.join(heavy) or '-'}", file=sys.stderr, flush=True)
    QgsApplication.processEvents()
    os._exit(0)


QTimer.singleShot(500, tell)
