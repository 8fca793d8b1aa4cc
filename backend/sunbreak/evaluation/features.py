"""Features of images from a classifier, and the Frechet distance between two folders of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rasterio.windows import Window
from torch import Tensor

from sunbreak.datasets.bigearthnet import Patch, find_patches, read_bands
from sunbreak.datasets.bigearthnet.names import Split
from sunbreak.datasets.bigearthnet.patches import Pile
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.metrics.feature_sums import Distance, FeatureSums, distance
from sunbreak.models.architectures import load_classifier
from sunbreak.models.card import ModelCard
from sunbreak.models.registry import ModelFiles
from sunbreak.models.resnet import ResNet
from sunbreak.scene import Scene

LAYER = "layer4, averaged over the pixels"
_BATCH = 8
_SMALLEST = 32

Image = NDArray[np.float32]


class FeatureReader:
    """Computes features and probabilities of images in reflectance.

    Args:
        files: A land-cover classifier without radar.
        bands: Bands of the images.
        device: Device of the classifier.

    Raises:
        ModelError: The model cannot be used.
        InputError: It needs a band that the images lack, or radar.
    """

    def __init__(self, files: ModelFiles, bands: tuple[str, ...], device: str = "cpu") -> None:
        card = files.card
        missing = [band for band in card.bands if band not in bands]
        if missing or card.uses_radar or card.standardisation is None:
            lacks = "radar" if card.uses_radar else f"band {missing[0]}" if missing else "a standardisation"
            raise InputError(
                f"The classifier {card.name} cannot be used on these images: it needs {lacks}.",
                "Choose a classifier that uses only the bands of the images.",
                code="bands-missing",
            )
        self.card: ModelCard = card
        self.device = torch.device(device)
        self.module: ResNet = load_classifier(files).to(self.device)
        self.width = self.module.fc.in_features
        self.labels = self.module.fc.out_features
        self._pick = [bands.index(band) for band in card.bands]
        mean, deviation = (
            torch.tensor(values, dtype=torch.float32)[:, None, None] / 1e4
            for values in (card.standardisation.mean, card.standardisation.deviation)
        )
        self._mean, self._deviation = mean.to(self.device), deviation.to(self.device)

    @torch.inference_mode()
    def read(self, reflectance: Image | Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Images (batch, band, row, column) to features (batch, width) and probabilities (batch, label).

        NaN pixels are replaced by the mean of the classifier's training data.
        """
        images = torch.as_tensor(reflectance, dtype=torch.float32, device=self.device)[:, self._pick]
        x = torch.nan_to_num((images - self._mean) / self._deviation, nan=0.0)
        features = self.module.features(x).mean(dim=(2, 3))
        logits = self.module.fc(features)
        p = torch.sigmoid(logits) if self.card.multi_label else torch.softmax(logits, dim=1)
        return features.float().cpu().numpy(), p.float().cpu().numpy()

    def gather(self, batches: Iterable[Image | Tensor], replicates: int = 0, seed: int = 0) -> FeatureSums:
        """Accumulate the feature sums of batches of images."""
        sums = FeatureSums(self.width, self.labels, replicates, seed)
        for batch in batches:
            features, probabilities = self.read(batch)
            if not np.isfinite(features).all():
                raise InputError(
                    f"The classifier {self.card.name} gives features that are not finite.",
                    "Check the images for values outside the range of reflectance.",
                    code="bad-features",
                )
            sums.add(features, probabilities)
        return sums


