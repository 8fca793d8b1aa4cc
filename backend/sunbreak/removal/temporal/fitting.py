"""Fits the temporal guide of a scene: samples all dates, chooses those that are used, fits and validates the model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sunbreak.clouds.dates import DateClouds
from sunbreak.removal.temporal.blocks import Blocks
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.fields import SmoothFields
from sunbreak.removal.temporal.gaussian import fit
from sunbreak.removal.temporal.guide import OUTLYING, TemporalGuide
from sunbreak.removal.temporal.kept_samples import SampleMemory
from sunbreak.removal.temporal.reading import BlockReader, Hidden
from sunbreak.removal.temporal.sample import Lattice
from sunbreak.removal.temporal.sigma import Calibration
from sunbreak.removal.temporal.validation import predict, validate
from sunbreak.scene import SceneSeries

MOST_DATES = 12
"""Other dates that are used at most."""

_ROWS_BETWEEN = 16  # rows of the sample between two checkpoints


def fit_guide(
    series: SceneSeries,
    clouds: DateClouds,
    hidden: Hidden,
    prior: DaysPrior,
    checkpoint: Callable[[], None] = lambda: None,
    memory: SampleMemory | None = None,
) -> TemporalGuide | None:
    """Read all dates once, choose those that are used, fit the guide and validate it.

    Args:
        series: The scene and its other dates.
        clouds: Where the other dates are clear.
        hidden: Where the target is not.
        prior: How colour moves with days.
        checkpoint: Called before each block of rows; an exception that it raises ends the pass.
        memory: Samples of dates that other jobs read too; those read here are put into it.

    Returns:
        The guide, whose `series` holds the dates that are used; None if no other date shows what the target hides.

    Raises:
        InputError: ``damaged`` if a file cannot be decoded.
    """
    height, width = series.grid.shape
    blocks = Blocks.of(series, range(1, len(series.others) + 1))
    lattice = Lattice.of(blocks, height, width)
    source = BlockReader(blocks, clouds, hidden, height)
    with series.reader() as reader:
        # one date after another: the decoded blocks of one fit into the cache of the files
        for member in source.members:
            mask = clouds.found[member - 1] if member else None
            if memory is not None and member and memory.take(lattice, series, member, mask):
                continue
            for place, row in enumerate(lattice.rows):
                if place % _ROWS_BETWEEN == 0:
                    checkpoint()
                lattice.take(place, source.read(reader, int(row), int(row) + 1, member))
            if memory is not None and member:
                memory.keep(lattice, series, member, mask)
    members = choose_members(lattice)
    if not members:
        return None
    lattice = lattice.only(members)
    blocks = lattice.blocks
    others = [member - 1 for member in members]
    series = SceneSeries(series.target, tuple(series.others[number] for number in others))
    source = BlockReader(blocks, clouds.only(others), hidden, height)
    model = fit(blocks, lattice.values, lattice.known, prior)
    checkpoint()
    found = validate(model, lattice, prior)
    checkpoint()
    calibration = Calibration.of(found, lattice, prior)
    predicted, expected = predict(model, lattice.standardised(model), lattice.codes & ~1)
    limit = OUTLYING * expected * calibration.scale[:, None]
    errors = np.clip(lattice.target - predicted, -limit, limit)
    seen = lattice.clear & ((lattice.codes & blocks.optical_bits) > 0)
    fields = SmoothFields(lattice.grid(errors), lattice.grid(seen), lattice.step)
    guide = TemporalGuide(series, source, model, fields, calibration, found, lattice, members)
    # the values were needed for the fit alone
    lattice.values.clear()
    return guide


def choose_members(lattice: Lattice, most: int = MOST_DATES) -> list[int]:
    """The dates that are used, by index in the series: near in time, and clear where the target is not.

    Where no place of the sample is hidden, a cloud may still lie between them: then clear anywhere.

    Args:
        lattice: Sample of all dates.
        most: Largest number of dates.
    """
    hidden = ~lattice.clear
    hidden = hidden if hidden.any() else lattice.clear
    worth = {}
    for index in lattice.blocks.optical:
        member = lattice.blocks.blocks[index].member
        shown = float(lattice.known[index][hidden].mean())
        if shown > 0:
            worth[member] = (1 + abs(lattice.blocks.days[member])) / shown
    return sorted(sorted(worth, key=lambda member: (worth[member], member))[:most])
