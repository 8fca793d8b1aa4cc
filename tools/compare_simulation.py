"""Compares simulated scenes with real Sentinel patches: spectra, backscatter, power spectrum, cloud cover, and a contact sheet.

python tools/compare_simulation.py DATA_FOLDER FIGURES.png SHEET.png

DATA_FOLDER holds `eurosat`, `sen12mscr`, `scene_spain` and `terramesh`. Figures are printed, too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
import rasterio

from sunbreak.datasets.eurosat import find_patches
from sunbreak.datasets.sen12ms import find_patches as find_pairs
from sunbreak.datasets.simulation import simulate_scene
from sunbreak.scene import S2_BANDS

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # (after the choice of the canvas)

SCENES, SIDE, FIRST_SEED = 60, 256, 500_000
CLASSES = {1: "Forest", 4: "Grassland", 6: "Croplands", 7: "Urban", 10: "Water"}
COLOURS = ("#0072b2", "#d55e00")
MASKED = 0.4


def radial_power(band: np.ndarray) -> np.ndarray:
    """Mean power by spatial frequency, up to half of the sampling frequency, over the total."""
    window = np.hanning(len(band))
    centred = (band - band.mean()) * np.outer(window, window)
    power = np.abs(np.fft.fftshift(np.fft.fft2(centred))) ** 2
    rows, columns = np.mgrid[: len(band), : len(band)] - len(band) // 2
    radius = np.hypot(rows, columns).astype(int)
    mean = np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())
    half = mean[1 : len(band) // 2]
    return half / half.sum()


def covers(images: list[np.ndarray]) -> np.ndarray:
    """Cloud fraction as the default detector finds it at 10 m."""
    from sunbreak.clouds.classes import replaced
    from sunbreak.clouds.detector import detect_in
    from sunbreak.clouds.registry import detector
    from sunbreak.defaults import REFERENCE_DETECTOR

    clouds = detector(REFERENCE_DETECTOR)
    return np.array([replaced(detect_in(clouds, i.astype(np.float32) / 1e4).classes).mean() for i in images])


def read(path: Path) -> np.ndarray:
    """All bands of a raster."""
    with rasterio.open(path) as source:
        return source.read()


def true_colour(image: np.ndarray) -> np.ndarray:
    """Red, green, blue with one stretch for all: 0 to 0.3 reflectance."""
    return np.clip(image[[3, 2, 1]].astype(float) / 3000, 0, 1).transpose(1, 2, 0)


def main(data: Path, figures: Path, sheet: Path) -> None:
    """Measure, print, draw."""
    made = [simulate_scene(SIDE, FIRST_SEED + number) for number in range(SCENES)]
    labelled = find_patches(data / "eurosat")
    pairs = find_pairs(data / "sen12mscr", need=("s2", "s2_cloudy")).patches
    clear = [read(pair.files["s2"]) for pair in pairs]
    cloudy = [read(pair.files["s2_cloudy"]) for pair in pairs]

    figure, axes = plt.subplots(2, 4, figsize=(15, 7), layout="constrained")
    for axis, (number, name) in zip(axes.ravel()[:5], CLASSES.items(), strict=True):
        simulated = [scene.clear[:, scene.landcover == number].T for scene in made if (scene.landcover == number).any()]
        real = [patch.read().reshape(13, -1).T for patch in labelled if patch.label == number]
        both = [np.concatenate(part) / 1e4 for part in (simulated, real)]
        for values, colour, label in zip(both, COLOURS, ("simulated", "EuroSAT"), strict=True):
            mean, spread = values.mean(axis=0), values.std(axis=0)
            axis.plot(mean, color=colour, label=label)
            axis.fill_between(range(13), mean - spread, mean + spread, color=colour, alpha=0.2)
        axis.set_xticks(range(13), [band[1:] for band in S2_BANDS], fontsize=7)
        axis.set_title(name)
        axis.set_xlabel("band")
        axis.set_ylabel("reflectance, mean and deviation")
        means = [values.mean(axis=0) for values in both]
        apart, deviations = means[0] - means[1], [values.std(axis=0) for values in both]
        print(
            f"{name:<10} mean difference {np.abs(apart).mean():.3f}, largest {apart[np.abs(apart).argmax()]:+.3f} in "
            f"{S2_BANDS[np.abs(apart).argmax()]}; deviation simulated {deviations[0].mean():.3f}, "
            f"real {deviations[1].mean():.3f}"
        )
    axes[0, 0].legend()

    axis = axes[1, 1]
    radars = [read(data / "scene_spain" / "S1_VV_VH_dB.tif")]
    radars += [read(pair.files["s1"]) for pair in find_pairs(data / "sen12mscr", need=("s1", "s2")).patches]
    radars += [read(path) for path in sorted((data / "terramesh" / "S1RTC").glob("*.tif"))]
    for channel, name in enumerate(("VV", "VH")):
        simulated = np.concatenate([scene.s1[channel].ravel() for scene in made])
        real = np.concatenate([radar[channel].ravel() for radar in radars])
        real = real[np.isfinite(real)]
        for values, colour in zip((simulated, real), COLOURS, strict=True):
            axis.hist(
                values,
                np.arange(-35, 5, 0.5),
                density=True,
                histtype="step",
                color=colour,
                ls="-" if not channel else "--",
            )
        print(
            f"{name} dB: simulated median {np.median(simulated):.1f}, 5 to 95 % {np.percentile(simulated, 5):.1f} to "
            f"{np.percentile(simulated, 95):.1f}; real {np.median(real):.1f}, {np.percentile(real, 5):.1f} to "
            f"{np.percentile(real, 95):.1f}"
        )
    axis.set_title("Sentinel-1: VV (line), VH (dashes)")
    axis.set_xlabel("dB")
    axis.set_ylabel("density")

    axis = axes[1, 2]
    powers = [np.mean([radial_power(image[3].astype(float)) for image in images], axis=0) for images in
              ([scene.clear for scene in made], clear)]  # fmt: skip
    frequency = np.arange(1, SIDE // 2) / SIDE
    for power, colour in zip(powers, COLOURS, strict=True):
        axis.loglog(frequency, power, color=colour)
    axis.set_title("Power spectrum of B04, clear")
    axis.set_xlabel("cycles per pixel")
    axis.set_ylabel("share of the power")
    fine = [float(power[frequency > 0.25].sum() * 100) for power in powers]
    print(f"power above a quarter of the sampling frequency: simulated {fine[0]:.2f} %, real {fine[1]:.2f} %")

    axis = axes[1, 3]
    shares = covers([scene.cloudy for scene in made]), covers(cloudy)
    for share, colour in zip(shares, COLOURS, strict=True):
        axis.plot(np.sort(share), np.linspace(0, 1, len(share)), color=colour, drawstyle="steps-post")
    axis.set_title("Cloud cover found by s2cloudless")
    axis.set_xlabel("cover")
    axis.set_ylabel("share of the images below")
    print(
        f"cover: simulated mean {shares[0].mean():.2f} ({len(shares[0])} images), real mean {shares[1].mean():.2f} "
        f"({len(shares[1])} images)"
    )
    figure.savefig(figures, dpi=75)

    figure, axes = plt.subplots(4, 6, figsize=(12, 8.3), layout="constrained")
    rows = (
        ("simulated", [scene.clear for scene in made]),
        ("simulated, cloudy", [scene.cloudy for scene in made]),
        ("real", clear),
        ("real, cloudy", cloudy),
    )
    for line, (title, images) in zip(axes, rows, strict=True):
        step = max(1, len(images) // 6)
        for axis, image in zip(line, images[::step], strict=False):
            axis.imshow(true_colour(image))
            axis.set_axis_off()
        line[0].set_title(title, loc="left", fontsize=9)
    figure.savefig(sheet, dpi=70)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
