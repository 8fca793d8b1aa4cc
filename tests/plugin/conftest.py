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


def write_raster(path: Path, values, *, bands=(), nodata=None, epsg=32632) -> Path:
    """A GeoTIFF with 10 m pixels, written by the GDAL that QGIS has. `values` is (band, row, column)."""
    import numpy as np
    from osgeo import gdal, gdal_array, osr

    gdal.UseExceptions()
    kind = gdal_array.NumericTypeCodeToGDALTypeCode(values.dtype)
    count, height, width = values.shape
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), width, height, count, kind, ["COMPRESS=DEFLATE"])
    dataset.SetGeoTransform((600_000.0, 10.0, 0.0, 5_200_000.0, 0.0, -10.0))
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(epsg)
    dataset.SetProjection(crs.ExportToWkt())
    for index in range(count):
        band = dataset.GetRasterBand(index + 1)
        band.WriteArray(np.ascontiguousarray(values[index]))
        if bands:
            band.SetDescription(bands[index])
        if nodata is not None:
            band.SetNoDataValue(nodata)
    dataset.FlushCache()
    return path


@pytest.fixture(scope="session")
def scene(tmp_path_factory) -> dict[str, Any]:
    """A small L1C-like scene: fields, a thick cloud over the middle, and radar that shows the fields below it.

    Files `s2` and `s1`, and the truth: `inside` the cloud (row, column), and the `clear` DN (band, row, column).
    """
    import numpy as np

    folder = tmp_path_factory.mktemp("scene with ä space")
    height, width = 280, 300
    rows, columns = np.mgrid[0:height, 0:width]
    field = ((rows // 40) * 7 + (columns // 50) * 3) % 5
    names = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
    green = np.array([1200, 950, 900, 600, 1000, 2300, 2900, 2800, 3100, 1100, 12, 1700, 900.0])
    soil = np.array([1300, 1150, 1300, 1600, 1900, 2100, 2300, 2400, 2600, 1000, 12, 3000, 2400.0])
    share = field[None] / 4
    clear = green[:, None, None] * (1 - share) + soil[:, None, None] * share
    clear = clear + np.random.default_rng(7).normal(0, 15, clear.shape)
    cloud = np.array([5200, 5300, 5200, 5400, 5500, 5700, 5800, 5700, 5900, 2600, 500, 4200, 3400.0])
    inside = np.hypot(rows - 130, columns - 160) < 60
    values = np.where(inside[None], cloud[:, None, None], clear)
    radar = np.stack([-8 - field * 1.5, -15 - field * 2.0]) + np.random.default_rng(8).normal(
        0, 0.8, (2, height, width)
    )
    return {
        "s2": write_raster(folder / "S2 tiny.tif", np.clip(values, 1, 10_000).astype("uint16"), bands=names, nodata=0),
        "s1": write_raster(folder / "S1 tiny.tif", radar.astype("float32"), bands=("VV", "VH")),
        "inside": inside,
        "clear": clear,
    }
