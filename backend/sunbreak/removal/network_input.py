"""The input of a removal network: radar, bands and guide of a tile, scaled as in training.

Under opaque cloud the bands say nothing about the ground. A network that was trained so gets the guide there instead,
so that the brightness of a cloud has no effect. Thin cloud and shadow keep their bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import THICK_CLOUD
from sunbreak.engine import Planes, TilePlace
from sunbreak.engine.rows import at_columns
from sunbreak.models.architectures import architecture_of
from sunbreak.models.card import ModelCard
from sunbreak.models.card_removal import Scaling
from sunbreak.removal.guide import Prior, guide
from sunbreak.removal.surroundings import Surroundings
from sunbreak.scene import Scene
from sunbreak.scene.radiometry import Radiometry


class NetworkInput:
    """Scales the bands of a scene for a model and assembles its input tiles.

    Args:
        scene: The scene.
        card: The model's card.
        radiometry: From the given numbers to reflectance; the scene's if not given.
    """

    def __init__(self, scene: Scene, card: ModelCard, radiometry: Radiometry | None = None) -> None:
        self.scene, self.card = scene, card
        self._radiometry = radiometry or scene.radiometry
        self._reflectance = card.reflectance or Scaling(0.0, 1.0)
        self._whole_tile_norms = architecture_of(card).whole_tile_norms
        # index in the scene of each band of the network
        self._in_scene = [scene.bands.index(band) if band in scene.bands else None for band in card.bands]

    def tiles(
        self,
        strip: Planes,
        tiles: Sequence[TilePlace],
        prior: Sequence[float] | Prior,
        surroundings: Surroundings | None,
    ) -> NDArray[np.float32]:
        """Tiles of a strip, (tile, channel, row, column); see `tile`."""
        encoded = [self.tile(at_columns(strip, tile.columns), tile, prior, surroundings) for tile in tiles]
        return encoded[0][None] if len(encoded) == 1 else np.stack(encoded)

    def tile(
        self, planes: Planes, place: TilePlace, prior: Sequence[float] | Prior, surroundings: Surroundings | None
    ) -> NDArray[np.float32]:
        """One tile (channel, row, column). Unknown values and missing bands are 0, as in training.

        Args:
            planes: `raw` and `valid`, `s1` where there is radar, `cloudy` and the class codes `found` where there is a
                mask.
            place: Where the tile lies.
            prior: The guide's prior or its numbers, for a guided network.
            surroundings: Fields of the clear pixels of the scene for a guided network; None uses the tile alone.
        """
        valid = planes["valid"]
        radar = 2 if self.card.radar else 0
        optical = len(self.card.bands)
        guided = optical + 1 if self.card.guided else 0
        x: NDArray[np.float32] = np.zeros((radar + optical + guided, *valid.shape), np.float32)
        if self.card.radar and "s1" in planes:
            low, high = self.card.radar.low, self.card.radar.high
            np.clip(planes["s1"], low, high, out=x[:radar])
            x[:radar] -= low
            x[:radar] *= 1 / (high - low)
            np.nan_to_num(x[:radar], copy=False)
        x[radar : radar + optical] = self.bands(planes["raw"])
        if not valid.all():
            # a translation network was trained without gaps. A constant in a gap would shift its instance norms, so
            # gaps get the tile's mean
            known = x[radar:, valid].mean(axis=1)[:, None] if self._whole_tile_norms else 0
            x[radar:, ~valid] = known
        if guided:
            bands = slice(radar, radar + optical)
            hidden = planes["cloudy"] | ~valid if "cloudy" in planes else ~valid
            around = None
            if surroundings is not None:
                shape = valid.shape[0], valid.shape[1]
                around = surroundings.at(place.rows.start, place.columns.start, shape)
            x[bands.stop : -1] = guide(x[bands], ~hidden, prior, planes.get("s1"), around)
            x[-1] = hidden
            if self.card.hides_opaque and "found" in planes:
                opaque = (planes["found"] == THICK_CLOUD) & hidden
                x[bands, opaque] = x[bands.stop : -1, opaque]
        short = self.card.tile - valid.shape[0], self.card.tile - valid.shape[1]
        return np.pad(x, ((0, 0), (0, short[0]), (0, short[1])), mode="reflect") if any(short) else x

    def bands(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Stored numbers (band, row, column) as the model's bands, scaled to 0..1; missing bands are 0."""
        x: NDArray[np.float32] = np.zeros((len(self._in_scene), *raw.shape[1:]), np.float32)
        # reflectance and its scaling are both linear: one factor and one shift
        low, high = self._reflectance.low, self._reflectance.high
        factor = np.float32(1 / (self._radiometry.quantification * (high - low)))
        shift = np.float32(self._radiometry.offset * factor - low / (high - low))
        for plane, source in zip(x, self._in_scene, strict=True):
            if source is not None:
                np.multiply(raw[source], factor, out=plane, casting="unsafe")
                if shift:
                    plane += shift
                np.clip(plane, 0, 1, out=plane)
        return x
