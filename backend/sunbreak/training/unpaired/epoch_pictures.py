"""A picture per epoch: the same images, translated and translated back (paper 2, figure 1a)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sunbreak.drafts import draft
from sunbreak.models.augcyclegan import AugCycleGAN
from sunbreak.training.disk import writing
from sunbreak.training.numerics import mixed_precision
from sunbreak.training.unpaired.step import GeneratorAverage, Latents, Pair

_GAP = 4
_SHOWN = (0.02, 0.98)


@torch.no_grad()
def sample_columns(model: AugCycleGAN, average: GeneratorAverage, pair: Pair, draws: Sequence[Latents]) -> list[Tensor]:
    """The columns of the picture, each (batch, band, row, column).

    The columns are: cloudy, cleared once per draw, translated back to cloudy; then clear, clouded once per draw,
    translated back to clear. The draws differ only in the latent vector.

    Args:
        model: Gives the encoders.
        average: Gives the averaged generators.
        pair: The images.
        draws: Latent vectors; the first draw is translated back.
    """
    was_training = model.training
    model.eval()
    columns: list[Tensor] = []
    with mixed_precision(pair.cloudy.device, on_cpu=False):
        for image, conditioning, there, back, encode, latents in (
            (pair.cloudy, pair.cloudy_conditioning, average.to_clear, average.to_cloudy, model.to_cloudy.encode,
             [draw.clear for draw in draws]),
            (pair.clear, pair.clear_conditioning, average.to_cloudy, average.to_clear, model.to_clear.encode,
             [draw.cloudy for draw in draws]),
        ):  # fmt: skip
            fakes = [there(image, conditioning, latent) for latent in latents]
            columns += [image, *fakes, back(fakes[0], conditioning, encode(fakes[0], image))]
    model.train(was_training)
    return columns


def write_grid(path: Path, columns: Sequence[Tensor], bands: tuple[int, int, int], stretch: Tensor) -> None:
    """Write columns of images as a PNG, one row per image of the batch.

    Args:
        path: The file; replaced if it exists.
        columns: (batch, band, row, column) each.
        bands: Indices of the red, green and blue band.
        stretch: Images (batch, band, row, column) whose 2nd and 98th percentile become black and white.
    """
    reference = stretch[:, list(bands)].float().cpu().numpy()
    low, high = np.quantile(reference, _SHOWN)
    rows = [
        np.concatenate([_framed(column[index], bands) for column in columns], axis=1)
        for index in range(len(columns[0]))
    ]
    grid = (np.concatenate(rows) - low) / max(float(high - low), 1e-6)
    pixels = np.where(np.isnan(grid), 255, np.clip(grid, 0, 1) * 255).round().astype(np.uint8)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as place:
            Image.fromarray(pixels).save(place, format="PNG")


def _framed(image: Tensor, bands: tuple[int, int, int]) -> NDArray[np.float32]:
    values = image[list(bands)].float().cpu().numpy().transpose(1, 2, 0)
    # NaN marks the gap between images and becomes white
    return np.pad(np.nan_to_num(values), ((0, _GAP), (0, _GAP), (0, 0)), constant_values=np.nan)
