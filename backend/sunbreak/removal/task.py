"""Cloud removal: the network's prediction inside the clouds, the observation elsewhere, a feathered edge in between.

Clear pixels keep their stored numbers bit for bit. In the edge, observation and prediction are blended. The uncertainty
is the standard deviation of this mixture, so it includes the difference between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak import defaults
from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.classes import REPLACED, Classes, dilated_classes, replaced, without_data
from sunbreak.clouds.margins import Margins
from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.engine.checkpoints import State
from sunbreak.engine.network_values import bad_output
from sunbreak.layers.quicklook import Thumbnail
from sunbreak.layers.roles import NODATA, SCALE
from sunbreak.models.architectures import architecture_of
from sunbreak.models.card import ModelCard
from sunbreak.removal import first_pass
from sunbreak.removal.edges import feathered
from sunbreak.removal.first_pass import BlockLook
from sunbreak.removal.fit import check_fit
from sunbreak.removal.guide import Prior
from sunbreak.removal.network_input import NetworkInput
from sunbreak.removal.summands import summand
from sunbreak.removal.surroundings import Surroundings
from sunbreak.scene import Scene, SceneReader, SceneSeries
from sunbreak.tiling import BlendedLayout, Layout, Strip, Tile
from sunbreak.tiling.placement import placed
from sunbreak.tiling.spans import span_of

MaskSource = Callable[[SceneReader, int, int], Classes]

# detected masks miss the bright edges of clouds and are dilated; a given mask is used as it is
DEFAULT_BUFFER, DEFAULT_FEATHER = defaults.BUFFER, defaults.FEATHER

_SIGMA_STEP = SCALE
_THUMBNAIL_BANDS = ("B04", "B03", "B02")


class CloudRemoval:
    """The cloud removal task: cleaned bands, their sigma, and the reconstructed fraction of each pixel.

    Args:
        scene: The scene to clean.
        card: The model's card.
        mask: Gives the class codes of the rows [first, stop) in the reading thread. Without it every pixel is replaced.
        feather: Width of the blended edge in pixels, inside the mask.
        margins: Pixels by which each replaced class is dilated first. The dilated mask is the one that is written, so
            that pixels it marks as clear are unchanged.
        which: Codes of the classes that are replaced. The others are kept, and are not clear ground for the guide.
        replace_all: Replace every pixel; a mask then only selects the clear pixels that a guided model may use.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs.
        ModelError: The model takes several dates, see `sunbreak.removal.several_dates`.
    """

    unit = "tiles"
    cell = 1
    dates = 1
    read_rows = 96
    """Rows that are read at once: half of what a strip adds, so that less is read ahead."""

    def __init__(
        self,
        scene: Scene,
        card: ModelCard,
        mask: MaskSource | None,
        feather: int = 4,
        margins: Margins = Margins(),  # noqa: B008 (frozen)
        *,
        which: tuple[int, ...] = REPLACED,
        replace_all: bool = False,
    ) -> None:
        check_fit(scene, card, self.dates)
        self.replace_all = replace_all or mask is None
        self._input = NetworkInput(scene, card)
        self.scene, self.card, self.mask, self.feather = scene, card, mask, feather
        self.margins, self.which = margins, which
        # instance norms depend on the whole tile, so neighbouring tiles differ: only a wide blend hides their edges
        bell = architecture_of(card).whole_tile_norms and 2 * card.overlap >= card.tile
        self.layout: Layout = BlendedLayout(*scene.grid.shape, card.tile, card.overlap, bell)
        # index in the network's output of each band of the scene
        self._cleaned = [card.outputs.index(band) if band in card.outputs else None for band in scene.bands]
        self._replaced = sum(source is not None for source in self._cleaned)
        self._planes = len(card.outputs)
        self.channels = self._planes * (2 if card.has_variance else 1)
        temperature = np.array(card.temperature or [1.0] * self._planes, np.float32)
        self._variance_factor = (temperature**2).astype(np.float32)
        shown = [band for band in _THUMBNAIL_BANDS if band in scene.bands]
        self._shown = [scene.bands.index(band) for band in shown] if len(shown) == 3 else None
        self._prior: Sequence[float] | Prior = card.arguments.get("prior", ())
        self._around: Surroundings | None = None
        self.before = Thumbnail(scene.grid)
        self.counts = ClassCounts()
        self.valid = 0
        self.reconstructed = self.sigma = 0.0

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        height, width = self.scene.grid.shape
        # the dilated mask and its feathered edge depend on rows beyond this block
        reach = self.margins.reach + self.feather + 1
        above, below = max(first - reach, 0), min(stop + reach, height)
        block = reader.s2(Window(0, above, width, below - above))
        inner = slice(first - above, stop - above)
        planes: Planes = {"raw": block.raw[:, inner], "valid": block.valid[inner]}
        if self.mask is None:
            planes["share"] = planes["valid"].astype(np.float32)
        else:
            found = self.mask(reader, above, below)
            classes = dilated_classes(found, self.margins, self.which)
            share = feathered(replaced(classes, self.which) | ~block.valid, self.feather)
            share[~block.valid] = 0
            planes |= {
                "found": without_data(found, ~block.valid)[inner],
                "classes": classes[inner],
                # not clear ground, whether it is replaced or not
                "cloudy": replaced(classes)[inner],
                "share": share[inner],
            }
            if self.replace_all:
                planes["share"] = planes["valid"].astype(np.float32)
        if self._with_radar:
            planes["s1"] = reader.s1(Window(0, first, width, stop - first))
        return planes

    @property
    def reads(self) -> Scene | SceneSeries:
        """What the engine reads: the scene, for a task of several dates with the others."""
        return self.scene

    @property
    def parameters(self) -> Mapping[str, object]:
        """What the layers depend on beside the scene, its mask and the options; JSON types."""
        return {}

    @property
    def looks_around(self) -> bool:
        """Whether guides use clear pixels of other tiles: needs a guided model, a mask, and more than one tile."""
        return self.card.guided and self.mask is not None and max(self.scene.grid.shape) > self.card.tile

    def look_around(
        self, checkpoint: Callable[[], None] = lambda: None, looks: Sequence[BlockLook] | None = None
    ) -> int:
        """First pass: fit the fields and the regression on backscatter that the guides shrink towards.

        The scene is read once, in blocks of rows. The result depends only on the scene, its mask and the model's prior.

        Args:
            checkpoint: Called before each block; an exception that it raises ends the pass.
            looks: What all blocks show, if they were looked at elsewhere: nothing is read then.

        Returns:
            Number of clear pixels in the scene.
        """
        if not self.looks_around:
            return 0
        height, width = self.scene.grid.shape
        if looks is None:
            with self.scene.reader() as reader:
                looks = [self.look_at(reader, first, checkpoint) for first in range(0, height, first_pass.ROWS)]
        known = Prior.parse(self.card.arguments["prior"])
        self._around, self._prior = first_pass.settle(looks, height, width, known, radar=self._with_radar)
        return sum(look.pixels for look in looks)

    def look_at(self, reader: SceneReader, first: int, checkpoint: Callable[[], None] = lambda: None) -> BlockLook:
        """What the block of rows that begins at `first`, a multiple of `first_pass.ROWS`, shows."""
        checkpoint()
        if self.mask is None:
            raise ValueError("the task has no mask")
        height, width = self.scene.grid.shape
        window = Window(0, first, width, min(first_pass.ROWS, height - first))
        block = reader.s2(window)
        found = self.mask(reader, first, first + window.height)
        clear = block.valid & ~replaced(dilated_classes(found, self.margins))
        image = self._input.bands(block.raw)
        image[:, ~block.valid] = 0
        radar = reader.s1(window) if self._with_radar else None
        return first_pass.look_at(Prior.parse(self.card.arguments["prior"]), first, image, clear, radar)

    @property
    def _with_radar(self) -> bool:
        return self.scene.has_s1 and self.card.radar is not None

    def fitted(self) -> State:
        """What the first pass found, for `adopt`; nothing if there was none."""
        if self._around is None or not isinstance(self._prior, Prior):
            return {}
        slopes, backscatter = self._prior.slopes, self._prior.backscatter
        own = {} if slopes is None or backscatter is None else {"slopes": slopes, "backscatter": backscatter}
        return {**self._around.state(), **own}

    def adopt(self, fitted: State) -> None:
        """Take over what the first pass of another process found, see `fitted`."""
        if not fitted:
            return
        known = Prior.parse(self.card.arguments["prior"])
        self._around = Surroundings.of_state(*self.scene.grid.shape, known, fitted)
        self._prior = self._around.prior
        if "slopes" in fitted:
            self._prior = replace(self._prior, backscatter=fitted["backscatter"], slopes=fitted["slopes"])

    def wants(self, strip: Planes, columns: Sequence[slice]) -> list[bool]:
        """See `sunbreak.engine.TileTask`: tiles without a pixel that the network is asked for are skipped."""
        asked = self.asked(strip)
        return [bool(asked[:, part].any()) for part in columns]

    def asked(self, strip: Planes) -> NDArray[np.bool_]:
        """The pixels of a strip that the network is asked for, (row, column): those that are replaced."""
        replaced_pixels: NDArray[np.bool_] = strip["share"] > 0
        return replaced_pixels

    def place(self, planes: Planes, strip: Strip, count: int) -> Sequence[Tile] | None:
        """See `sunbreak.engine.TileTask`: tiles over the clouds of the strip. Tiles with bells keep their raster."""
        layout, first = self.layout, strip.tiles[0]
        if not isinstance(layout, BlendedLayout) or layout.bell:
            return None
        columns: NDArray[np.bool_] = np.any(self.asked(planes), axis=0)
        starts = placed(columns, first.width, layout.overlap, count)
        return None if starts is None else [first._replace(col=start) for start in starts]

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`."""
        return {"x": self._input.tiles(strip, tiles, self._prior, self._around)}

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`: mean and second moment; blended, they are those of the tiles' mixture."""
        (blended,) = outputs
        # the sum is finite only if all values are
        if not np.isfinite(blended.sum()):
            raise bad_output(f"The model {self.card.name}", "values that are not finite")
        return blended

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`."""
        valid, share = planes["valid"], planes["share"]
        self.valid += int(valid.sum())
        self.reconstructed += summand(share.sum(dtype=np.float64))
        raw = np.array(planes["raw"])
        unknown = ~valid
        sigma = np.zeros(raw.shape, np.uint16) if self.card.has_variance else None
        if self._shown is not None:
            self.before.add(row, raw[self._shown], unknown, self.scene.radiometry.to_reflectance)
        touched = (share > 0) & covered
        columns: NDArray[np.bool_] = np.any(touched, axis=0)
        span = span_of(columns)
        if span is not None:
            stored = None if sigma is None else sigma[..., span]
            self._replace(raw[..., span], stored, values[..., span], share[:, span], touched[:, span])
        known_share = np.where(unknown, np.float32(np.nan), share)
        layers: dict[str, NDArray[Any]] = {"cleaned": raw, "reconstructed": known_share[None]}
        if self.mask is not None:
            self.counts.add(planes["found"])
            layers["cloud_mask"] = without_data(planes["classes"], unknown)[None]
        if sigma is not None:
            sigma[:, unknown] = NODATA
            layers["uncertainty"] = sigma
        return layers

    def _replace(
        self,
        raw: NDArray[Any],
        sigma: NDArray[np.uint16] | None,
        values: NDArray[np.float32],
        share: NDArray[np.float32],
        touched: NDArray[np.bool_],
    ) -> None:
        """Write the mixture of observation and prediction into `raw` and its uncertainty, as stored, into `sigma`.

        Apart from the network, most of the run time goes here: the code avoids passes and new arrays per band.
        """
        radiometry, nodata = self.scene.radiometry, self.scene.nodata
        everything = bool((share == 1).all()) and bool(touched.all())
        where: Any = True if everything else touched
        work = np.empty(share.shape, np.float32)
        kept, whole = share * (1 - share), share == 1
        for band, source in enumerate(self._cleaned):
            if source is None:
                continue
            mean = values[source]
            mixed = mean
            if not everything:
                observed = radiometry.to_reflectance(raw[band])
                apart = mean - observed
                mixed = observed + share * apart
                np.copyto(mixed, mean, where=whole)  # without a rounding that depends on the cloud
            if sigma is not None:
                np.multiply(mean, mean, out=work)
                np.subtract(values[self._planes + source], work, out=work)
                np.maximum(work, 0, out=work)
                work *= np.float32(self._variance_factor[source] / _SIGMA_STEP**2)
                if not everything:
                    work *= share
                    np.square(apart, out=apart)
                    apart *= kept
                    apart *= np.float32(1 / _SIGMA_STEP**2)
                    work += apart
                np.sqrt(work, out=work)
                self.sigma += summand(np.sum(work, dtype=np.float64, where=where) * _SIGMA_STEP / self._replaced)
                work += np.float32(0.5)
                np.minimum(work, np.float32(NODATA - 1), out=work)
                np.copyto(sigma[band], work, where=where, casting="unsafe")
            np.copyto(raw[band], radiometry.to_raw(mixed, raw.dtype, nodata), where=where)

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        sums = np.array([self.reconstructed, self.sigma])
        return {
            "before": self.before.rgb.copy(), "valid": np.array(self.valid), "counts": self.counts.state(), "sums": sums
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        self.before.rgb[...] = state["before"]
        self.valid = int(state["valid"])
        self.counts.restore(state["counts"])
        self.reconstructed, self.sigma = (float(value) for value in state["sums"])

    def merge(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Dividable`."""
        before = state["before"]
        np.copyto(self.before.rgb, before, where=~np.isnan(before))
        self.valid += int(state["valid"])
        self.counts.merge(state["counts"])
        reconstructed, sigma = (float(value) for value in state["sums"])
        self.reconstructed += reconstructed
        self.sigma += sigma

    def numbers(self) -> dict[str, float]:
        """Fractions of the valid pixels, and the mean sigma of the reconstructed pixels."""
        known = max(self.valid, 1)
        numbers = {"reconstructed_share": self.reconstructed / known}
        if self.mask is not None:
            numbers |= self.counts.shares()
        if self.card.has_variance and self.reconstructed > 0:
            numbers["mean_sigma"] = self.sigma / self.reconstructed
        return numbers
