"""QGIS for the plugin's tests: the checkout as the plugin `sunbreak`, its provider in the registry, the real backend.

Run with QGIS's own interpreter, pytest-qgis and `QT_QPA_PLATFORM=offscreen` in the environment (set later, it is too
late).
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240
sys.path.append(str(Path(__file__).parent / "support"))  # helpers that several test modules import


@pytest.fixture(scope="session", autouse=True)
def plugin_folder(tmp_path_factory):
    """A folder that holds the checkout under the plugin's name, as QGIS's own plugin folder does."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "sunbreak").symlink_to(CHECKOUT, target_is_directory=True)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def backend() -> Path:
    """The interpreter of the real backend: SUNBREAK_PYTHON, or the checkout's .venv."""
    path = Path(os.environ.get("SUNBREAK_PYTHON") or CHECKOUT / ".venv" / "bin" / "python")
    if not path.exists():
        pytest.skip(f"no backend: set SUNBREAK_PYTHON or make {path}")
    return path


@pytest.fixture(scope="session")
def classifiers(backend, tmp_path_factory) -> Path:
    """The folder of `tiny-landcover`."""
    folder = tmp_path_factory.mktemp("models ö")
    subprocess.run([backend, "-I", CHECKOUT / "tests" / "tiny_classifier.py", folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def plugin(qgis_iface, qgis_processing):
    """The plugin, enabled as by QGIS Desktop."""
    import sunbreak

    plugin = sunbreak.classFactory(qgis_iface)
    plugin.initGui()
    yield plugin
    plugin.unload()
    gc.collect()  # a layer in an exception's traceback that outlives QGIS takes the interpreter down with it


class Waiter:
    """Processes QGIS events until a condition holds."""

    def waitUntil(self, so):
        from qgis.PyQt.QtWidgets import QApplication

        end = time.monotonic() + PATIENCE_S
        while not so():
            assert time.monotonic() < end, "it never came to that"
            QApplication.processEvents()
            time.sleep(0.02)


@pytest.fixture
def qt():
    return Waiter()


@pytest.fixture
def ready(plugin, backend, monkeypatch, qgis_iface, tmp_path):
    """The plugin with the real backend, and a folder for the user's own models."""
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # pytest-qgis's has no layer tree view
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path / "models"))
    for name in ("addDockWidget", "removeDockWidget"):
        monkeypatch.setattr(qgis_iface, name, lambda *_: None, raising=False)
    return plugin


@pytest.fixture
def feedback():
    """Feedback that records its messages."""
    from qgis.core import QgsProcessingFeedback

    class Remembering(QgsProcessingFeedback):
        def __init__(self):
            super().__init__(False)
            self.said: dict[str, list[str]] = {"info": [], "warning": [], "console": [], "command": [], "text": []}
            self.steps: list[float] = []
            self.progressChanged.connect(self.steps.append)

        def pushInfo(self, info):
            self.said["info"].append(info)

        def pushWarning(self, warning):
            self.said["warning"].append(warning)

        def pushConsoleInfo(self, info):
            self.said["console"].append(info)

        def pushCommandInfo(self, info):
            self.said["command"].append(info)

        def setProgressText(self, text):
            self.said["text"].append(text)

    return Remembering()


@pytest.fixture(scope="session")
def scene(tmp_path_factory) -> dict[str, Any]:
    """A part of the demo scene, Level-1C: thick and thin clouds, their shadows, and radar that shows the land below.

    Files `s2` and `s1`, and the truth: `inside` thick clouds (row, column), and the `clear` DN (band, row, column). The
    networks that detect clouds need clouds that look like some, so drawn ones do not do.
    """
    from algorithms import part_of_demo, write_raster

    folder = tmp_path_factory.mktemp("scene with ä space")
    cloudy, clear, radar = (part_of_demo(name) for name in ("demo_s2_cloudy", "demo_s2_clear", "demo_s1"))
    names = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
    return {
        "s2": write_raster(folder / "S2 tiny.tif", cloudy.clip(1, 10_000), bands=names, nodata=0),
        "s1": write_raster(folder / "S1 tiny.tif", radar, bands=("VV", "VH")),
        "inside": cloudy[1].astype("int32") - clear[1] > 1500,
        "clear": clear.astype("float64"),
    }
