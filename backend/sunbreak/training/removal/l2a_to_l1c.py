"""Converts ten bands of L2A to thirteen bands of L1C, so that a training on L1C can use L2A data.

The conversion is the inverse of an atmospheric correction for one typical clear day. Missing bands get plausible
values. It makes inputs and targets look like L1C. It is no radiative transfer model and not meant for measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.simulation.spectra import CLOUD, PATH
from sunbreak.scene import S2_BANDS
from sunbreak.training.removal.samples import Sample

# centres of the bands of Sentinel-2A in micrometres (ESA, MSI instrument)
_CENTRES = np.array(
    [0.4427, 0.4924, 0.5598, 0.6646, 0.7041, 0.7405, 0.7828, 0.8328, 0.8647, 0.9451, 1.3735, 1.6137, 2.2024]
)
# gas transmittance of the two-way path: ozone (320 DU, from its absorption per band) in B03 and B04, water vapour
# (2 g/cm2), carbon dioxide and methane from B05 on; rounded typical values. B09 and B10 are not converted
_GASES = np.array([1.0, 0.985, 0.925, 0.96, 0.95, 0.965, 0.985, 0.94, 0.99, 1.0, 1.0, 0.96, 0.91])
_AIR = 1 + 1 / np.cos(np.radians(45))  # air mass of the two-way path, sun at 45 degrees as in `PATH`
_AEROSOL = 0.12  # optical thickness at 0.55 micrometres, Angstrom exponent 1.3

CLEAR_B10 = 0.0015  # reflectance of B10 over clear ground, as in the simulated materials
_PREDICTED = ("B01", "B09")
ESTIMATED = (
    "L2A converted to the top of one clear atmosphere; B01, B09 and B10 only fill the input and have no weight in the "
    "loss"
)
_PIXELS = 2000  # per image

Image = NDArray[np.float32]


def optics() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two-way transmittance, and spherical albedo of the atmosphere seen from below; (13,) each.

    The Rayleigh optical thickness t is that of Hansen and Travis (1974). Half of the Rayleigh scattering and 15 % of
    the aerosol scattering goes backwards. The albedo is 0.92 t exp(-t), which is close to the tables of 6S.
    """
    rayleigh = 0.008569 * _CENTRES**-4 * (1 + 0.0113 * _CENTRES**-2 + 0.00013 * _CENTRES**-4)
    aerosol = _AEROSOL * (_CENTRES / 0.55) ** -1.3
    return _GASES * np.exp(-(0.5 * rayleigh + 0.15 * aerosol) * _AIR), 0.92 * rayleigh * np.exp(-rayleigh)


def top_of_atmosphere(ground: Image, bands: Sequence[str]) -> Image:
    """Top-of-atmosphere reflectance from surface reflectance g: path + T g / (1 - S g).

    The path radiance is that of the simulated scenes (`PATH`). Clouds are converted in the same way, because the
    atmospheric correction of L2A treats them as ground.

    Args:
        ground: (band, row, column), bottom-of-atmosphere reflectance.
        bands: Names of the bands.
    """
    through, sky = optics()
    picked = [S2_BANDS.index(band) for band in bands]
    transmittance, albedo, path = (np.asarray(part[picked], np.float32)[:, None, None] for part in (through, sky, PATH))
    return np.asarray(path + transmittance * ground / (1 - albedo * np.clip(ground, 0, 1)), np.float32)


@dataclass(frozen=True)
class Completion:
    """A linear model that estimates missing bands from the available bands.

    Attributes:
        bands: Names of the available bands.
        factors: (2, bands + 1), coefficients of B01 and B09; the last column is the constant.
    """

    bands: tuple[str, ...]
    factors: NDArray[np.float64]

    @classmethod
    def fit(cls, reference: Sequence[Sample], bands: Sequence[str], seed: int) -> Completion:
        """Linear least squares over pixels of complete images, both clear and cloudy.

        Args:
            reference: Samples with thirteen measured bands.
            bands: Names of the available bands.
            seed: Seed of the choice of pixels.
        """
        rng = np.random.default_rng(seed)
        known, wanted = ([S2_BANDS.index(band) for band in names] for names in (bands, _PREDICTED))
        pixels = []
        for sample in reference:
            for image in (sample.clear, sample.cloudy):
                flat = image.reshape(len(S2_BANDS), -1)
                chosen = flat[:, rng.integers(flat.shape[1], size=_PIXELS)]
                pixels.append(np.clip(chosen, 0, 10000).astype(np.float64) / 10000)
        table = np.concatenate(pixels, axis=1)
        rows = np.concatenate([table[known], np.ones((1, table.shape[1]))])
        return cls(tuple(bands), np.linalg.lstsq(rows.T, table[wanted].T, rcond=None)[0].T)

    def __call__(self, image: Image, cloud: NDArray[np.floating] | None = None) -> Image:
        """Thirteen bands (13, row, column) from the available bands (band, row, column), reflectance.

        Args:
            image: Top-of-atmosphere reflectance.
            cloud: (row, column), fraction of a thick low cloud in each pixel, which sets B10; 0 if not given.
        """
        full = np.empty((len(S2_BANDS), *image.shape[1:]), np.float32)
        full[[S2_BANDS.index(band) for band in self.bands]] = image
        planes = np.tensordot(self.factors[:, :-1], image, 1) + self.factors[:, -1:, None]
        full[[S2_BANDS.index(band) for band in _PREDICTED]] = np.clip(planes, 0, None)
        b10 = S2_BANDS.index("B10")
        full[b10] = CLEAR_B10 if cloud is None else CLEAR_B10 + (CLOUD[b10] - CLEAR_B10) * np.clip(cloud, 0, 1)
        return full

    @property
    def true(self) -> NDArray[np.bool_]:
        """(13,), True for the measured bands, False for the estimated ones."""
        return np.array([band in self.bands for band in S2_BANDS])


class FromL2A:
    """Converts scenes of Level-2A to Level-1C, for `sunbreak.training.removal.samples.clouded_samples`.

    Args:
        reference: Samples with thirteen measured bands, for the bands that cannot be converted.
        seed: Seed of the choice of pixels.
    """

    def __init__(self, reference: Sequence[Sample], seed: int) -> None:
        self._reference, self._seed = reference, seed
        self._fitted: dict[tuple[str, ...], Completion] = {}

    def __call__(self, reflectance: Image, bands: Sequence[str]) -> tuple[Image, NDArray[np.bool_]]:
        """Reflectance (13, row, column) at the top of the atmosphere, and which bands are the truth (13,).

        Args:
            reflectance: (band, row, column) at the ground.
            bands: Names of the bands.

        Raises:
            ValueError: There are no samples to fit the missing bands to.
        """
        if not self._reference:
            raise ValueError("Level-2A needs samples with thirteen bands")
        used = tuple(band for band in bands if band not in (*_PREDICTED, "B10"))
        if used not in self._fitted:
            self._fitted[used] = Completion.fit(self._reference, used, self._seed)
        complete = self._fitted[used]
        picked = np.nan_to_num(reflectance[[tuple(bands).index(band) for band in used]])
        return complete(top_of_atmosphere(picked, used)), complete.true
