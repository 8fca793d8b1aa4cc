"""Cloud detection at coarser resolutions: agreement with 10 m on real patches, and time relative to cleaning.

python benchmarks/cloud_grid.py [FOLDER of cloudy 13-band GeoTIFFs, default ../shared/data]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio
from common import full_size_model, say

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detector import Imagery
from sunbreak.clouds.registry import detector
from sunbreak.defaults import CLOUD_FACTOR
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.scene import S2_BANDS

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
paths = [
    p
    for pattern in ("scenes/*cloudy.tif", "sen12mscr/*cloudy/*/*.tif", "timeseries/*.tif")
    for p in sorted(folder.glob(pattern))
]
if not paths:
    print(f"cloud_grid: no cloudy patches under {folder}, skipped")
    sys.exit()
pick = [S2_BANDS.index(band) + 1 for band in detector("s2cloudless").bands]
images = []
for path in paths:
    with rasterio.open(path) as source:
        images.append(source.read(pick).astype(np.float32) / 1e4)
megapixels = sum(image[0].size for image in images) / 1e6

with tempfile.TemporaryDirectory() as scratch:
    network = OpenVinoRuntime.for_model(full_size_model(Path(scratch)))
    tile = np.full((15, 256, 256), 0.2, np.float32)
    network.submit({"x": tile[None]})
    network.collect()
    start, count = time.perf_counter(), 12
    for _ in range(count):
        if not network.room:
            network.collect()
        network.submit({"x": tile[None]})
    while network.pending:
        network.collect()
    # tiles of 256 px overlap by 32 px
    cleaning = (time.perf_counter() - start) / count / (224**2 / 1e6)

rows, exact = [], None
for factor in (1, 2, 3, 4, 5, 6, 8):
    clouds = detector("s2cloudless", CloudSettings(factor=factor))
    clouds.predict(images[0][:, :32, :32])
    start = time.perf_counter()
    masks = [replaced(clouds.predict(image).classes) for image in images]
    seconds = (time.perf_counter() - start) / megapixels
    exact = exact or masks
    agreement = [float((a == b).mean()) for a, b in zip(masks, exact, strict=True)]
    mark = " <- default" if factor == CLOUD_FACTOR else ""
    rows.append(
        (
            f"{factor * 10} m",
            f"{seconds:.2f} s/Mpx = {seconds / cleaning:.0%} of cleaning; agreement mean {np.mean(agreement):.2%}, "
            f"least {min(agreement):.2%}{mark}",
        )
    )
say(f"Cloud detection on {len(images)} real patches ({megapixels:.1f} Mpx); cleaning takes {cleaning:.2f} s/Mpx", rows)

# the detectors on one tile of the engine with its halo, cut from the demo scene continued by reflection
DEMO = Path(__file__).resolve().parents[1] / "resources" / "demo" / "demo_s2_cloudy.tif"
with rasterio.open(DEMO) as source:
    demo = source.read().astype(np.float32) / 1e4
rows = []
for name, level in (("s2cloudless", "L1C"), ("ukis", "L1C"), ("auto", "L1C"), ("ukis", "L2A"), ("auto", "L2A")):
    bands = tuple(band for band in S2_BANDS if level == "L1C" or band != "B10")
    made = detector(name, imagery=Imagery(level, bands))
    side = made.core + 2 * made.halo
    image = np.pad(demo, [(0, 0), (0, side - demo.shape[1]), (0, side - demo.shape[2])], mode="reflect")
    tile = np.ascontiguousarray(image[[S2_BANDS.index(band) for band in made.bands]])
    made.predict(tile)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        made.predict(tile)
        times.append((time.perf_counter() - start) / (made.core**2 / 1e6))
    seconds = float(np.median(times))
    rows.append((f"{name}, {level}", f"{seconds:.2f} s/Mpx = {seconds / cleaning:.0%} of cleaning"))
say("The detectors on the demo scene, half of which is cloud", rows)
