"""Cloud removal with other dates of the place: what they show goes into the clouds, the network fills what is left.

The layers are those of `sunbreak.removal.task.CloudRemoval`, and two more: from where each pixel comes, and where the
ground changed. Without a network, what no date shows is filled from the clear pixels around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import CLEAR, Classes, dilated_classes, replaced
from sunbreak.clouds.dates import DateClouds
from sunbreak.clouds.margins import Margins
from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.engine.checkpoints import State
from sunbreak.engine.memory import return_freed
from sunbreak.engine.rows import at_columns
from sunbreak.layers.roles import SCALE
from sunbreak.models.card import ModelCard
from sunbreak.removal.summands import summand
from sunbreak.removal.task import CloudRemoval, MaskSource
from sunbreak.removal.temporal import change
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.fitting import fit_guide
from sunbreak.removal.temporal.guide import STEP, GuideRows, TemporalGuide
from sunbreak.removal.temporal.kept_samples import SampleMemory
from sunbreak.scene import Scene, SceneReader, SceneSeries, SeriesReader

OBSERVED, NETWORK, AROUND, FIRST_DATE = 0, 1, 2, 10
"""Codes of the layer `source`; the other dates follow from `FIRST_DATE` on."""
UNKNOWN = 255

MOST_CONSIDERED = 24
"""Other dates whose clouds are looked for; the nearest ones."""


def nearest(series: SceneSeries, most: int = MOST_CONSIDERED) -> SceneSeries:
    """The series with the other dates that are nearest in time, in their order; unknown dates come last."""
    if len(series.others) <= most:
        return series
    order = sorted(range(len(series.others)), key=lambda i: _days(series, i))
    kept = sorted(order[:most])
    return replace(series, others=tuple(series.others[i] for i in kept))


def without_network(card: ModelCard, scene: Scene) -> ModelCard:
    """A card for a scene that the model cannot process: its bands are the scene's, and the network is not asked."""
    arguments = {key: value for key, value in card.arguments.items() if key not in ("guided", "prior")}
    return replace(
        card, name="none", bands=scene.bands, radar=None, temperature=(), variance="of the error", arguments=arguments,
    )  # fmt: skip


def date_names(series: SceneSeries) -> list[tuple[int, str]]:
    """Code in the layer `source` and name of each other date."""
    return [
        (FIRST_DATE + i, f"{_day(other)} ({_apart(gap)})")
        for i, (other, gap) in enumerate(zip(series.others, series.days, strict=True))
    ]


def _smallest(bits: int) -> type[np.int16] | type[np.int32]:
    """The smallest type that holds so many bits without its sign: planes of a wide scene are large."""
    return np.int16 if bits < 16 else np.int32


def _day(scene: Scene) -> str:
    return scene.acquired.date().isoformat() if scene.acquired else scene.source_name


def _apart(gap: int | None) -> str:
    if gap is None:
        return "days unknown"
    if not gap:
        return "the same day"
    return f"{abs(gap)} day{'' if abs(gap) == 1 else 's'} {'before' if gap < 0 else 'after'}"


def _days(series: SceneSeries, number: int) -> float:
    gap = series.days[number]
    return float("inf") if gap is None else abs(gap)


