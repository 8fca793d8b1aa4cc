"""Canonical Sentinel-2 band names, and the aliases by which files name them.

The native order is the order of the 13-band networks. Aliases come from the Sentinel-2 product itself, Google Earth
Engine, Planetary Computer, Earth Search and the STAC common names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

S2_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")

#: The bands that are assumed for a file without names, by its number of bands.
BY_COUNT: dict[int, tuple[str, ...]] = {
    13: S2_BANDS,
    12: tuple(name for name in S2_BANDS if name != "B10"),
    10: tuple(name for name in S2_BANDS if name not in ("B01", "B09", "B10")),
}

#: Central wavelengths in nanometres (Sentinel-2A, ESA spectral response functions 3.0).
WAVELENGTHS = {
    "B01": 442.7,
    "B02": 492.4,
    "B03": 559.8,
    "B04": 664.6,
    "B05": 704.1,
    "B06": 740.5,
    "B07": 782.8,
    "B08": 832.8,
    "B8A": 864.7,
    "B09": 945.1,
    "B10": 1373.5,
    "B11": 1613.7,
    "B12": 2202.4,
}
_WAVELENGTH_TOLERANCE = 14.0  # B08 is given as 833 or 842 nm and B8A as 865, B12 as 2190 or 2202

_COMMON = {
    "B01": ("coastal", "coastalaerosol", "aerosol", "aerosols", "ultrablue"),
    "B02": ("blue",),
    "B03": ("green",),
    "B04": ("red",),
    "B05": ("rededge1", "rededge071", "rededge705", "vegetationrededge1", "re1"),
    "B06": ("rededge2", "rededge075", "rededge740", "vegetationrededge2", "re2"),
    "B07": ("rededge3", "rededge078", "rededge783", "vegetationrededge3", "re3"),
    "B08": ("nir", "nir1", "nirbroad", "broadnir"),
    "B8A": ("nir08", "nir2", "nirnarrow", "narrownir", "rededge4", "re4", "vegetationrededge4"),
    "B09": ("nir09", "watervapour", "watervapor"),
    "B10": ("cirrus",),
    "B11": ("swir16", "swir1"),
    "B12": ("swir22", "swir2"),
}
_ALIASES = {alias: name for name, aliases in _COMMON.items() for alias in aliases}

_BAND = r"(?P<band>8A|1[0-2]|0?[1-9])"
_WHOLE = re.compile(rf"^(?:S2_?)?(?:B|BAND[ _-]?){_BAND}(?:[_ ](?:10|20|60)m)?$", re.IGNORECASE)
_LEADING = re.compile(rf"^(?:B|BAND ){_BAND}(?=[\s,(:\-])", re.IGNORECASE)
_IN_FILE_NAME = re.compile(rf"(?:^|[_\-. ])B(?:AND)?{_BAND}(?:[_\-.](?:10|20|60)m)?(?=$|[_\-. ])", re.IGNORECASE)


# masks of a product have the name of a band in theirs: MSK_DETFOO_B02, MSK_QUALIT_B05
_MASK = re.compile(r"(?:^|[_\-. ])MSK_", re.IGNORECASE)


def _from_number(number: str) -> str:
    return "B8A" if number.upper() == "8A" else f"B{int(number):02d}"


def canonical_band(name: str | None) -> str | None:
    """The canonical name of a band, or None if the name is unknown.

    >>> canonical_band("B4, central wavelength 665 nm"), canonical_band("swir16"), canonical_band("QA60")
    ('B04', 'B11', None)
    """
    if not name:
        return None
    text = name.strip()
    match = _WHOLE.match(text) or _LEADING.match(text)
    if match:
        return _from_number(match["band"])
    return _ALIASES.get(re.sub(r"[\s_\-]", "", text.lower()))


def band_in_file_name(stem: str) -> str | None:
    """Band that a single-band file's name (without suffix) speaks of, such as ``T32TQM_20200101T101010_B04_10m``.

    >>> band_in_file_name("T32TQM_20200101T101010_B04_10m"), band_in_file_name("MSK_DETFOO_B04")
    ('B04', None)
    """
    if names_mask(stem):
        return None
    found = {_from_number(match["band"]) for match in _IN_FILE_NAME.finditer(stem)}
    if len(found) == 1:
        return found.pop()
    return canonical_band(stem) if not found else None


def names_mask(stem: str) -> bool:
    """Whether a file's name (without suffix) is that of a mask among the quality data of a product."""
    return _MASK.search(stem) is not None


def without_band(stem: str) -> str:
    """A single-band file's name without the part that names the band and its resolution."""
    return _IN_FILE_NAME.sub("", stem).strip("_-. ")


def band_of_wavelength(value: str | float | None, unit: str = "") -> str | None:
    """The band of a central wavelength in nanometres or micrometres (told apart by size when no unit is given)."""
    try:
        wavelength = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):  # nothing, a list, an integer beyond all floats
        return None
    if unit.lower() in ("um", "µm", "micrometers", "micrometres", "micron") or 0.3 < wavelength < 3:
        wavelength *= 1000
    name = min(WAVELENGTHS, key=lambda band: abs(WAVELENGTHS[band] - wavelength))
    return name if abs(WAVELENGTHS[name] - wavelength) <= _WAVELENGTH_TOLERANCE else None


def duplicates(names: Iterable[str | None]) -> list[str]:
    """Names that occur more than once, in native order."""
    seen = [name for name in names if name is not None]
    return [name for name in S2_BANDS if seen.count(name) > 1]


def in_native_order(names: Sequence[str]) -> tuple[str, ...]:
    """The same names in the order of `S2_BANDS`."""
    return tuple(sorted(names, key=S2_BANDS.index))
