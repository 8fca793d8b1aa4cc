"""How well the detectors find clouds and shadows, on real images and under simulated clouds.

python benchmarks/cloud_masks.py [FOLDER of the data, default ../shared/data]

Nothing here is trained. The figures are those of docs/cloud-detection.md.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from common import say
from numpy.typing import NDArray
from rasterio.transform import from_origin

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.detector import CloudDetector, Imagery, JoinsGiven, detect_in
from sunbreak.clouds.registry import detector
from sunbreak.clouds.ukis_networks import BANDS
from sunbreak.datasets.simulation.clouds import VISIBLE_THICKNESS, Sun, cover_with, draw_clouds
from sunbreak.engine import make_runtime
from sunbreak.events import Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.metrics.mask_agreement import agreement
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.scene import S2_BANDS, Scene

DATA = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
DEMO = Path(__file__).resolve().parents[1] / "resources" / "demo"
WITHOUT_B10 = tuple(band for band in S2_BANDS if band != "B10")
EUROSAT = (*S2_BANDS[:8], "B09", "B10", "B11", "B12", "B8A")
SHIFTED = ("57755", "74721", "75123", "770287", "282D", "609U")  # images that still hold the offset of 1000
VISIBLE = 0.05  # mean difference in B02, B03 and B04 that is seen
SNOW = 0.2  # NDSI; snow under forest has less than the 0.4 of open snow

Image = NDArray[np.float32]
Classes = NDArray[np.uint8]


def read(path: Path) -> Image:
    with rasterio.open(path) as source:
        stored: Image = source.read().astype(np.float32)
    return (stored - (1000 if any(part in path.stem for part in SHIFTED) else 0)) / 10000


def pairs() -> list[tuple[Path, Path]]:
    found = [
        (path, Path(str(path).replace("s2_cloudy", "s2"))) for path in sorted(DATA.glob("sen12mscr/*s2_cloudy/*/*.tif"))
    ]
    return [(cloudy, clear) for cloudy, clear in found if clear.exists()]


def located(path: Path, folder: Path) -> Path:
    """The raster with a made-up place, if it has none."""
    with rasterio.open(path) as source:
        if source.crs is not None:
            return path
        stored, profile = source.read(), source.profile
    profile.update(crs="EPSG:32632", transform=from_origin(500000, 5300000, 10, 10))
    copy = folder / path.name
    with rasterio.open(copy, "w", **profile) as target:
        target.write(stored)
    return copy


NETWORK = find_model(DEFAULT_REMOVAL, "cloud-removal")
RUNTIME = make_runtime(NETWORK, "cpu", "auto")


def cleaned(s2: Path, s1: Path | None, name: str) -> tuple[Image, Classes, Image]:
    """The cleaned image, the mask and the reconstructed fraction, with the default options and a detector."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        scene = Scene.open(
            located(s2, folder), located(s1, folder) if s1 else None, s2_unit="dn", s2_offset=0.0, s1_unit="db",
            s2_bands=S2_BANDS,
        )  # fmt: skip
        layers = clean(scene, folder / "out", NETWORK, CleanOptions(detector=name), Silent(), runtime=RUNTIME).layers
        with rasterio.open(layers["cloud_mask"]) as mask, rasterio.open(layers["reconstructed"]) as share:
            return read(layers["cleaned"]), mask.read(1), share.read(1) / np.float32(10000)


def psnr(one: Image, other: Image, where: Any = ...) -> float:
    apart = (
        (np.clip(one, 0, 1) - np.clip(other, 0, 1))[:, where]
        if where is not ...
        else np.clip(one, 0, 1) - np.clip(other, 0, 1)
    )
    return float(-10 * np.log10(np.square(apart, dtype=np.float64).mean()))


def about(counts: Any) -> str:
    exact, near = counts.figures(), counts.tolerant_figures()
    return (
        f"recall {exact['recall']:.3f}, precision {exact['precision']:.3f}, F1 {exact['f1']:.3f} "
        f"(1 px: {near['recall']:.3f}, {near['precision']:.3f})"
    )


def human_mask() -> None:
    """ukis_csmask: an image with a mask drawn by people."""
    with np.load(DATA / "ukis_csmask" / "sentinel2.npz") as stored:
        image, truth = np.moveaxis(stored["img"], -1, 0).astype(np.float32), stored["msk"].squeeze()
    rows = []
    for level in ("L1C", "L2A"):
        for name in ("ukis", "auto"):
            found = detector(name, imagery=Imagery(level, BANDS, 30.0)).predict(image).classes
            cloud = (found == THICK_CLOUD) | (found == THIN_CLOUD)
            known = np.ones(truth.shape, bool)
            rows.append((f"{name} {level}, cloud", about(agreement(cloud, truth == 4, known, 1))))
            rows.append((f"{name} {level}, shadow", about(agreement(found == SHADOW, truth == 0, known, 1))))
    say("An image with a mask drawn by people (ukis_csmask)", rows)


