"""Image quality under clouds on simulated patches with known truth, compared with a paired network and simple fills.

The pairs are used for the measurement only. The translation is not trained on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray

from sunbreak.datasets.bigearthnet import Collection, Patch
from sunbreak.datasets.bigearthnet.simulated import bands_of
from sunbreak.datasets.bigearthnet.writing import TRUTH_FOLDER
from sunbreak.datasets.simulation.spectra import PATH
from sunbreak.errors import InputError
from sunbreak.metrics import image as quality
from sunbreak.metrics.bootstrap import Estimate, draws, estimate_mean
from sunbreak.metrics.fills import mean_fill, nearest_fill
from sunbreak.models.architectures import load_network
from sunbreak.models.augcyclegan import Generator
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.sources.gdal import open_dataset
from sunbreak.training.bigearthnet_images import Channels, ImagePile
from sunbreak.training.removal.network_batches import network_input
from sunbreak.training.unpaired.frechet_validation import translated

FIGURES = {"psnr": "PSNR in clouds, dB", "sam": "SAM in clouds, degrees", "ssim": "SSIM, clear pixels kept"}
_DRAWS = 4
_REPLICATES = 1000

Image = NDArray[np.float32]


_BLUE, _THICK = 1, 800.0  # B02, DN; as in `sunbreak detect-clouds`


@dataclass(frozen=True)
class Truth:
    """The truth of a simulated cloudy patch, at the top of the atmosphere.

    Attributes:
        s1: (2, 120, 120) dB.
        cloudy: (13, 120, 120) DN.
        clear: (13, 120, 120) DN.
        hidden: (120, 120), True under a cloud or in its shadow.
    """

    s1: NDArray[np.float32]
    cloudy: NDArray[np.uint16]
    clear: NDArray[np.uint16]
    hidden: NDArray[np.bool_]

    @property
    def opaque(self) -> NDArray[np.bool_]:
        """(120, 120), True under thick cloud: B02 is 0.08 or more above that of the ground."""
        apart: NDArray[np.bool_] = self.cloudy[_BLUE].astype(np.float32) - self.clear[_BLUE] >= _THICK
        return apart


@dataclass(frozen=True)
class PairTable:
    """Means over the patches by method.

    Attributes:
        rows: Metrics by method and by the keys of `FIGURES`.
        patches: Number of patches.
        hidden: Mean fraction of the pixels under cloud or shadow.
        overcast: Number of patches without a clear pixel, which fills cannot reconstruct.
    """

    rows: dict[str, dict[str, Estimate]]
    patches: int
    hidden: float
    overcast: int


def with_truth(collection: Collection) -> tuple[Patch, ...]:
    """The cloudy validation patches with truth in the data set; none for real data."""
    folder = collection.folder / TRUTH_FOLDER
    if not folder.is_dir():
        return ()
    return tuple(p for p in collection.pile("cloudy", "validation") if (folder / f"{p.name}_s2.tif").is_file())


def read_truth(collection: Collection, patch: Patch) -> Truth:
    """Read the truth of one patch.

    Raises:
        InputError: One of its files is missing or broken.
    """
    stem = collection.folder / TRUTH_FOLDER / patch.name
    parts = []
    for what in ("s1", "s2_cloudy", "s2", "hidden"):
        path = stem.with_name(f"{stem.name}_{what}.tif")
        try:
            with open_dataset(path) as source:
                parts.append(source.read())
        except rasterio.RasterioIOError as error:
            raise InputError(f"{path} cannot be read.", "Simulate the data set again.", code="bad-truth") from error
    return Truth(parts[0], parts[1], parts[2], parts[3][0].astype(bool))


def compare(
    collection: Collection,
    patches: Sequence[Patch],
    generator: Generator,
    channels: Channels,
    *,
    seed: int,
    device: str = "cpu",
    checkpoint: Callable[[], None] = lambda: None,
) -> PairTable:
    """Measure all methods on the same patches.

    All images are in the units of the patches, approximately Level-2A. Every method replaces the hidden pixels only;
    the other pixels are those of the cloudy image. The fills and UnCRtainTS get the true mask of clouds and shadows;
    the translation does not.

    Args:
        collection: Simulated data set with truth.
        patches: Patches from `with_truth`.
        generator: Generator from cloudy to clear.
        channels: Input bands of the generator.
        seed: Seed of the latent vectors and of the bootstrap; the mean of several draws is measured too.
        device: Device of the networks.
        checkpoint: Called before each patch; may raise to stop.
    """
    files = find_model(DEFAULT_REMOVAL, "cloud-removal")
    network = load_network(files).to(device).eval()
    prior: Sequence[float] = files.card.arguments.get("prior", ())
    cleared = _translations(patches, generator, channels, seed, torch.device(device))
    values: dict[str, dict[str, list[float]]] = {}
    fractions, overcast = [], 0
    for patch, (mean, one) in zip(patches, cleared, strict=True):
        checkpoint()
        truth = read_truth(collection, patch)
        target, cloudy = (np.clip(bands_of(part, channels.bands), 0, 1) for part in (truth.clear, truth.cloudy))
        fractions.append(float(truth.hidden.mean()))
        overcast += int(truth.hidden.all())
        if not truth.hidden.any():
            continue
        opaque = truth.opaque if files.card.hides_opaque else None
        paired = _uncrtaints(network, truth, prior, opaque, channels.bands, torch.device(device))
        methods = {
            "cloudy image": cloudy,
            "mean of clear pixels": mean_fill(cloudy, truth.hidden),
            "nearest clear pixel": nearest_fill(cloudy, truth.hidden),
            f"UnCRtainTS ({files.card.name}, trained on pairs)": paired,
            "Augmented CycleGAN, one draw": one,
            f"Augmented CycleGAN, mean of {_DRAWS} draws": mean,
        }
        for name, result in methods.items():
            shown = np.where(truth.hidden, np.clip(result, 0, 1), cloudy)
            kept = np.where(truth.hidden, shown, target)
            row = values.setdefault(name, {key: [] for key in FIGURES})
            row["psnr"].append(quality.psnr(shown, target, truth.hidden))
            row["sam"].append(quality.sam_degrees(shown, target, truth.hidden))
            row["ssim"].append(quality.ssim(kept, target))
    counts = draws(len(next(iter(values.values()))["psnr"]), _REPLICATES, seed) if values else None
    rows = {
        name: {key: estimate_mean(np.array(numbers), counts) for key, numbers in figures.items()}
        for name, figures in values.items()
        if counts is not None
    }
    return PairTable(rows, len(patches), float(np.mean(fractions)), overcast)


def _translations(
    patches: Sequence[Patch], generator: Generator, channels: Channels, seed: int, device: torch.device
) -> list[tuple[Image, Image]]:
    """Mean of the draws and first draw of each patch, reflectance."""
    pile = ImagePile(patches, channels)
    drawn = []
    for draw in range(_DRAWS):
        parts = [fake for _, _, fake in translated(generator, pile, seed, device, draw)]
        drawn.append(channels.unscaled(np.concatenate(parts)))
    mean: Image = np.mean(np.stack(drawn), axis=0).astype(np.float32)
    return list(zip(mean, drawn[0], strict=True))


@torch.inference_mode()
def _uncrtaints(
    network: torch.nn.Module,
    truth: Truth,
    prior: Sequence[float],
    opaque: NDArray[np.bool_] | None,
    bands: Sequence[str],
    device: torch.device,
) -> Image:
    """Prediction of the paired network, converted to the units of the patch."""
    x = torch.from_numpy(network_input(truth.s1, truth.cloudy, truth.hidden, prior, opaque)).to(device)
    result: Any = network(x[None])
    mean = result[0][0, : len(PATH)].float().cpu().numpy()
    return np.clip(bands_of(np.clip(mean, 0, 6) * 10000, bands), 0, 1)
