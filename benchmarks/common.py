"""Shared by the benchmarks: a full-size network with random weights, simulated scenes, a table, figures for `make bench`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS

FIGURES = "SUNBREAK_FIGURES"
TILE = 256
GROUND = np.array([1200, 900, 850, 600, 900, 1900, 2300, 2200, 2500, 700, 12, 1500, 800], np.float32)


def full_size_model(folder: Path) -> ModelFiles:
    """Mono-temporal UnCRtainTS of the published size with random weights: speed and memory do not depend on them."""
    import torch

    from sunbreak.models.importing import save_uncrtaints
    from sunbreak.models.uncrtaints import UnCRtainTS

    torch.manual_seed(0)
    return save_uncrtaints(
        UnCRtainTS().eval(), "bench", folder, title="random", description="random weights", licence="CC0-1.0"
    )


def write_scene(folder: Path, rows: int, columns: int, cloudy_tiles: float, step: int = 224) -> tuple[Path, Path, Path]:
    """S2, S1 and a mask in which a fraction of the cells of `step` pixels is cloudy. Written in strips."""
    rng = np.random.default_rng(0)
    common = {
        "driver": "GTiff", "height": rows, "width": columns, "crs": "EPSG:32632", "tiled": True,
        "blockxsize": 512, "blockysize": 512, "transform": from_origin(500000, 5300000, 10, 10), "BIGTIFF": "IF_SAFER",
    }  # fmt: skip
    paths = folder / f"s2_{rows}.tif", folder / f"s1_{rows}.tif", folder / f"mask_{rows}.tif"
    texture = rng.normal(1, 0.1, (512, columns)).astype(np.float32)
    with (
        rasterio.open(
            paths[0], "w", count=13, dtype="uint16", compress="zstd", zstd_level=1, predictor=2, **common
        ) as s2,
        rasterio.open(paths[1], "w", count=2, dtype="float32", **common) as s1,
        rasterio.open(paths[2], "w", count=1, dtype="uint8", compress="deflate", **common) as mask,
    ):
        for band, name in enumerate(S2_BANDS, 1):
            s2.set_band_description(band, name)
        # the last tile of a row or column is shifted inside: cells under it would be in two tiles
        down, across = (rows - TILE) // step, (columns - TILE) // step
        cells = np.full((-(-rows // step), -(-columns // step)), cloudy_tiles >= 1)
        chosen = rng.choice(down * across, min(round(cloudy_tiles * cells.size), down * across), replace=False)
        cells[chosen // across, chosen % across] = True
        for row in range(0, rows, 512):
            count = min(512, rows - row)
            window = Window(0, row, columns, count)
            s2.write((GROUND[:, None, None] * texture[:count]).astype(np.uint16), window=window)
            s1.write(np.stack([texture[:count] * -11, texture[:count] * -17]), window=window)
            ids = (np.arange(row, row + count) // step)[:, None], (np.arange(columns) // step)[None]
            inside = ((np.arange(row, row + count) % step)[:, None] > 40) & ((np.arange(columns) % step)[None] > 40)
            mask.write((cells[ids] & inside).astype(np.uint8)[None], window=window)
    return paths


def peak(command: list[str], until: float | None = None) -> int:
    """Peak resident size of one process in bytes.

    Args:
        command: Of Sunbreak.
        until: Percent of its progress at which it is stopped; it runs to its end if not given.
    """
    with tempfile.TemporaryFile() as errors:
        # under --events, a closed standard input would cancel the run
        process = subprocess.Popen([*command, "--events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        stopped = False
        for line in process.stdout or ():
            event = json.loads(line)
            far = event["event"] == "progress" and 100 * event["done"] >= (until or 101) * event["total"]
            if far and not stopped:
                process.send_signal(signal.SIGTERM)
                stopped = True
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and not stopped:
            errors.seek(0)
            sys.exit(errors.read().decode())
    return usage.ru_maxrss * 1024


def record(name: str, value: float, unit: str, *, better: str = "lower") -> None:
    """Add a figure to the lines of the file that `figures.py` names in the environment, if it does.

    Args:
        name: Of the figure, the same in all runs.
        value: What was measured.
        unit: Its unit; ``ratio`` for what does not depend on the speed of the machine.
        better: ``lower`` or ``higher``.
    """
    target = os.environ.get(FIGURES)
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(
                json.dumps({"name": name, "value": float(f"{value:.4g}"), "unit": unit, "better": better}) + "\n"
            )


def say(title: str, rows: list[tuple[str, str]]) -> None:
    """Print figures under a title."""
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:<52} {value}")