class OtherDatesRemoval(CloudRemoval):
    """The cloud removal task with other dates.

    Args:
        series: The scene and its other dates.
        card: The model's card.
        mask: See `CloudRemoval`.
        feather: See `CloudRemoval`.
        margins: See `CloudRemoval`.
        which: See `CloudRemoval`.
        replace_all: See `CloudRemoval`. The other dates are used in the clouds only; without a network clear pixels
            stay as they are.
        network: Whether the network fills what no date shows.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs.
    """

    def __init__(
        self,
        series: SceneSeries,
        card: ModelCard,
        mask: MaskSource,
        feather: int = 4,
        margins: Margins = Margins(),  # noqa: B008 (frozen)
        *,
        which: tuple[int, ...],
        replace_all: bool = False,
        network: bool = True,
    ) -> None:
        super().__init__(series.target, card, mask, feather, margins, which=which, replace_all=replace_all)
        self.series, self.network = series, network
        self.guide: TemporalGuide | None = None
        # fraction of what the network says that is kept where other dates are clear
        self.share = 0.0
        self.from_dates = self.seen_change = self.radar_change = 0.0

    @property
    def looks_around(self) -> bool:
        """See `CloudRemoval`."""
        return self.network and super().looks_around

    def fitted(self) -> State:
        """See `CloudRemoval`; the temporal guide is fitted anew, to the same sample."""
        return {**super().fitted(), "share": np.array(self.share)}

    def adopt(self, fitted: State) -> None:
        """See `CloudRemoval`."""
        self.share = float(fitted["share"])
        super().adopt({name: values for name, values in fitted.items() if name != "share"})

    @property
    def reads(self) -> SceneSeries:
        """See `CloudRemoval`: the scene and the dates that are used."""
        return self.guide.series if self.guide is not None else SceneSeries(self.scene)

    @property
    def used_dates(self) -> tuple[str, ...]:
        """Names of the other dates that fill clouds."""
        members = self.guide.members if self.guide is not None else ()
        return tuple(name for code, name in date_names(self.series) if code - FIRST_DATE + 1 in members)

    def look_at_dates(
        self,
        clouds: DateClouds,
        prior: DaysPrior,
        checkpoint: Callable[[], None] = lambda: None,
        memory: SampleMemory | None = None,
    ) -> TemporalGuide | None:
        """First pass over all dates: fit the temporal guide.

        Args:
            clouds: Where the other dates are clear.
            prior: How colour moves with days.
            checkpoint: Called often; an exception that it raises ends the pass.
            memory: Samples of dates that other jobs read too.

        Returns:
            The guide; None if no other date shows what the scene hides.
        """
        self.guide = fit_guide(self.series, clouds, self._hidden, prior, checkpoint, memory)
        return self.guide

    def _hidden(self, reader: SceneReader, first: int, stop: int) -> NDArray[np.bool_]:
        """Cloud or shadow, with its margins, replaced or not."""
        if self.mask is None:
            raise ValueError("the task has no mask")
        height = self.scene.grid.height
        above, below = max(first - self.margins.reach, 0), min(stop + self.margins.reach, height)
        found: Classes = dilated_classes(self.mask(reader, above, below), self.margins)
        hidden: NDArray[np.bool_] = replaced(found)[first - above : stop - above]
        return hidden

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        planes = super().read(reader, first, stop)
        return_freed()
        if self.guide is None or not isinstance(reader, SeriesReader):
            return planes
        rows = self.guide.rows(reader, first, stop)
        if not self.network:
            # nothing predicts clear pixels, so that they stay with `replace_all` too
            planes["share"] = np.where(planes["cloudy"], planes["share"], np.float32(0))
        weight = np.where(planes["cloudy"], rows.weight, np.float32(0)) if self.network else np.ones_like(rows.weight)
        return planes | {
            "dates": rows.predicted,
            "weight": (weight * np.float32(1 - self.share)).astype(np.float16),
            "codes": rows.codes.astype(_smallest(len(self.guide.blocks.blocks))),
            "changed": rows.changed,
            "doubt": rows.doubt,
        }

    def asked(self, strip: Planes) -> NDArray[np.bool_]:
        """See `CloudRemoval`: without those that other dates fill."""
        replaced = super().asked(strip)
        return replaced if self.guide is None else replaced & (strip["weight"] < 1)

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`: the network sees what other dates show as if it were clear."""
        if self.guide is None:
            return super().encode(strip, tiles)
        encoded = [self._tile(at_columns(strip, tile.columns), tile) for tile in tiles]
        return {"x": np.stack(encoded)}

    def _tile(self, planes: Planes, place: TilePlace) -> NDArray[np.float32]:
        """The input of a tile, (channel, row, column)."""
        if self.share:
            return self.guided_tile(planes, place)
        known = (planes["weight"] == 1) & planes["valid"]
        seen = {**self._predicted(planes, known), "cloudy": planes["cloudy"] & ~known}
        return self._input.tile(seen, place, self._prior, self._around)

    def guided_tile(self, planes: Planes, place: TilePlace) -> NDArray[np.float32]:
        """The input of a tile whose guide is the prediction from other dates, as of a cloud: (channel, row, column)."""
        known = (planes["weight"] > 0) & planes["valid"]
        x = self._input.tile(self._predicted(planes, known), place, self._prior, self._around)
        bands, size = len(self.card.bands), known.shape
        # the channels are radar, bands, guide and mask
        start = len(x) - 2 * bands - 1
        guide = x[start + bands : start + 2 * bands, : size[0], : size[1]]
        guide[:, known] = x[start : start + bands, : size[0], : size[1]][:, known]
        return x

    def _predicted(self, planes: Planes, known: NDArray[np.bool_]) -> Planes:
        """The planes of a tile with the prediction at some of its pixels, as if no cloud were there."""
        raw = planes["raw"].copy()
        raw[:, known] = self.scene.radiometry.to_raw(planes["dates"][:, known] * STEP, raw.dtype, self.scene.nodata)
        seen = {**planes, "raw": raw}
        if "found" in planes:
            seen["found"] = np.where(known, np.uint8(CLEAR), planes["found"])
        return seen

    @property
    def outputs_of_bands(self) -> Sequence[int | None]:
        """Index in the network's output of each band of the scene."""
        return self._cleaned

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`."""
        if self.guide is None:
            return super().compose(row, planes, values, covered) | self._layers_alone(planes)
        weight, share = planes["weight"], planes["share"]
        used = (weight > 0) & (share > 0)
        if used.any():
            values = self._with_dates(self.guide, row, planes, values, covered)
        layers = super().compose(row, planes, values, covered | used)
        return layers | self._layers(self.guide, planes)

    def _with_dates(
        self, guide: TemporalGuide, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """The network's mean and second moment mixed with those of the temporal guide."""
        # where the network did not run, the dates alone count
        weight = np.where(covered, planes["weight"].astype(np.float32), np.float32(1))
        mixed = np.empty((self.channels, *weight.shape), np.float32)
        names = "dates", "weight", "codes", "changed", "doubt"
        rows = GuideRows(*(planes[name] for name in names))
        sigma = guide.sigma(row, rows) if self.card.has_variance else None
        for band, source in enumerate(self._cleaned):
            if source is None:
                continue
            dates = planes["dates"][band] * STEP
            mixed[source] = np.where(covered, values[source], 0) * (1 - weight) + weight * dates
            if sigma is not None:
                # `_replace` multiplies the variance by the network's own factor
                factor = self._variance_factor[source]
                network = np.where(covered, values[self._planes + source], 0)
                second = (1 - weight) * network + weight * (dates**2 + sigma[band] ** 2 / factor)
                mixed[self._planes + source] = second
        return mixed

    def _layers(self, guide: TemporalGuide, planes: Planes) -> dict[str, NDArray[Any]]:
        valid, share, weight, codes = planes["valid"], planes["share"], planes["weight"], planes["codes"]
        source = np.full(codes.shape, OBSERVED, np.uint8)
        synthesised = share > 0
        source[synthesised] = NETWORK
        dated = synthesised & (weight >= 0.5 * (1 - self.share)) & ((codes & guide.blocks.optical_bits) > 0)
        for code in np.unique(codes[dated]):
            source[dated & (codes == code)] = FIRST_DATE + guide.members[guide.main_member(int(code)) - 1] - 1
        if not self.network:
            source[synthesised & ~dated] = AROUND
        source[~valid] = UNKNOWN
        changed = np.where(valid, planes["changed"], np.uint8(UNKNOWN))
        self.from_dates += summand(share[dated].sum(dtype=np.float64))
        self.seen_change += float((changed == change.SEEN).sum())
        self.radar_change += float((changed == change.BY_RADAR).sum())
        return {"source": source[None], "changed": changed[None]}

    def _layers_alone(self, planes: Planes) -> dict[str, NDArray[Any]]:
        """Of a scene whose other dates show nothing of what it hides."""
        source = np.where(planes["share"] > 0, np.uint8(NETWORK), np.uint8(OBSERVED))
        source[~planes["valid"]] = UNKNOWN
        changed = np.where(planes["valid"], np.uint8(change.HIDDEN), np.uint8(UNKNOWN))
        return {"source": source[None], "changed": changed[None]}

    @property
    def parameters(self) -> Mapping[str, object]:
        """See `CloudRemoval`."""
        return {"other_dates": len(self.series.others), **({} if self.network else {"network": "none"})}

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        return {**super().state(), "dates": np.array([self.from_dates, self.seen_change, self.radar_change])}

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        super().restore(state)
        self.from_dates, self.seen_change, self.radar_change = (float(value) for value in state["dates"])

    def merge(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Dividable`."""
        super().merge(state)
        from_dates, seen_change, radar_change = (float(value) for value in state["dates"])
        self.from_dates += from_dates
        self.seen_change += seen_change
        self.radar_change += radar_change

    def numbers(self) -> dict[str, float]:
        """Also the fraction that other dates filled, and the fraction that changed."""
        known = max(self.valid, 1)
        numbers = {**super().numbers(), "other_dates_share": self.from_dates / known}
        if self.guide is not None:
            numbers["ground_changed_share"] = self.seen_change / known
            if self.guide.radar is not None:
                numbers["ground_changed_by_radar_share"] = self.radar_change / known
            numbers["network_share"] = self.share
            found = self.guide.validation
            if found.held.any():
                error = float(np.sqrt(np.square(found.errors[:, found.held], dtype=np.float64).mean()))
                numbers["validated_error"] = round(error / SCALE) * SCALE
        return numbers