def real_pairs() -> None:
    """sen12mscr: the whole image after cleaning, and what differs visibly and is missed at place 136."""
    rows = []
    for name in ("s2cloudless", "auto"):
        each, differing, missed = [], np.zeros(2), np.zeros(2)
        for cloudy, clear in pairs():
            radar = Path(str(cloudy).replace("s2_cloudy", "s1"))
            result, mask, _ = cleaned(cloudy, radar if radar.exists() else None, name)
            before, after = read(cloudy), read(clear)
            each.append(psnr(result, after))
            if "_136_" in cloudy.name:
                green, swir = before[S2_BANDS.index("B03")], before[S2_BANDS.index("B11")]
                seen = np.abs(before - after)[1:4].mean(axis=0) > VISIBLE
                bare = (green - swir) / (green + swir) < SNOW
                for i, part in enumerate((seen, seen & bare)):
                    differing[i] += part.sum()
                    missed[i] += (part & (mask == 0)).sum()
        rows.append((f"{name}: PSNR of the whole image", f"{np.mean(each):.2f} dB over {len(each)} pairs"))
        rows.append(
            (f"{name}: missed at 136", f"{missed[1] / differing[1]:.1%}; with snow {missed[0] / differing[0]:.1%}")
        )
    say("Real pairs of a cloudy and a clear date (sen12mscr)", rows)


def validation() -> None:
    """The twelve triplets."""
    rows, inside = [], {}
    exact = detector("s2cloudless", CloudSettings(factor=1))
    for name in ("s2cloudless", "auto"):
        whole, within = [], []
        for cloudy in sorted(DATA.glob("triplets/*_s2_cloudy.tif")):
            target, radar = (Path(str(cloudy).replace("s2_cloudy", kind)) for kind in ("s2", "s1"))
            result, _, _ = cleaned(cloudy, radar, name)
            clear = read(target)
            whole.append(psnr(result, clear))
            mask = inside.setdefault(cloudy, detect_in(exact, read(cloudy)).classes == THICK_CLOUD)
            if mask.any():
                within.append(psnr(result, clear, mask))
        rows.append((name, f"{np.mean(whole):.2f} dB, {np.mean(within):.2f} dB inside s2cloudless at 10 m"))
    say("The twelve validation triplets, cleaned", rows)


def clear_images() -> Iterator[tuple[str, str, tuple[str, ...], Image]]:
    """(group, name, bands, image) of images that are called clear."""
    for _, clear in pairs():
        yield "SEN12MS-CR", clear.stem, S2_BANDS, read(clear)
    for path in sorted(DATA.glob("sen12mscr_dsp/**/*s2*.tif")):
        yield "SEN12MS-CR", path.stem, S2_BANDS, read(path)
    for path in sorted(DATA.glob("eurosat/**/*.tif")):
        yield "EuroSAT", path.stem, EUROSAT, read(path)
    for path in sorted(DATA.glob("satclip_s2/*.tif")):
        yield "satclip (L2A)", path.stem, WITHOUT_B10, read(path)
    for path in sorted(DATA.glob("terramesh/S2L1C/*.tif")):
        yield "TerraMesh L1C", path.stem, S2_BANDS, read(path)
    for path in sorted(DATA.glob("terramesh/S2L2A/*.tif")):
        yield "TerraMesh L2A", path.stem, WITHOUT_B10, read(path)


def detect(name: str, image: Image, bands: tuple[str, ...]) -> Classes:
    """Class codes with the detector for these bands."""
    return detect_in(made(name, bands), image, bands).classes


def made(name: str, bands: tuple[str, ...]) -> CloudDetector:
    level = "L1C" if "B10" in bands else "L2A"
    return detector(name, imagery=Imagery(level, bands))


def false_alarms() -> None:
    """Fractions of clear images that are called cloud or shadow."""
    rows: list[tuple[str, str]] = []
    images = list(clear_images())
    for name in ("s2cloudless", "auto"):
        alarms = [
            (group, which, float((detect(name, image, bands) > 0).mean()))
            for group, which, bands, image in images
            if name == "auto" or "B10" in bands
        ]
        shares = [share for *_, share in alarms]
        for group in dict.fromkeys(group for group, *_ in alarms):
            own = [share for one, _, share in alarms if one == group]
            rows.append(
                (
                    f"{name}, {group}",
                    f"{len(own)} images, median {np.median(own):.2%}, 95 % below {np.percentile(own, 95):.2%}",
                )
            )
        rows.append(
            (
                f"{name}, all",
                f"{len(shares)} images, median {np.median(shares):.2%}, 95 % below {np.percentile(shares, 95):.2%}",
            )
        )
        worst = sorted(alarms, key=lambda alarm: -alarm[2])
        rows.append(
            (
                f"{name}, over 5 %",
                ", ".join(f"{which} {share:.0%}" for _, which, share in worst if share > 0.05) or "none",
            )
        )
        named = [alarm for alarm in alarms if any(part in alarm[1] for part in ("609U", "101_p505", "33188"))]
        rows.append(
            (
                f"{name}, snow 609U, city 101_p505, sand 33188",
                ", ".join(f"{group} {share:.1%}" for group, _, share in named),
            )
        )
    say("False alarms on images that are called clear", rows)


