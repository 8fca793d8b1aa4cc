"""Validation of a translation: Frechet distance and diversity of the cleared validation patches after an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from sunbreak.datasets.bigearthnet import Patch
from sunbreak.errors import InputError
from sunbreak.evaluation.features import LAYER, FeatureReader
from sunbreak.metrics.feature_sums import Distance, distance
from sunbreak.models.augcyclegan import Generator
from sunbreak.training.bigearthnet_images import Channels, ImagePile
from sunbreak.training.unpaired.batches import generator_for
from sunbreak.training.unpaired.step import GeneratorAverage

_BATCH = 8
_LATENT = 17

Image = NDArray[np.float32]


class Judge:
    """Measures generators on the validation patches, with the same latent vectors every time.

    Args:
        reader: The classifier.
        cloudy: Cloudy validation patches.
        clear: Clear validation patches.
        channels: Input bands of the generators.
        seed: Seed of the latent vectors and of the bootstrap resamples.
        replicates: Number of bootstrap resamples.
    """

    def __init__(
        self,
        reader: FeatureReader,
        cloudy: tuple[Patch, ...],
        clear: tuple[Patch, ...],
        channels: Channels,
        *,
        seed: int = 1,
        replicates: int = 50,
    ) -> None:
        if min(len(cloudy), len(clear)) < 2:
            raise InputError(
                f"There are {len(cloudy)} cloudy and {len(clear)} clear validation patches; a distance needs 2 of "
                "each.",
                "Give more of the data set.",
                code="too-few-images",
            )
        self.reader, self.channels = reader, channels
        self.seed, self.replicates = seed, replicates
        self.cloudy = ImagePile(cloudy, channels)
        self.clear = reader.gather(plain(ImagePile(clear, channels), channels), replicates, seed)
        self.baseline = self._distance(plain(self.cloudy, channels))

    def of(self, generator: Generator) -> Distance:
        """The distance between the patches cleared by a generator and the clear patches."""
        return self._distance(
            self.channels.unscaled(fake)
            for _, _, fake in translated(generator, self.cloudy, self.seed, self.reader.device)
        )

    def after_epoch(self, epoch: int, average: GeneratorAverage) -> Mapping[str, float]:
        """The figures of an epoch for the log of the training."""
        found = self.of(average.to_clear)
        return {
            "frechet": found.frechet.value,
            "frechet_low": found.frechet.low,
            "frechet_high": found.frechet.high,
            "score": found.score.value,
            "collapsed": int(found.collapsed),
        }

    def _distance(self, batches: Iterable[Image]) -> Distance:
        return distance(self.reader.gather(batches, self.replicates, self.seed + 1), self.clear, LAYER)


@torch.inference_mode()
def translated(
    generator: Generator, pile: ImagePile, seed: int, device: torch.device, draw: int = 0
) -> Iterator[tuple[Image, Image, Image]]:
    """Batches of images, conditioning bands and translations; latent vectors depend only on seed and draw."""
    count = len(pile)
    random = generator_for(seed, _LATENT, draw)
    latents = torch.randn(count, max(generator.config.latent, 1), generator=random)
    for start in range(0, count, _BATCH):
        some = [pile[index] for index in range(start, min(start + _BATCH, count))]
        image, conditioning = (np.stack(parts) for parts in zip(*some, strict=True))
        given = torch.from_numpy(conditioning).to(device) if generator.config.conditioning else None
        latent = latents[start : start + len(some)].to(device) if generator.config.latent else None
        fake = generator(torch.from_numpy(image).to(device), given, latent)
        yield image, conditioning, fake.float().cpu().numpy()


def plain(pile: ImagePile, channels: Channels) -> Iterator[Image]:
    """Reflectance of a data set in batches, clipped to the range of a generator's output."""
    for start in range(0, len(pile), _BATCH):
        images = [pile[index][0] for index in range(start, min(start + _BATCH, len(pile)))]
        yield channels.unscaled(np.stack(images))
