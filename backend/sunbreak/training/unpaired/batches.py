"""Batches of unpaired images, and the random numbers of a step. All depend only on seed, epoch and step.

So a resumed run needs no history: the order of the data is a function of the seed, not a state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from sunbreak.errors import InputError, SunbreakError
from sunbreak.training.unpaired.step import Pair
from sunbreak.training.workers import lost_worker_is_named

# an image (band, row, column) in [-1, 1] and its conditioning bands (band, row, column), possibly zero bands
Sample = tuple[Any, Any]
Item = tuple[int, int, int]
_ORDER, _LATENT, _FIXED = range(3)


def generator_for(seed: int, *place: int) -> torch.Generator:
    """The random generator of one part of a run, identified by numbers."""
    return torch.Generator().manual_seed(_mix(seed, *place))


def latent_generator(seed: int, step: int) -> torch.Generator:
    """The random generator of the latent vectors of a step."""
    return generator_for(seed, _LATENT, step)


def epoch_order(seed: int, epoch: int, cloudy: int, clear: int, batch: int) -> list[list[Item]]:
    """The batches of an epoch: every cloudy image once, in random order, each with a random clear image.

    An incomplete last batch is left out, because batch norms of a few images are noise.

    Args:
        seed: Seed of the run.
        epoch: From 0.
        cloudy: Number of cloudy images.
        clear: Number of clear images.
        batch: Pairs per batch.

    Returns:
        For each batch its pairs: index of the cloudy image, index of the clear image, seed of the data augmentation.
    """
    draw = np.random.default_rng(_mix(seed, _ORDER, epoch))
    order = draw.permutation(cloudy)
    partners = draw.integers(clear, size=cloudy)
    seeds = draw.integers(2**31, size=cloudy)
    items = [(int(a), int(b), int(c)) for a, b, c in zip(order, partners, seeds, strict=True)]
    return [items[start : start + batch] for start in range(0, cloudy - batch + 1, batch)]


def validation_pairs(seed: int, cloudy: int, clear: int, count: int) -> list[Item]:
    """Pairs that are the same in all epochs, so that epochs can be compared."""
    draw = np.random.default_rng(_mix(seed, _FIXED))
    firsts = np.arange(count) % cloudy
    return [(int(a), int(b), 0) for a, b in zip(firsts, draw.integers(clear, size=count), strict=True)]


class Piles(Dataset[tuple[Tensor, Tensor, Tensor, Tensor]]):
    """A data set of cloudy images and one of clear images, read in random pairs.

    A data set with data augmentation must draw its random numbers from torch. They then depend only on the pair, not on
    the earlier reads or on the process.
    """

    def __init__(self, cloudy: Dataset[Sample], clear: Dataset[Sample]) -> None:
        self.cloudy = cloudy
        self.clear = clear

    def __getitem__(self, item: Item) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Cloudy image, its conditioning bands, clear image, its conditioning bands."""
        first, second, seed = item
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return (*_tensors(self.cloudy[first]), *_tensors(self.clear[second]))


def batches(piles: Piles, order: list[list[Item]], device: torch.device, workers: int) -> Iterator[Pair]:
    """The batches in the given order, on a device.

    Raises:
        SunbreakError: An image cannot be read, or the images of a batch differ in shape.
    """
    on_gpu = device.type == "cuda"
    loader = DataLoader(
        cast("Dataset[Any]", piles),
        batch_sampler=cast("Any", order),
        num_workers=workers,
        pin_memory=on_gpu,
        # without its own generator the loader would draw from the global one
        generator=torch.Generator(),
        collate_fn=_collate,
    )
    try:
        with lost_worker_is_named():
            for parts in loader:
                yield to_pair(parts, device)
    except SunbreakError as error:
        if not workers or error.code == "worker-lost":
            raise
        # a worker process passes its whole traceback as the message; the last line is the original message
        line = error.message.strip().splitlines()[-1].partition(": ")[2]
        raise type(error)(line or error.message) from None


def fixed_batch(piles: Piles, items: list[Item], device: torch.device) -> Pair:
    """One batch of the given pairs."""
    return to_pair(_collate([piles[item] for item in items]), device)


def to_pair(parts: list[Tensor], device: torch.device) -> Pair:
    """Four stacked tensors as a `Pair` on a device; conditioning without bands becomes None."""
    moved = [part.to(device, non_blocking=True) for part in parts]
    conditionings = [part if part.shape[1] else None for part in (moved[1], moved[3])]
    return Pair(moved[0], conditionings[0], moved[2], conditionings[1])


def mean_colour(pile: Dataset[Sample], most: int = 64) -> Tensor:
    """Mean of each band (band,) over at most `most` images, evenly spread over the data set."""
    places = np.unique(np.linspace(0, count(pile) - 1, most).round().astype(int))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torch.stack([_tensors(pile[int(place)])[0].mean(dim=(1, 2)) for place in places]).mean(dim=0)


def count(pile: Dataset[Sample]) -> int:
    """Number of images of a data set."""
    return len(cast("Sized", pile))


def _collate(samples: list[tuple[Tensor, ...]]) -> list[Tensor]:
    shapes = {tuple(part.shape[1:]) for sample in samples for part in sample}
    if len(shapes) != 1:
        raise InputError(
            f"The images of a batch have sides {', '.join(f'{a} x {b}' for a, b in sorted(shapes))}.",
            "Crop all images and conditioning bands to one size.",
            code="bad-shape",
        )
    return [torch.stack(parts) for parts in zip(*samples, strict=True)]


def _tensors(sample: Sample) -> tuple[Tensor, Tensor]:
    image, conditioning = (torch.as_tensor(part, dtype=torch.float32) for part in sample)
    return image, conditioning


def _mix(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))