def level_2a() -> None:
    """Clear Level-2A images under simulated clouds, with and without a scene classification."""
    counts: dict[tuple[str, str], Any] = {}
    images = [read(path) for path in sorted([*DATA.glob("terramesh/S2L2A/*.tif"), *DATA.glob("satclip_s2/*.tif")])]
    for seed, clear in enumerate(images):
        rng = np.random.default_rng(seed)
        full = np.insert(clear, S2_BANDS.index("B10"), 0.0, axis=0)
        layers = draw_clouds(rng, clear.shape[1:], rng.uniform(0.1, 0.6))
        clouded, thickness, shadow = cover_with(full, layers, Sun(rng.uniform(30, 60), rng.uniform(120, 200)))
        image = np.delete(clouded, S2_BANDS.index("B10"), axis=0)
        truth = np.where(thickness > VISIBLE_THICKNESS, THICK_CLOUD, np.where(shadow, SHADOW, 0))
        classification = coarse(truth, thickness)
        auto = made("auto", WITHOUT_B10)
        needed = np.ascontiguousarray(image[[WITHOUT_B10.index(band) for band in auto.bands]], np.float32)
        assert isinstance(auto, JoinsGiven)
        found = {
            "scl alone": classification,
            "auto without SCL": auto.predict(needed).classes,
            "auto with SCL": auto.predict_with(needed, classification).classes,
        }
        known = np.ones(truth.shape, bool)
        for name, classes in found.items():
            for kind, codes in (("cloud", (THICK_CLOUD, THIN_CLOUD)), ("shadow", (SHADOW,)), ("either", (1, 2, 3))):
                one = agreement(np.isin(classes, codes), np.isin(truth, codes), known, 1)
                counts[name, kind] = counts[name, kind] + one if (name, kind) in counts else one
    rows = [(f"{name}, {kind}", about(count)) for (name, kind), count in counts.items()]
    say(f"Level-2A under simulated clouds ({len(images)} images)", rows)


def two_levels() -> None:
    """A real image of Belgium in four bands: Level-1C, and two atmospheric corrections of it."""
    bands, folder = BANDS[:4], DATA / "geotrellis_icor_s2"
    rows = []
    for level, prefix in (("L1C", "ref_input"), ("L2A", "ref_check_icor"), ("L2A", "ref_check_smac")):
        image = np.concatenate([read(folder / f"{prefix}_S2_{band}.tif") for band in bands])
        found = detector("auto", imagery=Imagery(level, bands)).predict(np.clip(image, 0, 2)).classes
        cloud, shadow = np.isin(found, (THICK_CLOUD, THIN_CLOUD)).mean(), (found == SHADOW).mean()
        rows.append((f"{level}, {prefix}", f"{cloud:.1%} cloud, {shadow:.1%} shadow"))
    say("One image at both levels (geotrellis_icor_s2)", rows)


def coarse(truth: NDArray[Any], thickness: Image) -> Classes:
    """A classification at 20 m with what Sen2Cor tends to miss: thin clouds, and the rims of clouds and shadows."""
    seen = np.where((truth == THICK_CLOUD) & (thickness < 2 * VISIBLE_THICKNESS), 0, truth).astype(np.uint8)
    half = seen[::2, ::2]
    inner = np.zeros_like(half)
    for code in (SHADOW, THICK_CLOUD):
        inner[cv2.erode((half == code).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = code
    return inner.repeat(2, 0).repeat(2, 1)[: truth.shape[0], : truth.shape[1]]


def demo() -> None:
    """The demo scene: what stays bright."""
    target = read(DEMO / "demo_s2_clear.tif")
    rows = []
    for name in ("s2cloudless", "auto"):
        result, _, share = cleaned(DEMO / "demo_s2_cloudy.tif", DEMO / "demo_s1.tif", name)
        left = result[1] - target[1] > 0.1
        rows.append(
            (
                name,
                f"{left.mean():.2%} of the pixels, PSNR {psnr(result, target):.2f} dB, replaced {(share > 0).mean():.0%}",
            )
        )
    say("Demo scene: brighter than the clear scene by more than 0.1 in B02 after cleaning", rows)


if __name__ == "__main__":
    if not DATA.exists():
        print(f"cloud_masks: no data under {DATA}, skipped")
        sys.exit()
    for part in (human_mask, false_alarms, level_2a, two_levels, demo, real_pairs, validation):
        part()
