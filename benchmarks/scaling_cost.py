"""Cost of a full Sentinel-2 tile by cloud cover: measured on a smaller scene, and scaled to 10980 x 10980 pixels."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from scaling_cluster import Usage, clean_batch, running_cluster, start_pinned
from scaling_scenes import write_simulated

from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.tiling import BlendedLayout

FULL, SMALL = 10980, 64
DAY_S = 86400


def cost(options: argparse.Namespace, home: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Clean one simulated scene with more and more cloud on a worker with one core."""
    paths = [
        write_simulated(home / "in", f"cover{percent:g}", options.side, percent / 100, options.seed)
        for percent in options.covers
    ]
    warm = write_simulated(home / "in", "warm", 320, 0.5, options.seed)[0]
    small = write_simulated(home / "in", "small", SMALL, 0.0, options.seed)
    found = []
    with running_cluster(home / "cluster") as cluster:
        start_pinned(cluster, 1)
        clean_batch(cluster.address, [warm], home / "warm")
        (worker,) = [one for one in cluster.worker_processes() if one.children() == [] and _computes(one)]
        fixed = _one(cluster.address, worker, 0, small, home / "small")
        for percent, files in zip(options.covers, paths, strict=True):
            found.append(_one(cluster.address, worker, percent, files, home / f"out-{percent:g}"))
    return _scaled(found, fixed, options.side)


def _computes(process: psutil.Process) -> bool:
    """Whether a process has loaded the networks' runtime, which the processes that keep workers have not."""
    return any("rasterio" in part.path for part in process.memory_maps())


def _one(address: str, worker: psutil.Process, percent: float, files: tuple[Path, ...], out: Path) -> dict[str, float]:
    before, started = Usage.of(worker), time.perf_counter()
    _, result = clean_batch(address, files[:1], out)
    seconds, used = time.perf_counter() - started, Usage.of(worker).since(before)
    numbers = result.outcomes[0].numbers
    return {
        "asked_cover": percent / 100, "cover": float(numbers["cloud_share"]), "tiles": float(numbers["tiles"]),
        "tiles_computed": float(numbers["tiles_computed"]), "cpu_s": used.cpu, "wall_s": seconds,
        "read_bytes": used.read, "written_bytes": used.written,
        "input_bytes": sum(path.stat().st_size for path in files),
        "output_bytes": sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
    }  # fmt: skip


def _scaled(
    found: list[dict[str, float]], fixed: dict[str, float], side: int
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Figures of a full tile.

    What every pixel costs is scaled by pixels, what a tile of the network costs by tiles: processor time is fitted as
    a sum of both. The measured fraction of cloudy tiles is kept. Bytes are scaled by pixels. What a scene of 64 px costs
    is taken as the part that does not depend on the size.
    """
    card = find_model(DEFAULT_REMOVAL).card
    tiles = BlendedLayout(FULL, FULL, card.tile, card.overlap).count
    larger = FULL**2 / side**2
    pixels = np.array([[1.0, one["tiles_computed"]] for one in found])
    fits = {
        name: np.linalg.lstsq(pixels, np.array([one[name] for one in found]), rcond=None)[0]
        for name in ("cpu_s", "wall_s")
    }
    full = []
    for one in found:
        computed = one["tiles_computed"] / one["tiles"] * tiles
        own = {
            name: float(fixed[name] + max(fit[0] - fixed[name], 0) * larger + fit[1] * computed)
            for name, fit in fits.items()
        }
        sizes = {key: fixed[key] + (one[key] - fixed[key]) * larger for key in one if key.endswith("_bytes")}
        full.append({"cover": one["cover"], "tiles": tiles, "tiles_computed": computed, **own, **sizes})
    residual = max(abs(one["cpu_s"] - float(row @ fits["cpu_s"])) for one, row in zip(found, pixels, strict=True))
    figures = {
        "measured": found, "fixed": fixed, "scaled_to_full_tile": full, "cpu_s_per_tile_of_network": float(fits["cpu_s"][1]),
        "cpu_s_per_megapixel": float(fits["cpu_s"][0] - fixed["cpu_s"]) / side**2 * 1e6, "largest_residual_cpu_s": residual,
        "scene_seconds": [one["wall_s"] for one in full],
    }  # fmt: skip
    rows = [
        ("measured on", f"{side} x {side} pixels, one core; scaled to {FULL} x {FULL}: {larger:.1f} times the pixels"),
        ("processor time of a tile of the network", f"{figures['cpu_s_per_tile_of_network']:.2f} s"),
        ("processor time of a megapixel without the network", f"{figures['cpu_s_per_megapixel']:.2f} s"),
        ("largest difference of the fit", f"{residual:.1f} s of processor time in the measured scene"),
    ]
    for small, large in zip(found, full, strict=True):
        said = (
            f"{large['cpu_s'] / 60:.1f} min of processor time, {large['tiles_computed']:.0f} of {tiles} tiles, inputs "
            f"{large['input_bytes'] / 1e9:.2f} GB, read {large['read_bytes'] / 1e9:.2f} GB, written "
            f"{large['written_bytes'] / 1e9:.2f} GB, layers {large['output_bytes'] / 1e9:.2f} GB"
        )
        rows.append((f"full tile (scaled), asked {small['asked_cover']:.0%}, detected {small['cover']:.0%}", said))
    mean = {name: float(np.mean([one[name] for one in full])) for name in ("cpu_s", "read_bytes", "written_bytes")}
    figures["cores_for_1000_a_day"] = 1000 * mean["cpu_s"] / DAY_S
    figures["mb_per_s_for_1000_a_day"] = 1000 * (mean["read_bytes"] + mean["written_bytes"]) / 1e6 / DAY_S
    said = (
        f"{figures['cores_for_1000_a_day']:.0f} cores, {figures['mb_per_s_for_1000_a_day']:.0f} MB/s read and written"
    )
    rows.append(("a thousand of them a day (computed), mean of these covers", said))
    return figures, rows
