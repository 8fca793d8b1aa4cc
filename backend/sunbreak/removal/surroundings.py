"""Smooth fields of reflectance and backscatter, interpolated from all clear pixels of a scene.

An almost overcast tile has too few clear pixels to estimate its own mean. If each guide shrank towards the mean of its
own tile, neighbouring tiles under one cloud would differ, and their edges would be visible. Therefore a first pass over
the whole scene sums the clear pixels in coarse cells, and the guide of every tile shrinks towards the same fields.

With a radar trend in the prior, the strength of the trend is settled for the whole scene, and the fields are those of
the difference from the trend.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.checkpoints import State
from sunbreak.models.prior_layout import BANDS, RADAR_FEATURES
from sunbreak.removal.guide import BLOCK, Image, Prior, agreement, block_means, is_water, radar_features
from sunbreak.removal.radar_trend import Agreement

CELL = 32  # side of a cell in pixels
_REACH = 256.0  # standard deviation of the smoothing, in pixels
_MIN_WEIGHT = 8192.0  # least weight of the expected spectrum of the scene, in clear pixels
_CLEAR, _WET = 0, 1


@dataclass(frozen=True)
class RowSums:
    """What a block of rows adds to the surroundings.

    Attributes:
        first: First row of cells.
        cells: (plane, row, column) of cells: reflectance, radar features and trend, each times its clear fraction.
        shares: (2, row, column) of cells: the clear fraction, and the fraction that is clear and water.
        water: (13,) reflectance of the blocks of water.
        agreement: How far reflectance follows the trend; None without one.
        suggested: (13,) trend.
        blocks: Blocks of the trend.
    """

    first: int
    cells: Image
    shares: Image
    water: NDArray[np.float64]
    agreement: Agreement | None
    suggested: NDArray[np.float64]
    blocks: int

    def state(self) -> State:
        """As arrays, for `of_state`."""
        found = self.agreement
        trend = {} if found is None else {
            "suggested": self.suggested, "blocks": np.array(self.blocks),
            "agreement": np.stack([found.products, found.squares, found.spread]), "agreeing": np.array(found.blocks),
        }  # fmt: skip
        return {
            "first": np.array(self.first), "cells": self.cells, "shares": self.shares, "water": self.water, **trend
        }  # fmt: skip

    @classmethod
    def of_state(cls, state: State) -> RowSums:
        """The inverse of `state`."""
        agreement = None
        if "agreement" in state:
            products, squares, spread = state["agreement"]
            agreement = Agreement(products, squares, spread, float(state["agreeing"]))
        return cls(
            int(state["first"]), state["cells"], state["shares"], state["water"], agreement,
            state.get("suggested", np.zeros(BANDS)), int(state.get("blocks", 0)),
        )  # fmt: skip


def row_sums(prior: Prior, row: int, reflectance: Image, clear: NDArray[np.bool_], radar: Image | None) -> RowSums:
    """The sums of a block of rows; arguments as for `Surroundings.add`."""
    weight, sums = block_means(clear.astype(np.float32)), block_means(reflectance * clear)
    wet = np.where(is_water(sums, weight), weight, np.float32(0))
    water = (sums * (wet > 0)).sum(axis=(1, 2), dtype=np.float64)
    planes, found, suggested, blocks = [sums], None, np.zeros(BANDS), 0
    if radar is not None:
        features = radar_features(radar)
        planes.append(features * weight)
        trend = prior.suggested(features)
        if trend is not None:
            found, blocks = agreement(sums, weight, trend), weight.size
            suggested = trend.sum(axis=(1, 2), dtype=np.float64)
            planes.append(trend * weight)
    shares = _cells(np.stack([weight, wet]))
    return RowSums(row // CELL, _cells(np.concatenate(planes)), shares, water, found, suggested, blocks)


class Surroundings:
    """Sums over coarse cells of a scene, and the fields that `settle` computes from them.

    Args:
        rows: Rows of the scene in pixels.
        columns: Columns of the scene in pixels.
        prior: The prior that the scene's means shrink towards.
        radar: Whether there is radar.
    """

    def __init__(self, rows: int, columns: int, prior: Prior, *, radar: bool) -> None:
        self.prior, self._pixels = prior, rows * columns
        cells = -(-rows // CELL), -(-columns // CELL)
        self._has_trend = radar and prior.trend is not None
        # reflectance, radar features and trend, each times the clear fraction of its cell
        planes = (BANDS, RADAR_FEATURES if radar else 0, BANDS if self._has_trend else 0)
        self._sums: Image = np.zeros((sum(planes), *cells), np.float32)
        self._agreement: Agreement | None = None
        self._suggested: NDArray[np.float64] = np.zeros(BANDS)
        self._blocks = 0
        # clear fraction of each cell, and the fraction that is both clear and water
        self._shares: Image = np.zeros((2, *cells), np.float32)
        self._water: NDArray[np.float64] = np.zeros(BANDS)
        self._fields: Image | None = None

    def add(self, row: int, reflectance: Image, clear: NDArray[np.bool_], radar: Image | None) -> None:
        """Add a block of rows over the full width of the scene.

        Args:
            row: First row of the block in pixels; a multiple of `CELL`.
            reflectance: (13, row, column), finite.
            clear: (row, column), True where the ground is visible.
            radar: (2, row, column) dB.
        """
        self.add_sums(row_sums(self.prior, row, reflectance, clear, radar))

    def add_sums(self, seen: RowSums) -> None:
        """Add what a block of rows sums up to. The last bits of the fields depend on the order of the blocks."""
        self._water += seen.water
        if seen.agreement is not None:
            self._agreement = seen.agreement if self._agreement is None else self._agreement + seen.agreement
            self._suggested += seen.suggested
            self._blocks += seen.blocks
        part = slice(seen.first, seen.first + seen.cells.shape[1])
        self._sums[:, part] = seen.cells
        self._shares[:, part] = seen.shares

    def state(self) -> State:
        """The settled fields and the strength of the trend, for `of_state`."""
        if self._fields is None:
            raise ValueError("call settle before state: the fields are not computed yet")
        strength = self.prior.strength
        return {"fields": self._fields, **({} if strength is None else {"strength": strength})}

    @classmethod
    def of_state(cls, rows: int, columns: int, prior: Prior, state: State) -> Surroundings:
        """Settled surroundings, as `state` gave them."""
        around = cls(rows, columns, prior, radar=False)
        around._fields = state["fields"]
        if "strength" in state:
            around.prior = replace(prior, strength=state["strength"])
        return around

    def settle(self) -> None:
        """Compute the fields. Call this once, after all rows have been added."""
        apart = self._take_trend_off() if self._has_trend else None
        clear, wet = (float(share.sum(dtype=np.float64)) * CELL**2 for share in self._shares)
        total = self._sums.sum(axis=(1, 2), dtype=np.float64) * CELL**2
        water = self._water * BLOCK**2
        prior, weight = self.prior, self.prior.weight_in(self._pixels)
        expected = np.zeros((2, len(self._sums)))
        # expected spectra of land and of water: means of the scene, shrunk towards the prior
        if prior.water is None:
            of_land = of_water = prior.spectrum, total[:BANDS], clear
        else:
            of_land, of_water = (prior.spectrum, total[:BANDS] - water, clear - wet), (prior.water, water, wet)
        for number, (known, sums, pixels) in enumerate((of_land, of_water)):
            expected[number, :BANDS] = (sums + weight * known) / (pixels + weight)
        if apart is not None:
            expected[:, :BANDS] = (total[:BANDS] + weight * apart) / (clear + weight)
        backscatter = prior.backscatter if prior.backscatter is not None else total[BANDS:] / max(clear, 1.0)
        if len(self._sums) > BANDS:
            expected[:, BANDS:] = (total[BANDS:] + weight * backscatter) / (clear + weight)
        # weight of the expected spectrum, on the scale of the blurred clear fraction
        shrink = np.float32(max(weight, _MIN_WEIGHT) / (2 * np.pi * _REACH**2))
        near, near_wet = _blurred(self._shares[_CLEAR]), _blurred(self._shares[_WET])
        share = near_wet / np.maximum(near, np.float32(1e-6))
        land, sea = expected.astype(np.float32)
        self._fields = np.stack(
            [
                (_blurred(plane) + shrink * (share * at_sea + (1 - share) * on_land)) / (near + shrink)
                for plane, on_land, at_sea in zip(self._sums, land, sea, strict=True)
            ]
        )

    def _take_trend_off(self) -> NDArray[np.float64]:
        """Settle the strength of the trend, and subtract it from the sums of reflectance.

        Returns:
            (13,) expected difference from the scaled trend where nothing is clear.
        """
        strength = self._agreement.strength if self._agreement is not None else np.ones(BANDS)
        self.prior = replace(self.prior, strength=strength)
        bands, trend = self._sums[:BANDS], self._sums[BANDS + RADAR_FEATURES :]
        bands -= trend * strength[:, None, None].astype(np.float32)
        self._sums = self._sums[: BANDS + RADAR_FEATURES]
        return (1 - strength) * self._suggested / max(self._blocks, 1)

    def at(self, row: int, column: int, shape: tuple[int, int]) -> Image:
        """The fields at the blocks of a tile: (13 or 25, row / 4, column / 4), rounded up.

        Args:
            row: First row of the tile in the scene, in pixels.
            column: First column of the tile in the scene, in pixels.
            shape: Rows and columns of the tile.

        Raises:
            ValueError: `settle` was not called yet.
        """
        import cv2

        if self._fields is None:
            raise ValueError("call settle before at: the fields are not computed yet")
        down, across = (
            ((start + BLOCK * (np.arange(-(-side // BLOCK)) + 0.5)) / CELL - 0.5).astype(np.float32)
            for start, side in zip((row, column), shape, strict=True)
        )
        columns, rows = np.meshgrid(across, down)
        planes = [
            cv2.remap(plane, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for plane in self._fields
        ]
        return np.asarray(planes, np.float32)


def _cells(planes: Image) -> Image:
    """Means of the blocks in each cell; cells at the edge are padded with 0."""
    import cv2

    times = CELL // BLOCK
    rows, columns = planes.shape[1:]
    whole = np.pad(planes, ((0, 0), (0, -rows % times), (0, -columns % times)))
    size = whole.shape[2] // times, whole.shape[1] // times
    return np.asarray([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in whole], np.float32)


def _blurred(plane: Image) -> Image:
    """A plane of cells blurred by the Gaussian. Outside the scene it is 0, so that no pixel counts twice."""
    import cv2

    return np.asarray(cv2.GaussianBlur(plane, (0, 0), _REACH / CELL, borderType=cv2.BORDER_CONSTANT), np.float32)
