"""Writes simulated scenes as georeferenced files, and the bundled demo scene."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from sunbreak.datasets.simulation.landscape import CLASSES
from sunbreak.datasets.simulation.scene import SimulatedScene, simulate_scene
from sunbreak.drafts import draft
from sunbreak.errors import OutputError
from sunbreak.scene import S2_BANDS

DEMO_SIDE, DEMO_SEED, DEMO_COVER = 768, 94, 0.25
_DN_STEP, _DB_STEP = 12, 0.25


def write_scene(
    directory: Path, scene: SimulatedScene, stem: str = "scene", *, overwrite: bool = False
) -> dict[str, Path]:
    """Write a scene as GeoTIFFs at 10 m in UTM zone 32N.

    Returns:
        Paths by role: s2_cloudy, s2_clear, s1, landcover, cloud.

    Raises:
        OutputError: A file exists and `overwrite` is False, or the folder cannot be written.
    """
    layers: dict[str, tuple[NDArray[Any], Sequence[str], str]] = {
        "s2_cloudy": (scene.cloudy, S2_BANDS, "DN"),
        "s2_clear": (scene.clear, S2_BANDS, "DN"),
        "s1": (scene.s1, ("VV", "VH"), "dB"),
        "landcover": (scene.landcover[None], ("landcover",), ""),
        "cloud": (scene.cloud[None].astype(np.uint8), ("cloud",), ""),
    }
    paths = {role: Path(directory) / f"{stem}_{role}.tif" for role in layers}
    for path in paths.values():
        if path.exists() and not overwrite:
            raise OutputError(
                f"The output {path} exists already.", "Choose another folder, or allow overwriting (--overwrite)."
            )
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {directory} cannot be created: {error.strerror}.", "Choose another folder."
        ) from error
    with ExitStack() as drafts:  # no file gets its name before all are written
        for role, (values, bands, unit) in layers.items():
            _write(drafts.enter_context(draft(paths[role])), values, bands, unit)
    return paths


def write_demo(directory: Path, *, overwrite: bool = False) -> dict[str, Path]:
    """Write the demo scene. DN in steps of 12 (the noise level) and dB in steps of 0.25 make its files small."""
    scene = simulate_scene(DEMO_SIDE, DEMO_SEED, cover=DEMO_COVER, season="summer")
    rounded = SimulatedScene(
        **{
            **scene.__dict__,
            "clear": _in_steps(scene.clear),
            "cloudy": _in_steps(scene.cloudy),
            "s1": (np.rint(scene.s1 / _DB_STEP) * _DB_STEP).astype(np.float32),
        }
    )
    return write_scene(directory, rounded, "demo", overwrite=overwrite)


def _in_steps(dn: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return np.maximum((dn + _DN_STEP // 2) // _DN_STEP * _DN_STEP, _DN_STEP).astype(np.uint16)


def _write(path: Path, values: NDArray[Any], bands: Sequence[str], unit: str) -> None:
    count, rows, columns = values.shape
    profile = {
        "driver": "GTiff", "count": count, "height": rows, "width": columns, "dtype": values.dtype,
        "crs": "EPSG:32632", "transform": from_origin(600000, 5400000, 10, 10), "tiled": True, "blockxsize": 256,
        "blockysize": 256, "compress": "zstd", "zstd_level": 19, "predictor": 3 if values.dtype.kind == "f" else 2,
        "interleave": "band",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values)
        for index, name in enumerate(bands, 1):
            target.set_band_description(index, name)
            if unit:
                target.set_band_unit(index, unit)
        if bands[0] == "landcover":
            target.write_colormap(1, {value: _rgb(colour) for value, (_, colour) in CLASSES.items()})
            target.update_tags(1, **{f"CLASS_{value}": name for value, (name, _) in CLASSES.items()})


def _rgb(colour: str) -> tuple[int, int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), 255
