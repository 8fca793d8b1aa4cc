"""The temporal guide of a scene: for every pixel under a cloud the prediction from other dates, with its sigma.

`sunbreak.removal.temporal.fitting` makes it in a first pass. In the second pass, which the engine drives, it predicts
the rows that are wanted. A pixel's prediction is the same however the scene is cut into rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.engine.memory import return_freed
from sunbreak.removal.temporal import change, misfits
from sunbreak.removal.temporal.blocks import Blocks, Image, Mask, reflectance_features
from sunbreak.removal.temporal.fields import REACH, SmoothFields, local
from sunbreak.removal.temporal.gaussian import DatesModel
from sunbreak.removal.temporal.reading import BlockReader, BlockRows
from sunbreak.removal.temporal.sample import Lattice
from sunbreak.removal.temporal.sigma import Calibration
from sunbreak.removal.temporal.validation import Validation, predict
from sunbreak.scene import SceneSeries, SeriesReader

CHUNK = 48
"""Rows that are predicted at once, from multiples of it."""
BLEND = 4
"""Pixels over which a date fades out towards its own clouds."""

_LARGEST = np.float32(32767)
_MOST_DOUBT = np.float32(1e4)
OUTLYING = np.float32(4)  # sigma; errors of clear pixels beyond it do not colour their surroundings further
STEP = np.float32(5e-5)
"""Reflectance per stored step of predictions in memory: half a step is far below the noise of a sensor."""

_PART = 8  # rows
_HELD = 64  # rows predicted at once where blocks are left out
FEW_CLEAR = 50.0
"""Clear pixels of the target below which the prediction rests on how colour usually moves with days."""


@dataclass
class GuideRows:
    """The guide of some rows.

    Attributes:
        predicted: (band, row, column) reflectance in steps of `STEP`; counts where the target is not clear.
        weight: (row, column), from 0 where no other date is clear to 1; in between near the clouds of another date.
        codes: (row, column), the pattern of known blocks.
        changed: (row, column), codes of `sunbreak.removal.temporal.change`.
        doubt: (row, column), by how much of itself the variance grows where the dates disagree.
    """

    predicted: NDArray[np.uint16]
    weight: Image
    codes: NDArray[np.int32]
    changed: NDArray[np.uint8]
    doubt: NDArray[np.float16]


@dataclass
class _Chunk:
    """Rows before the local correction.

    `values` is the prediction where the target is hidden, else its error, in steps of `STEP`.
    """

    values: NDArray[np.int16]
    clear: Mask
    weight: Image
    codes: NDArray[np.int32]
    changed: NDArray[np.uint8]
    doubt: NDArray[np.float16]


class TemporalGuide:
    """A fitted guide. Made by `sunbreak.removal.temporal.fitting.fit_guide`.

    Args:
        series: The scene and its other dates.
        source: Reads the blocks.
        model: How the dates go together.
        fields: Smooth corrections.
        calibration: Of sigma.
        validation: What it was calibrated by.
        lattice: The sample.
        members: Indices of the dates that are used, in the series that was given to `fit_guide`.
    """

    def __init__(
        self,
        series: SceneSeries,
        source: BlockReader,
        model: DatesModel,
        fields: SmoothFields,
        calibration: Calibration,
        validation: Validation,
        lattice: Lattice,
        members: Sequence[int],
    ) -> None:
        self.members = tuple(members)
        self.series, self.source, self.model, self.fields = series, source, model, fields
        self.calibration, self.validation, self.lattice = calibration, validation, lattice
        self.blocks: Blocks = model.blocks
        self.radar = change.RadarChange.of(model, lattice)
        self.misfits = misfits.Misfits(model, calibration.scale)
        self.height, self.width = series.grid.shape
        self._columns = np.arange(self.width) + 0.5
        self._chunks: dict[int, _Chunk] = {}

    @property
    def from_prior(self) -> bool:
        """Whether the target has too few clear pixels for a fit of its own."""
        return self.model.clear < FEW_CLEAR

    def rows(self, reader: SeriesReader, first: int, stop: int) -> GuideRows:
        """The guide of the rows [first, stop); call it for rows from top to bottom, from one thread."""
        shape = stop - first, self.width
        rows = GuideRows(
            np.zeros((self.model.bands, *shape), np.uint16),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.int32),
            np.zeros(shape, np.uint8),
            np.zeros(shape, np.float16),
        )
        for start in range(first, stop, CHUNK):
            self._finish(reader, start, min(start + CHUNK, stop), first, rows)
        return rows

    def _finish(self, reader: SeriesReader, first: int, stop: int, origin: int, rows: GuideRows) -> None:
        """Apply the local correction to the rows [first, stop), and put them into `rows`, which begin at `origin`."""
        top, bottom = max(first - REACH, 0), min(stop + REACH, self.height)
        numbers = range(top // CHUNK, -(-bottom // CHUNK))
        for number in [known for known in self._chunks if known < numbers.start]:
            del self._chunks[number]
        for number in numbers:
            if number not in self._chunks:
                self._chunks[number] = self._predict(reader, number * CHUNK, min((number + 1) * CHUNK, self.height))
                return_freed()
        chunks = [self._chunks[number] for number in numbers]
        offset = numbers.start * CHUNK
        wide, inner = slice(top - offset, bottom - offset), slice(first - offset, stop - offset)
        clear = np.concatenate([chunk.clear for chunk in chunks])[wide]
        within, out = slice(first - top, stop - top), slice(first - origin, stop - origin)
        if not clear[within].all():
            # one band at a time: the rows of a wide scene are large
            for band in range(self.model.bands):
                values = np.concatenate([chunk.values[band, _part(i, wide)] for i, chunk in enumerate(chunks)]) * STEP
                values += local(values[None], clear)[0]
                np.rint(np.maximum(values[within], 0) / STEP, out=rows.predicted[band, out], casting="unsafe")
        rows.weight[out] = np.concatenate([chunk.weight for chunk in chunks])[inner]
        rows.codes[out] = np.concatenate([chunk.codes for chunk in chunks])[inner]
        rows.doubt[out] = np.concatenate([chunk.doubt for chunk in chunks])[inner]
        rows.changed[out] = np.concatenate([chunk.changed for chunk in chunks])[inner]

    def left_out(self, reader: SeriesReader, first: int, stop: int, columns: slice, held: Mask) -> Image:
        """Predictions of clear pixels whose surroundings are not looked at, (band, row, column).

        Args:
            reader: The series, opened.
            first: The first row.
            stop: The row after the last one.
            columns: The columns.
            held: (row, column), the pixels to predict; they must be clear.
        """
        parts = []
        for start in range(first, stop, _HELD):
            end = min(start + _HELD, stop)
            chunk = self._predict(reader, start, end)
            window = Window(columns.start, start, columns.stop - columns.start, end - start)
            observed = reflectance_features(reader.s2(window).reflectance())
            parts.append((chunk.values[:, :, columns] * STEP, chunk.clear[:, columns], observed))
        errors, observed = (np.concatenate([part[i] for part in parts], axis=1) for i in (0, 2))
        clear = np.concatenate([part[1] for part in parts])
        # the smooth fields have seen these pixels, but reach far beyond them
        predicted: Image = observed - errors + local(errors, clear & ~held)
        return predicted

    def sigma(self, row: int, rows: GuideRows) -> Image:
        """Standard deviation of the prediction, (band, row, column).

        It grows where the dates disagree. Where radar says that the ground changed the other dates say little: it grows
        by the difference of two places of the scene, each drawn from all its ground, and by half of the prediction, so
        that water fits where there was none.

        Args:
            row: First row.
            rows: The guide of these rows.
        """
        codes = rows.codes.ravel()
        expected = np.empty((self.model.bands, codes.size), np.float32)
        for code in np.unique(codes):
            expected[:, codes == code] = self.model.predictor(int(code)).sigma[:, None]
        places = np.arange(row, row + len(rows.codes)) + 0.5
        sigma = self.calibration.sigma(expected.reshape(-1, *rows.codes.shape), places, self._columns)
        sigma *= np.sqrt(1 + rows.doubt.astype(np.float32))
        moved = rows.changed == change.BY_RADAR
        if moved.any():
            variance = np.diag(self.model.covariance)[: self.model.bands]
            spread = np.float32(2) * self.model.scale[: self.model.bands] ** 2 * variance.astype(np.float32)
            half = rows.predicted[:, moved] * (STEP / 2)
            sigma[:, moved] = np.sqrt(sigma[:, moved] ** 2 + spread[:, None] + half**2)
        return sigma

    def main_member(self, code: int) -> int:
        """Index in the series of the date that decides most where the blocks of a pattern are known; 0 without any."""
        main = self.model.predictor(code).main
        return 0 if main < 0 else self.blocks.blocks[main].member

    def _predict(self, reader: SeriesReader, first: int, stop: int) -> _Chunk:
        """Predict some rows; read around them, for the pixels near the clouds of other dates."""
        reach = BLEND + max(misfits.REACH, change.REACH)
        top, bottom = max(first - reach, 0), min(stop + reach, self.height)
        rows = self.source.read(reader, top, bottom)
        shape = bottom - top, self.width
        doubt = self._screen(rows, shape)
        codes = rows.codes
        core, share = self._fading(rows)
        values = np.empty((self.model.bands, *shape), np.int16)
        distance, moved = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for start in range(0, shape[0], _PART):
            part = slice(start, min(start + _PART, shape[0]))
            self._fill(rows, part, top, codes[part], core[part], share[part], values, distance, moved)
        clear = rows.known[0]
        covered = (codes & self.blocks.optical_bits) > 0
        found = np.full(shape, change.HIDDEN, np.uint8)
        judged = clear & covered
        found[judged] = change.UNCHANGED
        found[change.changed(distance, judged)] = change.SEEN
        if self.radar is not None:
            seen = self.radar.judged(codes) & ~clear
            found[seen] = change.UNCHANGED
            found[change.changed(moved, seen)] = change.BY_RADAR
        weight = _weight(covered)
        inner = slice(first - top, stop - top)
        return _Chunk(
            values[:, inner].copy(),
            clear[inner].copy(),
            weight[inner].copy(),
            codes[inner].copy(),
            found[inner].copy(),
            np.minimum(doubt[inner], _MOST_DOUBT).astype(np.float16),
        )

    def _fill(
        self, rows: BlockRows, part: slice, top: int, codes: NDArray[np.int32], core: NDArray[np.int32], share: Image,
        values: NDArray[np.int16], distance: Image, moved: Image,
    ) -> None:  # fmt: skip
        """Predict a part of the rows that were read."""
        observed = rows.features(self.blocks, 0, part)
        flat = self._standardised(rows, part)
        predicted, expected = predict(self.model, flat, codes.ravel() & ~1)
        fading = np.flatnonzero((core != codes & ~1).ravel() & ~rows.known[0][part].ravel())
        if len(fading):
            inside, _ = predict(self.model, flat[:, fading], core.ravel()[fading])
            weight = share.ravel()[fading]
            # where nothing is left without the fading date, the network takes over
            weight = np.where(core.ravel()[fading] & self.blocks.optical_bits, weight, np.float32(1))
            predicted[:, fading] = weight * predicted[:, fading] + (1 - weight) * inside
        predicted = predicted.reshape(-1, *codes.shape)
        at = np.arange(top + part.start, top + part.stop) + 0.5
        predicted += self.fields.at(at, self._columns)
        clear = rows.known[0][part]
        errors = observed - predicted
        scaled = errors / (expected.reshape(errors.shape) * self.calibration.typical[:, None, None])
        distance[part] = np.where(clear, np.sqrt((scaled**2).mean(axis=0)), 0)
        limit = OUTLYING * expected.reshape(errors.shape) * self.calibration.scale[:, None, None]
        kept = np.where(clear, np.clip(errors, -limit, limit), predicted)
        values[:, part] = np.rint(np.clip(kept / STEP, -_LARGEST, _LARGEST))
        if self.radar is not None:
            hidden = np.flatnonzero(~clear)
            if len(hidden):
                moved[part].ravel()[hidden] = self.radar.distance(flat[:, hidden], codes.ravel()[hidden])

    def _standardised(self, rows: BlockRows, part: slice) -> Image:
        """Standardised features of a part of the rows, (feature, pixel)."""
        size = (part.stop - part.start) * self.width
        features = np.empty((self.blocks.features, size), np.float32)
        for index, own in enumerate(self.blocks.slices):
            values = rows.features(self.blocks, index, part).reshape(-1, size)
            features[own] = self.model.standardised(values, index)
        return features

    def _screen(self, rows: BlockRows, shape: tuple[int, int]) -> Image:
        """Leave out clouds of other dates that the detector missed; (row, column), how much the dates disagree."""
        codes = rows.codes
        found = {index: np.zeros(shape, bool) for index in self.blocks.optical}
        doubt = np.zeros(shape, np.float32)
        for start in range(0, shape[0], _PART):
            part = slice(start, min(start + _PART, shape[0]))
            clouds, own = self.misfits.find(self._standardised(rows, part), codes[part].ravel())
            doubt[part] = own.reshape(-1, shape[1])
            for index, mask in clouds.items():
                found[index][part] = mask.reshape(-1, shape[1])
        for index, mask in found.items():
            if mask.any():
                clouds_there = misfits.with_margin(mask)
                rows.known[index] = rows.known[index] & ~clouds_there
                # the date that does not fit is gone
                doubt[clouds_there] = 0
        return doubt

    def _fading(self, rows: BlockRows) -> tuple[NDArray[np.int32], Image]:
        """The pattern without dates whose own clouds are near, and how much the other pattern counts, 0 to 1."""
        import cv2

        core, share = rows.codes & ~1, np.ones(rows.known[0].shape, np.float32)
        for i in self.blocks.optical:
            known = rows.known[i]
            if known.all():
                continue
            distance = cv2.distanceTransform(known.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
            near = known & (distance <= BLEND)
            core[near] &= ~np.int32(1 << i)
            share[near] = np.minimum(share[near], distance[near] / np.float32(BLEND + 1))
        return core, share


def _weight(covered: Mask) -> Image:
    """How much the other dates count: 0 where none is clear, 1 from `BLEND` pixels inside on."""
    import cv2

    if covered.all():
        return np.ones(covered.shape, np.float32)
    distance = cv2.distanceTransform(covered.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.minimum(distance / np.float32(BLEND + 1), np.float32(1)), np.float32)


def _part(index: int, rows: slice) -> slice:
    """The rows of a slice over all chunks that lie in one of them."""
    return slice(max(rows.start - index * CHUNK, 0), max(rows.stop - index * CHUNK, 0))
