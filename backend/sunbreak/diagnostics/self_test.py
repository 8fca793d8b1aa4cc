"""A few seconds of real work: a simulated scene of one tile is cleaned from files to files, and the result checked."""

from __future__ import annotations

import time
from pathlib import Path

from sunbreak.drafts import scratch_folder
from sunbreak.events import Reporter, Silent

# the outermost pixels of a cloud keep more of the observation than one step of the stored numbers can show
_UNCHANGED = 0.2


def clean_simulated_scene(reporter: Reporter) -> tuple[str, str]:
    """Clean a scene of noise with a white square in it, with the default model.

    Args:
        reporter: Cancels the run.

    Returns:
        What was done in which time, and what is wrong with the result (empty if nothing is).

    Raises:
        SunbreakError: Reading, computing or writing failed.
    """
    from sunbreak.jobs.execute import run
    from sunbreak.jobs.options import CleanOptions
    from sunbreak.jobs.runtimes import Runtimes
    from sunbreak.jobs.spec import JobInputs, make_spec
    from sunbreak.models.registry import DEFAULT_REMOVAL, find_model

    files = find_model(DEFAULT_REMOVAL)
    tile, options, runtimes = files.card.tile, CleanOptions(), Runtimes()
    runtime = runtimes.load(files, options.device, options.runtime)
    with scratch_folder() as folder:
        s2, s1, mask = _simulated(folder, tile)
        spec = make_spec("clean", JobInputs((s2,), (s1,), mask), folder / "out", options)
        start = time.monotonic()
        result = run(spec, Silent(reporter.cancellation), runtimes=runtimes)
        seconds = time.monotonic() - start
        return f"{runtime.label}: cleaned {tile} x {tile} px in {seconds:.1f} s", _wrong(
            s2, result.layers["cleaned"], mask
        )


def _simulated(folder: Path, side: int) -> tuple[Path, Path, Path]:
    """Sentinel-2, Sentinel-1 and a mask of its middle, `side` pixels wide."""
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    from sunbreak.scene import S2_BANDS

    rng = np.random.default_rng(0)
    optical = np.clip(rng.normal(1500, 150, (13, side, side)), 1, 9000).astype(np.uint16)
    radar = rng.normal([[[-11.0]], [[-17.0]]], 1.5, (2, side, side)).astype(np.float32)
    mask = np.zeros((1, side, side), np.uint8)
    quarter = side // 4
    mask[:, quarter:-quarter, quarter:-quarter] = 1
    optical[:, mask[0] == 1] = 9000
    paths = []
    for name, values, bands in (("s2", optical, S2_BANDS), ("s1", radar, ("VV", "VH")), ("mask", mask, ("mask",))):
        path = folder / f"{name}.tif"
        with rasterio.open(
            path, "w", driver="GTiff", count=len(values), height=side, width=side, dtype=values.dtype, crs="EPSG:32630",
            transform=from_origin(500000, 4649760, 10, 10),
        ) as file:  # fmt: skip
            file.write(values)
            file.descriptions = bands
        paths.append(path)
    return paths[0], paths[1], paths[2]


def _wrong(before: Path, after: Path, mask: Path) -> str:
    """What is wrong with a cleaned scene, empty if nothing is."""
    from sunbreak.sources.gdal import open_dataset

    with open_dataset(before) as one, open_dataset(after) as two, open_dataset(mask) as three:
        if (one.crs, one.transform, one.shape) != (two.crs, two.transform, two.shape):
            return "the result lies on another grid"
        raw, cleaned, cloud = one.read(), two.read(), three.read(1) == 1
    if (raw[:, ~cloud] != cleaned[:, ~cloud]).any():
        return "clear pixels were changed"
    if (raw[:, cloud] == cleaned[:, cloud]).mean() > _UNCHANGED:
        return "the clouds are still there"
    return ""
