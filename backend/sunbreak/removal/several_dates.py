"""Cloud removal by a network of several dates: the scene and its nearest other dates go in together.

The layers are those of `sunbreak.removal.task.CloudRemoval`. Each date goes in as it was observed, with its own clouds:
the network was trained on cloudy dates and weighs them by itself (Ebel et al. 2023). Dates stand in order of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.given_masks import decode
from sunbreak.clouds.margins import Margins
from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.engine.rows import at_columns
from sunbreak.errors import InputError
from sunbreak.models.card import ModelCard
from sunbreak.removal.fit import check_fit, missing_bands
from sunbreak.removal.network_input import NetworkInput
from sunbreak.removal.task import CloudRemoval, MaskSource
from sunbreak.scene import Scene, SceneReader, SceneSeries, SeriesReader
from sunbreak.scene.radiometry import Radiometry
from sunbreak.scene.series import days_between

EPOCH = date(2014, 4, 3)
"""Day 0 of the networks: Sentinel-1 was launched."""

_REFLECTANCE = Radiometry("reflectance", 0.0, 1.0)


@dataclass(frozen=True)
class ChosenDates:
    """The dates that go into a network.

    Attributes:
        series: The scene, and as many other dates as the model takes, by date.
        notes: What is used and what is not, one sentence each.
    """

    series: SceneSeries
    notes: tuple[str, ...]


def choose_dates(series: SceneSeries, card: ModelCard) -> ChosenDates:
    """The other dates that are nearest to the scene and that a model can use.

    Args:
        series: The scene and any number of other dates.
        card: Card of a model of several dates.

    Raises:
        InputError: The scene lacks a band, the radar (see `sunbreak.removal.fit.check_fit`), or the date that the
            model needs (``no-date``).
        ModelError: There are fewer usable dates than the model takes (``wrong-dates``).
    """
    target = series.target
    check_fit(target, card, 1 + len(series.others))
    if _encodes_days(card) and target.acquired is None:
        raise InputError(
            f"{target.inputs[0]}: its date is not known, and the model {card.name} needs it.",
            "Put the date (YYYY-MM-DD) into the file name.",
            code="no-date",
        )
    usable, notes = [], []
    for other in series.others:
        reason = _unusable(other, card)
        if reason:
            notes.append(f"{other.source_name} is not given to the model {card.name}: {reason}.")
        else:
            usable.append(other)
    check_fit(target, card, 1 + len(usable))
    near = sorted(usable, key=lambda other: _distance(target, other))[: card.dates - 1]
    chosen = sorted(near, key=lambda other: _day_of(other))
    names = ", ".join(_name(other) for other in chosen)
    of_all = f", the nearest of {len(usable)}" if len(usable) > len(chosen) else ""
    notes.append(f"The model {card.name} takes {card.dates} dates: the scene and {names}{of_all}.")
    borrowed = [_name(other) for other in chosen if not other.has_s1]
    if card.radar is not None and target.has_s1 and borrowed:
        notes.append(f"Without Sentinel-1 of their own, these dates get that of the scene: {', '.join(borrowed)}.")
    return ChosenDates(replace(series, others=tuple(chosen)), tuple(notes))


def model_day(optical: date, radar: date | None = None) -> float:
    """A date as the networks know it: days since `EPOCH`, the mean of those of the optical and the radar image."""
    days = [(day - EPOCH).days for day in (optical, radar or optical)]
    return sum(days) / 2


class SeveralDatesRemoval(CloudRemoval):
    """The cloud removal task for a model of several dates.

    Args:
        series: The scene and the other dates that go in, see `choose_dates`.
        card: The model's card.
        mask: See `CloudRemoval`; it says what is replaced, and is no input of the network.
        feather: See `CloudRemoval`.
        margins: See `CloudRemoval`.
        which: See `CloudRemoval`.
        replace_all: See `CloudRemoval`.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs.
        ModelError: The series has another number of dates than the model takes.
    """

    def __init__(
        self,
        series: SceneSeries,
        card: ModelCard,
        mask: MaskSource | None,
        feather: int,
        margins: Margins,
        *,
        which: tuple[int, ...],
        replace_all: bool,
    ) -> None:
        self.series, self.dates = series, 1 + len(series.others)
        super().__init__(series.target, card, mask, feather, margins, which=which, replace_all=replace_all)
        self._inputs = [self._input] + [
            NetworkInput(other, card, None if mapping.shift() is not None else _REFLECTANCE)
            for other, mapping in zip(series.others, series.mappings, strict=True)
        ]
        members = [series.target, *series.others]
        self._order = sorted(range(self.dates), key=lambda number: _day_of(members[number]))
        days = [_model_day_of(members[number]) for number in self._order] if _encodes_days(card) else []
        self._days: NDArray[np.float32] = np.array(days, np.float32)

    @property
    def reads(self) -> SceneSeries:
        """See `CloudRemoval`."""
        return self.series

    @property
    def parameters(self) -> Mapping[str, object]:
        """See `CloudRemoval`: the days of the dates that go in."""
        return {"days": [float(day) for day in self._days]}

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        if not isinstance(reader, SeriesReader):
            raise TypeError("the engine reads what `reads` gives")
        planes = super().read(reader, first, stop)
        window = Window(0, first, self.scene.grid.width, stop - first)
        for number, rows in enumerate(reader.others(window, decode), 1):
            planes[f"raw_{number}"], planes[f"valid_{number}"] = rows.optical.raw, rows.optical.valid
            if rows.radar is not None and self.card.radar is not None:
                planes[f"s1_{number}"] = rows.radar
        return planes

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`: `x` (tile, date * channel, row, column), and `days` (tile, date)."""
        x = np.stack([self._tile(at_columns(strip, tile.columns), tile) for tile in tiles])
        if not self._days.size:
            return {"x": x}
        return {"x": x, "days": np.repeat(self._days[None], len(tiles), axis=0)}

    def _tile(self, planes: Planes, place: TilePlace) -> NDArray[np.float32]:
        return np.concatenate([self._frame(planes, place, number) for number in self._order])

    def _frame(self, planes: Planes, place: TilePlace, number: int) -> NDArray[np.float32]:
        """One date of a tile, (channel, row, column): 0 is the scene."""
        if number == 0:
            return self._input.tile(planes, place, (), None)
        own = {"raw": planes[f"raw_{number}"], "valid": planes[f"valid_{number}"]}
        radar = planes.get(f"s1_{number}", planes.get("s1"))
        frame = self._inputs[number].tile(own if radar is None else {**own, "s1": radar}, place, (), None)
        if not own["valid"].any():
            frame[:] = 0  # a date without data is padding, which the network leaves out
        return frame


def _unusable(other: Scene, card: ModelCard) -> str:
    """Why a model cannot use another date; nothing if it can."""
    missing = missing_bands(other, card)
    if missing:
        return f"it lacks {', '.join(missing)}"
    if _encodes_days(card) and other.acquired is None:
        return "its date is not known"
    return ""


def _encodes_days(card: ModelCard) -> bool:
    return bool(card.arguments.get("positions", True))


def _distance(target: Scene, other: Scene) -> float:
    days = days_between(target.acquired, other.acquired)
    return float("inf") if days is None else abs(days)


def _day_of(scene: Scene) -> float:
    """For the order of dates; one that is not known comes last."""
    return float("inf") if scene.acquired is None else scene.acquired.timestamp()


def _model_day_of(scene: Scene) -> float:
    if scene.acquired is None:
        raise ValueError("`choose_dates` leaves out scenes without a date")
    radar = scene.radar.acquired if scene.radar is not None else None
    return model_day(scene.acquired.date(), radar.date() if radar is not None else None)


def _name(scene: Scene) -> str:
    return scene.acquired.date().isoformat() if scene.acquired is not None else scene.source_name
