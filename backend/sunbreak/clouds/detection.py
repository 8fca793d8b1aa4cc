"""Finding clouds with s2cloudless (Zupanc 2017; Skakun et al. 2022), on a coarser grid than the scene's by default.

s2cloudless classifies every pixel by itself, which at 10 m takes longer than removing the clouds. Clouds are smooth:
the classifier runs on block means, the probability is interpolated back, and smoothing, threshold and dilation happen
at full resolution, as in the original.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.engine.checkpoints import State
from sunbreak.errors import InputError
from sunbreak.scene import Scene, SceneReader
from sunbreak.tiling import ExactLayout, Layout

if TYPE_CHECKING:
    from s2cloudless.cloud_detector import S2PixelCloudDetector

DETECTION_BANDS = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")
# 99.1 % agreement with 10 m on real patches at 13 % of the time of cleaning: benchmarks/cloud_grid.py
DEFAULT_FACTOR = 3

# about a second of work, so that a run can be cancelled in between
_CORE_BLOCKS = 341
_PROBABILITY, _MASK = 0, 1


@dataclass(frozen=True)
class CloudSettings:
    """How clouds are found.

    Attributes:
        threshold: Smoothed probability above which a pixel is cloud.
        average: Radius of the smoothing disk in 10 m pixels.
        dilation: Radius by which the mask is grown, in 10 m pixels.
        factor: Side of the blocks that are classified, in pixels; 1 is exact.
    """

    threshold: float = 0.4
    average: int = 4
    dilation: int = 2
    factor: int = DEFAULT_FACTOR

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise InputError(
                f"The cloud threshold is {self.threshold:g}.", "Give a number between 0 and 1.", code="bad-option"
            )

    @property
    def halo(self) -> int:
        """Pixels around a tile that its mask depends on, in whole blocks."""
        # twice the average: once for pixels without data, once for the smoothing
        reach = 2 * self.average + self.dilation + (self.factor if self.factor > 1 else 0)
        return -(-reach // self.factor) * self.factor


class CloudRuntime:
    """s2cloudless behind the engine's runtime interface: reflectance in, probability and mask out."""

    batch = 1

    def __init__(self, settings: CloudSettings) -> None:
        self.settings = settings
        self.label = f"s2cloudless on blocks of {settings.factor} x {settings.factor} pixels"
        self._waiting: deque[NDArray[np.float32]] = deque()

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return len(self._waiting)

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`: one at a time, the classifier has its own threads."""
        return not self._waiting

    def submit(self, inputs: Inputs) -> None:
        """See `sunbreak.engine.Runtime`."""
        self._waiting.append(inputs["x"][0])

    def collect(self) -> tuple[NDArray[np.float32], ...]:
        """See `sunbreak.engine.Runtime`."""
        probability = self.probability(self._waiting.popleft())
        return probability[None, None], self.mask(probability)[None, None].astype(np.float32)

    def probability(self, reflectance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cloud probability.

        Args:
            reflectance: `DETECTION_BANDS` (10, row, column), NaN where there is no data.

        Returns:
            (row, column) in [0, 1], NaN where there is no data.
        """
        rows, columns = reflectance.shape[1:]
        factor = self.settings.factor
        cells = block_mean(reflectance, factor)
        known = np.isfinite(cells).all(axis=0)
        coarse: NDArray[np.float32] = np.zeros(known.shape, np.float32)
        if known.any():
            # a single row of pixels: (1, 1, pixel, band)
            pixels = np.ascontiguousarray(cells[:, known].T)[None, None]
            coarse[known] = self._detector.get_cloud_probability_maps(pixels)[0, 0]
        if factor > 1:
            import cv2

            shape = (coarse.shape[1] * factor, coarse.shape[0] * factor)
            resized: Any = cv2.resize(coarse, shape, interpolation=cv2.INTER_LINEAR)
            coarse = resized[:rows, :columns]
        coarse[np.isnan(reflectance[0])] = np.nan
        return coarse

    def mask(self, probability: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Smoothed, thresholded and dilated probability, (row, column).

        Pixels without data take the mean of their neighbours in the smoothing disk first: an edge of the data is no
        edge of a cloud.
        """
        unknown = np.isnan(probability)
        if unknown.any():
            import cv2

            disk = self._detector.conv_filter
            known = cv2.filter2D((~unknown).astype(np.float32), -1, disk, borderType=cv2.BORDER_REFLECT)
            total = cv2.filter2D(np.nan_to_num(probability), -1, disk, borderType=cv2.BORDER_REFLECT)
            probability = np.where(unknown, total / np.maximum(known, np.float32(1e-6)), probability)
        mask: NDArray[np.bool_] = self._detector.get_mask_from_prob(probability[None])[0].astype(bool)
        return mask

    @cached_property
    def _detector(self) -> S2PixelCloudDetector:
        from s2cloudless.cloud_detector import S2PixelCloudDetector

        s = self.settings
        return S2PixelCloudDetector(
            threshold=s.threshold, average_over=s.average, dilation_size=s.dilation, all_bands=False
        )


class CloudDetection:
    """The task: a probability and a mask for every pixel.

    Args:
        scene: What to look at; it has to have `DETECTION_BANDS`.
        settings: How.

    Raises:
        InputError: A band is missing, as B10 is from Level-2A scenes.
    """

    unit = "cloud tiles"
    cell = 1
    channels = 2

    def __init__(self, scene: Scene, settings: CloudSettings) -> None:
        missing = [band for band in DETECTION_BANDS if band not in scene.bands]
        if missing:
            raise InputError(
                f"{scene.inputs[0]}: clouds cannot be found without {', '.join(missing)}"
                + (" (Level-2A scenes have no B10)." if missing == ["B10"] else "."),
                "To clean it needs no search: the mask that it came with is taken."
                if scene.has_mask
                else "Give a cloud mask with --mask: the scene classification (SCL) of the product will do.",
                code="no-cloud-bands",
            )
        self.scene, self.settings = scene, settings
        self.layout: Layout = ExactLayout(*scene.grid.shape, _CORE_BLOCKS * settings.factor, settings.halo)
        self.mask = MaskRows(scene.grid.height, scene.grid.width)
        self.valid = 0
        self.cloudy = 0

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        from rasterio.windows import Window

        window = Window(0, first, self.scene.grid.width, stop - first)
        block = reader.s2(window, DETECTION_BANDS)
        return {"raw": block.raw, "valid": block.valid}

    def wants(self, strip: Planes, columns: Sequence[slice]) -> list[bool]:
        """See `sunbreak.engine.TileTask`."""
        return [bool(strip["valid"][:, part].any()) for part in columns]

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`."""
        encoded = []
        for part in (tile.columns for tile in tiles):
            reflectance: NDArray[np.float32] = self.scene.radiometry.to_reflectance(strip["raw"][..., part])
            reflectance[:, ~strip["valid"][:, part]] = np.nan
            encoded.append(reflectance)
        return {"x": np.stack(encoded)}

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`."""
        return np.concatenate(outputs, axis=1)

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`."""
        valid = planes["valid"]
        cloudy = (values[_MASK] > 0.5) & valid
        self.mask.put(row, cloudy)
        self.valid += int(valid.sum())
        self.cloudy += int(cloudy.sum())
        unknown = np.float32(np.nan)
        return {
            "cloud_probability": np.where(valid, values[_PROBABILITY], unknown)[None],
            "cloud_mask": np.where(valid, cloudy, unknown).astype(np.float32)[None],
        }

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        return {"mask": self.mask.bits.copy(), "counts": np.array([self.valid, self.cloudy])}

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        self.mask.bits[...] = state["mask"]
        self.valid, self.cloudy = (int(count) for count in state["counts"])


class MaskRows:
    """A mask of a whole scene, one bit per pixel: 15 MB for a full Sentinel-2 tile."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.bits = np.zeros((height, -(-width // 8)), np.uint8)

    def put(self, row: int, mask: NDArray[np.bool_]) -> None:
        """Store rows from `row` on."""
        self.bits[row : row + len(mask)] = np.packbits(mask, axis=1)

    def get(self, first: int, stop: int) -> NDArray[np.bool_]:
        """The rows [first, stop)."""
        return np.unpackbits(self.bits[first:stop], axis=1, count=self.width).astype(bool)


def block_mean(image: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Means over blocks of `factor` x `factor` pixels, of what is known in each.

    Args:
        image: (band, row, column), NaN where unknown.
        factor: Side of a block; blocks at the lower and right edge may be cut.

    Returns:
        (band, ceil(row / factor), ceil(column / factor)), NaN where nothing is known.
    """
    if factor == 1:
        return image
    _, rows, columns = image.shape
    row_starts, column_starts = np.arange(0, rows, factor), np.arange(0, columns, factor)
    known = np.isfinite(image[0])
    total = np.add.reduceat(np.add.reduceat(np.where(known, image, np.float32(0)), row_starts, 1), column_starts, 2)
    count = np.add.reduceat(np.add.reduceat(known.astype(np.float32), row_starts, 0), column_starts, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float32] = np.where(count > 0, total / count, np.float32(np.nan)).astype(np.float32)
    return mean