@dataclass(frozen=True)
class ImageSet:
    """Images of one folder: patches of BigEarthNet, or GeoTIFFs of any size.

    Attributes:
        folder: The folder.
        patches: Patches of BigEarthNet; empty if the folder holds GeoTIFFs.
        files: GeoTIFFs; empty if it is BigEarthNet.
    """

    folder: Path
    patches: tuple[Patch, ...]
    files: tuple[Path, ...]

    @classmethod
    def find(cls, folder: Path, pile: Pile | None = None, split: Split | None = None) -> ImageSet:
        """Read the content of a folder.

        Args:
            folder: BigEarthNet v1 or v2, or a folder with GeoTIFFs in it or below it.
            pile: Only clear, cloudy or snowy patches; only for BigEarthNet.
            split: Only of this split; only for BigEarthNet.

        Raises:
            InputError: The folder is missing or holds no images, or the requested pile or split is unknown.
        """
        try:
            collection = find_patches(folder, "none")
        except InputError as error:
            if error.code != "no-patches":
                raise
        else:
            if pile is not None:
                return cls(folder, collection.pile(pile, split), ())
            patches = collection.patches if split is None else collection.split(split)
            if not patches:
                raise InputError(f"{folder}: no patches in the {split} split.", code="empty-pile")
            return cls(folder, patches, ())
        files = tuple(
            path
            for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in (".tif", ".tiff") and path.name[0] != "."
        )
        if not files:
            raise InputError(
                f"{folder}: no images.",
                "Give a folder of BigEarthNet, or one with GeoTIFFs of Sentinel-2 in it.",
                code="no-images",
            )
        if pile is not None or split is not None:
            raise InputError(
                f"{folder}: holds GeoTIFFs, but a {'split' if pile is None else 'pile'} exists only in BigEarthNet.",
                "Give a folder with only the images to compare.",
                code="no-piles",
            )
        return cls(folder, (), files)

    def __len__(self) -> int:
        return len(self.patches) or len(self.files)

    def batches(self, bands: tuple[str, ...], reporter: Reporter) -> Iterator[Image]:
        """All images as reflectance (batch, band, row, column), a few of one size at a time.

        Raises:
            InputError: An image cannot be read, lacks a band, or is too small.
        """
        waiting: list[Image] = []
        for number, image in enumerate(self._images(bands)):
            reporter.checkpoint()
            if waiting and (image.shape != waiting[0].shape or len(waiting) == _BATCH):
                yield np.stack(waiting)
                waiting = []
            waiting.append(image)
            reporter.progress(number + 1, len(self), "images")
        if waiting:
            yield np.stack(waiting)

    def _images(self, bands: tuple[str, ...]) -> Iterator[Image]:
        for patch in self.patches:
            yield read_bands(patch, bands)
        for path in self.files:
            scene = Scene.open(path)
            missing = [band for band in bands if band not in scene.bands]
            if missing:
                raise InputError(
                    f"{path}: the classifier needs {', '.join(missing)}, which is missing.",
                    "Give images with all bands, or choose another classifier.",
                    code="bands-missing",
                )
            rows, columns = scene.grid.shape
            if min(rows, columns) < _SMALLEST:
                raise InputError(
                    f"{path}: has {columns} x {rows} pixels; at least {_SMALLEST} x {_SMALLEST} are needed.",
                    code="wrong-size",
                )
            with scene.reader() as reader:
                yield reader.s2(Window(0, 0, columns, rows), bands).reflectance()


def compare_sets(
    a: ImageSet,
    b: ImageSet,
    files: ModelFiles,
    reporter: Reporter,
    *,
    device: str = "cpu",
    replicates: int = 100,
    seed: int = 0,
) -> Distance:
    """The Frechet distance between the images of A and of B; every image is read once.

    Args:
        a: The evaluated images.
        b: The reference.
        files: A land-cover classifier without radar.
        reporter: Receives the progress; may cancel.
        device: Device of the classifier.
        replicates: Number of resamples for the interval.
        seed: Seed of the resamples.

    Raises:
        InputError: A set has fewer than two images, or an image cannot be used.
        Cancelled: The reporter stopped the run.
    """
    for images in (a, b):
        if len(images) < 2:
            raise InputError(
                f"{images.folder}: holds {len(images)} image; a distance needs at least 2.",
                "Give more images.",
                code="too-few-images",
            )
    reader = FeatureReader(files, files.card.bands, device)
    first = reader.gather(a.batches(files.card.bands, reporter), replicates, seed)
    second = reader.gather(b.batches(files.card.bands, reporter), replicates, seed + 1)
    return distance(first, second, LAYER)
