"""The bundled network for cloud removal on the CPU: time and error beside plain eager torch, on real tiles.

python benchmarks/precision.py [TRIPLETS] [--rounds N]

Errors are those of the mean, in reflectance and as shares of sigma under the clouds. Without a folder of triplets
(`<id>_s1.tif`, `<id>_s2_cloudy.tif`, `<id>_s2.tif`) the tiles are those of the demo scene.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import openvino
import rasterio
import torch
from common import record, say

from sunbreak.engine.openvino_runtime import OpenVinoRuntime, computes_half
from sunbreak.models.architectures import load_model
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.resources import resource_path
from sunbreak.training.removal.network_batches import network_input
from sunbreak.training.removal.samples import Sample, with_masks
from sunbreak.training.removal.validation import triplets


def of_demo() -> list[Sample]:
    """Tiles of the demo scene."""
    parts = []
    for name in ("s1", "s2_clear", "s2_cloudy"):
        with rasterio.open(resource_path("demo", f"demo_{name}.tif")) as source:
            parts.append(source.read())
    places = [(row, column) for row in (0, 256, 512) for column in (0, 256, 512)]
    return [
        Sample(f"demo {row} {column}", *(part[:, row : row + 256, column : column + 256] for part in parts))
        for row, column in places
    ]


parser = argparse.ArgumentParser()
parser.add_argument("triplets", type=Path, nargs="?")
parser.add_argument("--rounds", type=int, default=3)
given = parser.parse_args()

files = find_model(DEFAULT_REMOVAL)
module = load_model(files)
samples = with_masks(triplets(given.triplets) if given.triplets else of_demo(), opaque=files.card.hides_opaque)
prior = files.card.arguments["prior"]
tiles = [network_input(one.s1, one.cloudy, one.hidden, prior, one.opaque)[None] for one in samples]
runtimes = {"exact": OpenVinoRuntime.for_model(files)}
if computes_half(openvino.Core()):
    runtimes["fast"] = OpenVinoRuntime.for_model(files, fast=True)


def eager(tile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sigma by the torch module as it is."""
    with torch.inference_mode():
        mean, variance = module(torch.from_numpy(tile)[:, None])
    return mean[0].numpy(), np.sqrt(variance[0].numpy())


def through(runtime: OpenVinoRuntime, some: list[np.ndarray]) -> list[np.ndarray]:
    """The means of tiles, with as many under way as in a run."""
    means = []
    for tile in some:
        while not runtime.room:
            means.append(runtime.collect()[0][0, :13].copy())
        runtime.submit({"x": tile})
    while runtime.pending:
        means.append(runtime.collect()[0][0, :13].copy())
    return means


expected = [eager(tile) for tile in tiles]
seconds: dict[str, list[float]] = {name: [] for name in ("eager", *runtimes)}
for _ in range(given.rounds):
    start = time.perf_counter()
    eager(tiles[0])
    seconds["eager"].append(time.perf_counter() - start)
    for name, runtime in runtimes.items():
        start = time.perf_counter()
        through(runtime, tiles[:6])
        seconds[name].append((time.perf_counter() - start) / len(tiles[:6]))

rows = [("plain eager torch", f"{np.median(seconds['eager']):.2f} s per tile")]
for name, runtime in runtimes.items():
    errors, shares = [], []
    for found, (mean, sigma), one in zip(through(runtime, tiles), expected, samples, strict=True):
        error = np.abs(found - mean)
        errors.append(error.max())
        shares.append((error / sigma)[:, one.hidden].ravel())
    share = np.concatenate(shares)
    ratio = float(np.median(np.array(seconds["eager"]) / np.array(seconds[name])))
    rows.append(
        (
            f"{name}: {runtime.label}",
            f"{np.median(seconds[name]):.2f} s per tile, {ratio:.1f}x, largest error {max(errors):.1e}; of sigma "
            f"under clouds: mean square {np.sqrt((share**2).mean()):.1e}, 99.9 % below {np.quantile(share, 0.999):.1e}, "
            f"largest {share.max():.1e}",
        )
    )
    record(f"network, {name}, times as fast as eager torch", ratio, "ratio", better="higher")
    record(f"network, {name}, largest error as a share of sigma", float(share.max()), "ratio")
say(f"{files.card.name} on {len(tiles)} tiles ({torch.get_num_threads()} threads of torch)", rows)
