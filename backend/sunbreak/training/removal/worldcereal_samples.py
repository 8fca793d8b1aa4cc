"""What cloud removal learns from WorldCereal: real series of Sentinel-2 and Sentinel-1 over small places.

They are L2A with ten bands; `sunbreak.training.removal.l2a_to_l1c` makes them look like L1C, and the samples say which
of their bands are true. Real cloudy dates get the nearest clear date as truth; clear dates are ground for simulated and
for real clouds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from sunbreak.datasets.simulation.spectra import CLOUD
from sunbreak.datasets.transplant import CloudLayer
from sunbreak.datasets.worldcereal import Pair, Site, clear_dates, find_sites, pairs, read_site
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS
from sunbreak.training.removal.l2a_to_l1c import MADE_UP, Completion, top_of_atmosphere
from sunbreak.training.removal.samples import Sample, to_dn, under_clouds, with_masks
from sunbreak.training.removal.transplants import cloud_layers, transplanted_samples

MAX_DAYS = 10  # from a cloudy date to its truth: fields change
_COVER = 0.05, 0.95
_RADAR_DAYS = 12
_DN = 10000.0
# two dates of one place, smoothed: what differs more than this is cloud or shadow, whatever the classification says
_SMOOTHED = 5  # pixels
_BRIGHTER, _DARKER = 0.02, 0.75  # rise of reflectance in B02; share of B08 and B11 that is left
# and somewhere it has to be beyond doubt, since soil that dries and a lower sun also brighten and darken
_BRIGHT, _SHADED = 0.045, 0.55
_DARK = 0.05  # reflectance below which a share says nothing
_CONFIRMED = 0.5  # share of the classification's clouds that has to differ
_OTHER_GROUND = 0.06  # median difference of what both show
_CUTS = 6  # pieces of one cloud layer
_TRIES = 20

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CerealSamples:
    """Samples by kind.

    Attributes:
        pairs: Real clouds and their real truth.
        clouded: Clear dates under simulated clouds.
        transplanted: Clear dates under real clouds of other dates and places.
        dropped: Cloudy dates that were not taken, counted by reason.
    """

    pairs: list[Sample]
    clouded: list[Sample]
    transplanted: list[Sample]
    dropped: dict[str, int]

    def groups(self, share: float) -> list[tuple[float, Sequence[Sample]]]:
        """The kinds that there are, each drawn from as often as the others, together with probability `share`."""
        kinds = [kind for kind in (self.pairs, self.clouded, self.transplanted) if kind]
        return [(share / len(kinds), kind) for kind in kinds]

    @property
    def facts(self) -> dict[str, object]:
        """What a model card says about them."""
        return {"worldcereal": f"{self}, each kind as often as the others", "worldcereal_bands": MADE_UP}

    @property
    def side(self) -> int:
        """The side of the smallest sample in pixels: larger patches cannot be cut from all of them."""
        return min(
            min(sample.clear.shape[1:]) for kind in (self.pairs, self.clouded, self.transplanted) for sample in kind
        )

    def __str__(self) -> str:
        return (
            f"{len(self.pairs)} real pairs, {len(self.clouded)} clear dates under simulated clouds and "
            f"{len(self.transplanted)} under real clouds of other dates and places"
        )


def worldcereal_samples(
    folder: Path, seed: int, reference: Sequence[Sample], *, per_date: int = 4, masked: bool = True
) -> CerealSamples:
    """All that the sites in a folder give.

    Assumed: one clear atmosphere for all dates; B01 and B09 as they go with the other bands in `reference`; B10 by the
    brightness of the clouds. Those three carry no weight in a loss (`Sample.bands`).

    Args:
        folder: Of the data set.
        seed: Seed of clouds and choices.
        reference: Complete samples that are trained on anyway: how bands go together, and, where they have masks,
            clouds to lay over the clear dates.
        per_date: Simulated clouds, and real ones, over each clear date.
        masked: Whether the samples need the masks of their clouds; without them there are no transplants.

    Raises:
        InputError: There is no site, one cannot be read, or there is nothing to fit the missing bands to.
    """
    if not reference:
        raise InputError(
            f"{folder}: there are no samples with thirteen bands, which tell the bands that are missing here.",
            "Give simulated scenes (--scenes) or real pairs (--real) as well.",
            code="no-samples",
        )
    real: list[Sample] = []
    grounds: list[Sample] = []
    dropped: dict[str, int] = {}
    for files in find_sites(folder):
        site = read_site(files.s2, files.s1)
        place = _Place(site, Completion.fit(reference, site.bands, seed))
        for pair in pairs(site, MAX_DAYS, max_radar_days=_RADAR_DAYS):
            found = place.pair(pair)
            if isinstance(found, Sample):
                real.append(found)
            elif found:
                dropped[found] = dropped.get(found, 0) + 1
        grounds += [place.ground(index) for index in clear_dates(site)]
    simulated = [sample for index, ground in enumerate(grounds) for sample in _clouded(ground, per_date, [seed, index])]
    if not masked:
        return CerealSamples(real, simulated, [], dropped)
    layers = cloud_layers([*reference, *real])
    moved = [
        sample
        for side in sorted({ground.clear.shape[1:] for ground in grounds})
        for sample in transplanted_samples(
            [ground for ground in grounds if ground.clear.shape[1:] == side], _cuts(layers, side, seed), per_date, seed
        )
    ]
    looked_at = with_masks([*simulated, *moved])
    return CerealSamples(real, looked_at[: len(simulated)], looked_at[len(simulated) :], dropped)


class _Place:
    """A site whose dates look like L1C with thirteen bands."""

    def __init__(self, site: Site, complete: Completion) -> None:
        self._site, self._complete = site, complete
        self._clear = set(clear_dates(site))

    def _name(self, index: int) -> str:
        return f"worldcereal {self._site.name} {self._site.days[index]}"

    def _top(self, index: int) -> Image:
        """Ten bands (band, row, column) at the top of the atmosphere; what is missing is black ground."""
        return top_of_atmosphere(self._site.s2[index].astype(np.float32) / np.float32(_DN), self._site.bands)

    def _radar(self, index: int | None) -> Image | None:
        return None if index is None else self._site.s1[index]

    def ground(self, index: int) -> Sample:
        """A clear date, not covered yet."""
        clear = to_dn(self._complete(self._top(index)))
        radar = self._radar(self._site.nearest_radar(self._site.days[index], _RADAR_DAYS))
        known = ~self._cloudy(index)
        return Sample(self._name(index), radar, clear, clear, known=known, bands=self._complete.true)

    def pair(self, pair: Pair) -> Sample | str:
        """A cloudy date with its truth, or why it is none; empty for a date that is clear or has no clear one near."""
        from sunbreak.removal.task import DEFAULT_BUFFER, grown

        if pair.index in self._clear or not pair.clear:
            return ""
        target = pair.clear[0]
        cloudy, clear = self._top(pair.index), self._top(target)
        change = Change.between(clear, cloudy, self._site.bands)
        if pair.cloudy.any() and change.mask[pair.cloudy].mean() < _CONFIRMED:
            return "what the classification calls cloud looks like the ground"
        valid = self._site.valid[pair.index]
        covered = pair.cloudy | change.mask
        cover = float(covered[valid].mean()) if valid.any() else 1.0
        if not _COVER[0] <= cover <= _COVER[1]:
            return "too little is covered" if cover < _COVER[0] else "too much is covered"
        if not change.certain:
            return "it may be the ground that changed"
        hidden = grown(covered, DEFAULT_BUFFER) | ~valid
        known = valid & self._site.valid[target] & ~self._cloudy(target)
        seen = known & ~hidden
        if seen.any() and float(np.median(np.abs(cloudy - clear)[:, seen])) > _OTHER_GROUND:
            return "the ground is another one"
        blue = self._site.bands.index("B02")
        thick = float(CLOUD[S2_BANDS.index("B02")])
        amount = np.where(hidden, (cloudy[blue] - clear[blue]) / np.maximum(thick - clear[blue], 0.1), 0)
        return Sample(
            f"{self._name(pair.index)} to {self._site.days[target]}",
            self._radar(pair.radar),
            to_dn(self._complete(clear)),
            to_dn(self._complete(cloudy, amount.astype(np.float32))),
            hidden=hidden,
            known=known,
            bands=self._complete.true,
        )

    def _cloudy(self, index: int) -> Mask:
        """Where a clear date is not the truth."""
        from sunbreak.removal.task import DEFAULT_BUFFER, grown

        return grown(self._site.cloudy()[index], DEFAULT_BUFFER)


@dataclass(frozen=True)
class Change:
    """How a date differs from a clear one nearby in time, smoothed.

    The classification of L2A misses veils and large shadows. Clouds are brighter in the blue, where ground hardly
    changes within days; shadows are darker in B08 and B11 at once, where a harvest is not.

    Attributes:
        rise: (row, column) reflectance that B02 has more.
        left: (row, column) share that is left of B08 or of B11, whichever is more.
    """

    rise: Image
    left: Image

    @classmethod
    def between(cls, clear: Image, cloudy: Image, bands: Sequence[str]) -> Change:
        """From reflectance (band, row, column) and the names of the bands."""
        before, after = (uniform_filter(image, (0, _SMOOTHED, _SMOOTHED), mode="nearest") for image in (clear, cloudy))
        blue, *infrared = (bands.index(name) for name in ("B02", "B08", "B11"))
        left = (after[infrared] / np.maximum(before[infrared], np.float32(_DARK))).max(axis=0)
        return cls(after[blue] - before[blue], left)

    @property
    def mask(self) -> Mask:
        """(row, column), where it is as clouds and shadows make it."""
        return (self.rise > _BRIGHTER) | (self.left < _DARKER)

    @property
    def certain(self) -> bool:
        """Whether it is beyond doubt somewhere: in 2 % of the mask for clouds, in a fifth of it for shadows."""
        mask = self.mask
        if not mask.any():
            return False
        return bool(np.percentile(self.rise[mask], 98) > _BRIGHT or np.percentile(self.left[mask], 20) < _SHADED)


def _clouded(ground: Sample, count: int, seed: Sequence[int]) -> list[Sample]:
    clear = ground.clear.astype(np.float32) / np.float32(_DN)
    return [
        replace(
            ground,
            name=f"{ground.name} under simulated clouds {number}",
            cloudy=under_clouds(clear, np.random.default_rng([*seed, number])),
        )
        for number in range(count)
    ]


def _cuts(layers: Sequence[CloudLayer], shape: tuple[int, ...], seed: int) -> list[CloudLayer]:
    """Pieces of cloud layers as large as the ground, each partly covered."""
    cuts = []
    for index, layer in enumerate(layers):
        rng = np.random.default_rng([seed, index])
        room = [whole - side for whole, side in zip(layer.mask.shape, shape, strict=True)]
        if min(room) < 0:
            continue
        most = _CUTS if max(room) else 1
        found = 0
        for _ in range(_TRIES):
            row, col = (int(rng.integers(free + 1)) for free in room)
            cut = (slice(row, row + shape[0]), slice(col, col + shape[1]))
            mask = layer.mask[cut]
            if _COVER[0] <= mask.mean() <= _COVER[1]:
                inner = (slice(None), *cut)
                cuts.append(CloudLayer(layer.name, layer.transmission[inner], layer.light[inner], mask))
                found += 1
            if found == most:
                break
    return cuts
