"""Training samples from WorldCereal: time series of Sentinel-2 and Sentinel-1 over small places.

The images are L2A with ten bands. `sunbreak.training.removal.l2a_to_l1c` converts them to L1C, and each sample marks
its measured bands. The truth of a cloudy date is the nearest clear date. Simulated clouds and real clouds of other
dates are laid over the clear dates.
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
from sunbreak.training.removal.l2a_to_l1c import ESTIMATED, Completion, top_of_atmosphere
from sunbreak.training.removal.samples import Sample, to_dn, under_clouds, with_masks
from sunbreak.training.removal.transplants import cloud_layers, transplanted_samples

MAX_DAYS = 10  # largest gap between a cloudy date and its truth: fields change
_COVER = 0.05, 0.95
_RADAR_DAYS = 12
_DN = 10000.0
# thresholds on the smoothed difference between two dates: larger changes are cloud or shadow, even if the scene
# classification misses them
_SMOOTHED = 5  # pixels
_BRIGHTER, _DARKER = 0.02, 0.75  # increase of B02 reflectance; ratio of B08 and B11 to the clear date
# some pixels must exceed these stricter thresholds, because drying soil and a lower sun also change the brightness
_BRIGHT, _SHADED = 0.045, 0.55
_DARK = 0.05  # reflectance below which a ratio is meaningless
_CONFIRMED = 0.5  # fraction of the classified clouds that must differ from the clear date
_OTHER_GROUND = 0.06  # largest median difference of pixels that are clear on both dates
_CUTS = 6  # largest number of pieces of one cloud layer
_TRIES = 20
_THICK = 0.08  # increase of B02 reflectance from which on a cloud is thick, as in `sunbreak detect-clouds`

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CerealSamples:
    """Samples by kind.

    Attributes:
        pairs: Cloudy dates, with a clear date as truth.
        clouded: Clear dates under simulated clouds.
        transplanted: Clear dates under real clouds of other dates and places.
        dropped: Number of cloudy dates that are not used, by reason.
    """

    pairs: list[Sample]
    clouded: list[Sample]
    transplanted: list[Sample]
    dropped: dict[str, int]

    def groups(self, share: float) -> list[tuple[float, Sequence[Sample]]]:
        """The kinds that have samples, with equal probabilities that add up to `share`."""
        kinds = [kind for kind in (self.pairs, self.clouded, self.transplanted) if kind]
        return [(share / len(kinds), kind) for kind in kinds]

    @property
    def facts(self) -> dict[str, object]:
        """Facts for the model card."""
        return {"worldcereal": f"{self}, each kind as often as the others", "worldcereal_bands": ESTIMATED}

    @property
    def side(self) -> int:
        """Side of the smallest sample in pixels, which limits the patch size."""
        return min(
            min(sample.clear.shape[1:]) for kind in (self.pairs, self.clouded, self.transplanted) for sample in kind
        )

    def __str__(self) -> str:
        return (
            f"{len(self.pairs)} real pairs, {len(self.clouded)} clear dates under simulated clouds and "
            f"{len(self.transplanted)} under real clouds of other dates and places"
        )


def worldcereal_samples(
    folder: Path,
    seed: int,
    reference: Sequence[Sample],
    *,
    per_date: int = 4,
    masked: bool = True,
    opaque: bool = False,
    cache: Path | None = None,
) -> CerealSamples:
    """All samples of the sites in a folder.

    Assumptions: all dates have the same clear atmosphere; B01 and B09 depend on the other bands as in `reference`; B10
    depends on the brightness of the clouds. These three bands have no weight in the loss (`Sample.bands`).

    Args:
        folder: Folder of the data set.
        seed: Seed of all random numbers.
        reference: Samples with thirteen bands from the other training data. The missing bands are fitted to them, and
            their clouds, if they have masks, are laid over the clear dates.
        per_date: Number of simulated clouds over each clear date, and of real clouds.
        masked: Whether the samples need cloud masks; without masks there are no transplants.
        opaque: Also mark what is opaque, see `with_masks`.
        cache: Folder where masks are kept.

    Raises:
        InputError: There is no site, a site cannot be read, or `reference` is empty.
    """
    if not reference:
        raise InputError(
            f"{folder}: there are no samples with thirteen bands to fit the missing bands to.",
            "Give simulated scenes (--scenes) or real pairs (--real) as well.",
            code="no-samples",
        )
    real: list[Sample] = []
    grounds: list[Sample] = []
    dropped: dict[str, int] = {}
    for files in find_sites(folder):
        site = read_site(files.s2, files.s1)
        place = _Place(site, Completion.fit(reference, site.bands, seed), opaque=opaque)
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
    masked_samples = with_masks([*simulated, *moved], opaque=opaque, cache=cache)
    return CerealSamples(real, masked_samples[: len(simulated)], masked_samples[len(simulated) :], dropped)


class _Place:
    """A site whose dates are converted to L1C with thirteen bands."""

    def __init__(self, site: Site, complete: Completion, *, opaque: bool) -> None:
        self._site, self._complete, self._opaque = site, complete, opaque
        self._clear = set(clear_dates(site))

    def _name(self, index: int) -> str:
        return f"worldcereal {self._site.name} {self._site.days[index]}"

    def _top(self, index: int) -> Image:
        """Ten bands (band, row, column) at the top of the atmosphere; missing pixels count as black ground."""
        return top_of_atmosphere(self._site.s2[index].astype(np.float32) / np.float32(_DN), self._site.bands)

    def _radar(self, index: int | None) -> Image | None:
        return None if index is None else self._site.s1[index]

    def ground(self, index: int) -> Sample:
        """A clear date, without clouds over it."""
        clear = to_dn(self._complete(self._top(index)))
        radar = self._radar(self._site.nearest_radar(self._site.days[index], _RADAR_DAYS))
        known = ~self._cloudy(index)
        return Sample(self._name(index), radar, clear, clear, known=known, bands=self._complete.true)

    def pair(self, pair: Pair) -> Sample | str:
        """A cloudy date with its truth, or the reason why it is not used.

        The reason is empty if the date is clear or has no clear date nearby.
        """
        from sunbreak.removal.edges import dilated
        from sunbreak.removal.task import DEFAULT_BUFFER

        if pair.index in self._clear or not pair.clear:
            return ""
        target = pair.clear[0]
        cloudy, clear = self._top(pair.index), self._top(target)
        change = Change.between(clear, cloudy, self._site.bands)
        if pair.cloudy.any() and change.mask[pair.cloudy].mean() < _CONFIRMED:
            return "the classified clouds look like the ground"
        valid = self._site.valid[pair.index]
        covered = pair.cloudy | change.mask
        cover = float(covered[valid].mean()) if valid.any() else 1.0
        if not _COVER[0] <= cover <= _COVER[1]:
            return "too little is covered" if cover < _COVER[0] else "too much is covered"
        if not change.certain:
            return "the ground itself may have changed"
        hidden = dilated(covered, DEFAULT_BUFFER) | ~valid
        known = valid & self._site.valid[target] & ~self._cloudy(target)
        seen = known & ~hidden
        if seen.any() and float(np.median(np.abs(cloudy - clear)[:, seen])) > _OTHER_GROUND:
            return "the ground has changed"
        blue = self._site.bands.index("B02")
        thick = float(CLOUD[S2_BANDS.index("B02")])
        rise = cloudy[blue] - clear[blue]
        amount = np.where(hidden, (cloudy[blue] - clear[blue]) / np.maximum(thick - clear[blue], 0.1), 0)
        return Sample(
            f"{self._name(pair.index)} to {self._site.days[target]}",
            self._radar(pair.radar),
            to_dn(self._complete(clear)),
            to_dn(self._complete(cloudy, amount.astype(np.float32))),
            hidden=hidden,
            opaque=hidden & (rise > _THICK) if self._opaque else None,
            known=known,
            bands=self._complete.true,
        )

    def _cloudy(self, index: int) -> Mask:
        """Pixels of a clear date that are cloudy after all, and therefore no truth."""
        from sunbreak.removal.edges import dilated
        from sunbreak.removal.task import DEFAULT_BUFFER

        return dilated(self._site.cloudy()[index], DEFAULT_BUFFER)


@dataclass(frozen=True)
class Change:
    """The smoothed difference between a date and a clear date nearby.

    The classification of L2A misses thin clouds and large shadows. Clouds are brighter in the blue, where the ground
    hardly changes within days. Shadows are darker in both B08 and B11; a harvest is not.

    Attributes:
        rise: (row, column), increase of the B02 reflectance.
        left: (row, column), ratio to the clear date in B08 or B11, whichever is larger.
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
        """(row, column), True where the change is that of clouds or shadows."""
        return (self.rise > _BRIGHTER) | (self.left < _DARKER)

    @property
    def certain(self) -> bool:
        """Whether 2 % of the mask exceed the strict threshold of clouds, or 20 % that of shadows."""
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
    """Random pieces of cloud layers of the size of the ground, each partly covered by clouds."""
    cuts = []
    for index, layer in enumerate(layers):
        rng = np.random.default_rng([seed, index])
        spare = [whole - side for whole, side in zip(layer.mask.shape, shape, strict=True)]
        if min(spare) < 0:
            continue
        most = _CUTS if max(spare) else 1
        found = 0
        for _ in range(_TRIES):
            row, col = (int(rng.integers(free + 1)) for free in spare)
            cut = (slice(row, row + shape[0]), slice(col, col + shape[1]))
            mask = layer.mask[cut]
            if _COVER[0] <= mask.mean() <= _COVER[1]:
                inner = (slice(None), *cut)
                cuts.append(CloudLayer(layer.name, layer.transmission[inner], layer.light[inner], mask))
                found += 1
            if found == most:
                break
    return cuts
