"""The samples of dates that several jobs read are kept between them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from sunbreak.clouds.dates import DateClouds
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.fitting import fit_guide
from sunbreak.removal.temporal.kept_samples import SampleMemory
from sunbreak.removal.temporal.reading import BlockReader
from sunbreak.scene import SceneSeries


@pytest.fixture
def read_dates(monkeypatch) -> list[int]:
    """The dates whose rows were sampled, by index in the series, in order."""
    dates: list[int] = []
    read = BlockReader.read

    def spy(self, reader, first, stop, only=None):
        if only is not None and only not in dates:
            dates.append(only)
        return read(self, reader, first, stop, only)

    monkeypatch.setattr(BlockReader, "read", spy)
    return dates


@pytest.fixture
def place(guided, window):
    return guided([60, 0, 90], hidden={0: window((96, 128), 20, 70, 30, 90)}, radar=(0, 1, 2))


def fitted(place, memory: SampleMemory | None, found=(None, None), series: SceneSeries | None = None):
    hidden = np.zeros((96, 128), bool)
    hidden[20:70, 30:90] = True
    guide = fit_guide(
        series or place.series, DateClouds(found), lambda reader, first, stop: hidden[first:stop], DaysPrior.load(),
        memory=memory,
    )  # fmt: skip
    assert guide is not None
    return guide.model


def test_a_date_is_sampled_once_and_the_fit_is_the_same(place, read_dates):
    memory = SampleMemory()
    alone = fitted(place, None)
    assert read_dates == [0, 1, 2]
    first = fitted(place, memory)
    read_dates.clear()
    again = fitted(place, memory)
    assert read_dates == [0]
    for model in (first, again):
        np.testing.assert_array_equal(model.mean, alone.mean)
        np.testing.assert_array_equal(model.covariance, alone.covariance)


def test_a_date_that_was_written_again_is_sampled_again(place, read_dates):
    memory = SampleMemory()
    fitted(place, memory)
    path = place.series.others[1].inputs[0]
    stamp = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(stamp, stamp))
    read_dates.clear()
    fitted(place, memory)
    assert read_dates == [0, 2]


def test_other_clouds_of_a_date_count(place, read_dates):
    def mask(cloudy: int) -> MaskRows:
        rows, classes = MaskRows(96, 128), np.zeros((96, 128), np.uint8)
        classes[:cloudy] = 1
        rows.put(0, classes)
        return rows

    memory = SampleMemory()
    fitted(place, memory, (mask(10), None))
    read_dates.clear()
    fitted(place, memory, (mask(10), None))
    assert read_dates == [0]
    fitted(place, memory, (mask(30), None))
    assert read_dates == [0, 1]


def test_another_date_as_the_target_knows_the_others(place, read_dates):
    memory = SampleMemory()
    fitted(place, memory)
    read_dates.clear()
    target, first, second = place.series.target, *place.series.others
    fitted(place, memory, series=SceneSeries(second, (first, target)))
    # the first target was no other date before
    assert read_dates == [0, 2]


def test_the_oldest_samples_are_dropped_when_there_is_no_room(place, read_dates):
    memory = SampleMemory()
    fitted(place, memory)
    limit = memory.bytes - 1
    small = SampleMemory(limit)
    fitted(place, small)
    assert 0 < small.bytes <= limit
    read_dates.clear()
    fitted(place, small)
    assert read_dates[:2] == [0, 1]
