"""Recognises the coding of a mask file: by the names of its bands and file, and by all of its values.

`auto` decides only where it is certain. Otherwise the error names the codings that the values fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.mask_codings import CODINGS, OPTIONS, MaskCoding
from sunbreak.scene.nodata import usable_scale
from sunbreak.scene.sampling import whole_blocks
from sunbreak.sources.places import path_of

ROLE_TAG = "SUNBREAK_ROLE"
"""Tag of the layers that Sunbreak writes; it stays where their files are renamed."""

_LIMIT = 2**16  # no coding has larger values
_SLACK = 1e-6  # of a quantity's largest value
_OPTION = "Say which with --mask-coding."


@dataclass(frozen=True)
class Numbers:
    """What a band holds, without its nodata value (unless that is 0, which many masks use for clear).

    Attributes:
        whole: The different stored numbers; of numbers beyond 16 bits only the extremes. None if there are fractions.
        low: Lowest number after scale and offset; infinite if there is none.
        high: Highest number, likewise.
        integer: They are stored as integers.
        scale: With `offset`, from stored numbers to those of a quantity.
        offset: See `scale`.
        nodata: The declared nodata value.
    """

    whole: frozenset[int] | None
    low: float
    high: float
    integer: bool
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None

    @property
    def scaled(self) -> bool:
        """Whether the file declares a scale or an offset."""
        return (self.scale, self.offset) != (1.0, 0.0)

    def shown(self, but: Callable[[int], bool] = lambda number: False) -> str:
        """The numbers for a message, without those that `but` is true for if others remain."""
        if self.whole is None:
            return f"from {self.low:g} to {self.high:g}"
        numbers = sorted(number for number in self.whole if not but(number)) or sorted(self.whole)
        return ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")


@dataclass(frozen=True)
class Place:
    """Where in a file the mask is, and the codings that its name speaks of.

    Attributes:
        bands: The band, from 1; of a coding in planes one for each plane, 0 where it is missing.
        told: Codings that the name of the band or file speaks of; all that can be if the user chose.
        name: That name, if it is telling.
    """

    bands: tuple[int, ...]
    told: tuple[MaskCoding, ...] = ()
    name: str = ""


def codings_of(option: str) -> tuple[MaskCoding, ...]:
    """The codings that a value of ``--mask-coding`` stands for; none for ``auto``.

    Raises:
        InputError: ``bad-option``: it is not one of `OPTIONS`.
    """
    if option not in OPTIONS:
        raise InputError(f"There is no coding of masks {option!r}.", f"Choose {', '.join(OPTIONS)}.", code="bad-option")
    # a variant that only a name tells cannot be chosen
    return tuple(
        coding for coding in CODINGS if coding.option == option and not (coding.only_named and coding.variant_of)
    )


def find_place(path: Path, descriptions: Sequence[str | None], option: str, role: str = "") -> Place:
    """Find the mask's band or bands in a file by their names.

    Args:
        path: The file.
        descriptions: Its band descriptions.
        option: Value of ``--mask-coding``.
        role: What the file says of itself in the tag `ROLE_TAG`, if it is a layer of ours.

    Raises:
        InputError: ``bad-option``; ``mask-bands``: the file has several bands, and none is called after a coding.
    """
    asked = codings_of(option)
    bands = [text or "" for text in descriptions]
    among = asked or CODINGS
    if len(bands) == 1:
        place = _told(bands[0], path.stem, role)
        if asked:
            place = Place((1,), asked, place.name)
        planes = next((coding for coding in place.told if coding.planes), None)
        return Place(_planes(planes, [place.name or path.stem]), (planes,), place.name) if planes else place
    ranked = [
        (number, rank, index)
        for number, coding in enumerate(among)
        for index, name in enumerate(bands)
        if (rank := coding.rank(name)) is not None
    ]
    if ranked:
        coding, index = among[min(ranked)[0]], min(ranked)[2]
        if coding.planes:
            return Place(_planes(coding, [name if coding.rank(name) is not None else "" for name in bands]), (coding,))
        return Place((index + 1,), asked or _told(bands[index], "").told, bands[index])
    for coding in among:
        if coding.planes and len(bands) <= len(coding.planes) and (asked or coding.rank(path.stem) is not None):
            named = any(plane in name.lower() for plane in coding.planes for name in bands)
            if named or len(bands) == len(coding.planes):
                in_order = tuple(range(1, len(bands) + 1))
                return Place(_planes(coding, bands) if named else in_order, (coding,), path.stem)
    raise InputError(
        f"{path} has {len(bands)} bands, and none is called after {f'the coding {option}' if asked else 'a mask'}.",
        "Give the mask alone, or name its band, such as SCL, QA60, MSK_CLDPRB or cs_cdf.",
        code="mask-bands",
    )


def _told(band: str, stem: str, role: str = "") -> Place:
    """The codings that the name of the only band, or else of the file, speaks of."""
    own = tuple(
        coding
        for coding in CODINGS
        if coding.layer and band == coding.layer and (stem.endswith(coding.layer) or role == coding.layer)
    )
    if own:
        return Place((1,), own, stem)
    for name in (band, stem):
        told = tuple(coding for coding in CODINGS if coding.rank(name) is not None)
        if told:
            return Place((1,), told, name)
    return Place((1,))


def _planes(coding: MaskCoding, names: Sequence[str]) -> tuple[int, ...]:
    """The band of each plane, 0 where there is none; one band that does not say which it is, is the first plane."""
    found = [
        next((index for index, name in enumerate(names, 1) if plane in name.lower()), 0) for plane in coding.planes
    ]
    if any(found):
        return tuple(found)
    only = next((index for index, name in enumerate(names, 1) if name), 1)
    return (only, *([0] * (len(coding.planes) - 1)))


def survey(dataset: DatasetReader, band: int, part: Window) -> Numbers:
    """Read a part of a band, in most cases all: one stray value changes its meaning. Memory depends on no side."""
    nodata, scale, offset = declared(dataset, band)
    seen = np.zeros(_LIMIT, bool)
    beyond: set[int] = set()
    whole, low, high = True, np.inf, -np.inf
    for window in whole_blocks(part, dataset.block_shapes[band - 1]):
        numbers: NDArray[Any] = dataset.read(band, window=window).ravel()
        if numbers.dtype.kind == "f":
            numbers = numbers[np.isfinite(numbers)]
        if nodata:
            numbers = numbers[numbers != nodata]
        if not numbers.size:
            continue
        least, most = float(numbers.min()), float(numbers.max())
        low, high = min(low, least), max(high, most)
        if whole and numbers.dtype.kind == "f":
            whole = bool((numbers == np.rint(numbers)).all())
        if whole and least == most and 0 <= least < _LIMIT:
            seen[int(least)] = True
        elif whole and least >= 0 and most < _LIMIT:
            seen[: int(most) + 1] |= np.bincount(numbers.astype(np.intp)) > 0
        elif whole:
            beyond |= {int(least), int(most)}
    found = frozenset(int(number) for number in np.flatnonzero(seen)) | beyond if whole else None
    low, high = sorted((low * scale + offset, high * scale + offset)) if low <= high else (low, high)
    integer = np.dtype(dataset.dtypes[band - 1]).kind != "f"
    return Numbers(found, low, high, integer, scale, offset, nodata)


def declared(dataset: DatasetReader, band: int) -> tuple[float | None, float, float]:
    """Nodata value (None where it is not a finite number), scale and offset of a band."""
    nodata = dataset.nodatavals[band - 1]
    finite = nodata if nodata is not None and np.isfinite(nodata) else None
    return finite, *usable_scale(dataset, band, path_of(dataset.name))


def recognise(path: Path, place: Place, numbers: Numbers, option: str) -> MaskCoding:
    """The coding of a band.

    Args:
        path: The file, for messages.
        place: What its name says.
        numbers: What it holds.
        option: Value of ``--mask-coding``.

    Raises:
        InputError: ``mask-values``: the numbers fit no coding, several, or not the one that was chosen or that the
            name speaks of.
    """
    if numbers.whole == frozenset() and (numbers.scaled or not numbers.integer):
        raise InputError(f"{path} holds no valid value.", "Give a mask of the scene, with values.", code="mask-values")
    if option != "auto":
        found = next((coding for coding in place.told if _fits(coding, numbers)), None)
        if found is None:
            raise _unfit(path, f"--mask-coding says {option}", place.told, numbers)
        return found
    fitting = [coding for coding in place.told or CODINGS if _may_be(coding, numbers, bool(place.told))]
    if place.told:
        if not fitting:
            names = " or ".join(_options(place.told))
            raise _unfit(path, f"its name {place.name[:60]} says {names}", place.told, numbers)
        if len(fitting) == 1 or _agree(fitting, numbers):
            rival = _rival(fitting[0], numbers)
            if rival is not None:
                raise _ambiguous(path, numbers, [fitting[0], rival])
            return fitting[0]
        raise _ambiguous(path, numbers, fitting)
    certain = [coding for coding in fitting if coding.several and _has_several(coding.several, numbers)]
    if certain:
        return certain[0]
    if len(fitting) == 1 and not fitting[0].several:
        return fitting[0]
    if fitting:
        raise _ambiguous(path, numbers, fitting)
    raise InputError(
        f"{path}: its values {numbers.shown()} fit no coding of masks that can be told without a name.",
        f"{_named_only(numbers)}Declare what stands for no data as nodata, or give another mask.",
        code="mask-values",
    )


def check_planes(path: Path, coding: MaskCoding, places: Sequence[int], planes: Sequence[Numbers]) -> None:
    """Check that the planes of a coding hold zeros and one other value, 1 or 255, and that one means something.

    Raises:
        InputError: ``mask-values``.
    """
    bits = [bit for bit, band in enumerate(places) if band]
    cloudy = {value for value, meaning in coding.values if meaning != "clear"}
    if not any(1 << bit in cloudy for bit in bits):
        raise InputError(
            f"{path} holds only the {coding.planes[bits[0]]} of {coding.name}, no cloud.",
            "Give the bands of clouds.",
            code="mask-values",
        )
    for numbers in planes:
        if numbers.whole is None or not (numbers.whole <= {0, 1} or numbers.whole <= {0, 255}):
            raise _unfit(path, f"it is taken as {coding.name}", (coding,), numbers)


def _fits(coding: MaskCoding, numbers: Numbers) -> bool:
    """Whether a coding can hold the numbers."""
    if coding.planes:
        return numbers.whole is not None and (numbers.whole <= {0, 1} or numbers.whole <= {0, 255})
    if coding.largest:
        slack = _SLACK * coding.largest
        if numbers.low < -slack or numbers.high > coding.largest + slack:
            return False
        # after its scale, a percentage of 1 and less is a probability
        return not (coding.largest > 1 and numbers.scaled and 0 < numbers.high <= 1)
    return numbers.whole is not None and numbers.whole <= {value for value, _ in coding.values}


def _may_be(coding: MaskCoding, numbers: Numbers, named: bool) -> bool:
    """Whether numbers that nobody explained may be of a coding that they fit."""
    if (coding.planes or coding.layer or coding.only_named) and not named:
        return False
    if not _fits(coding, numbers) or numbers.nodata in coding.foreign:
        return False
    if coding.largest > 1:
        return numbers.whole is not None or numbers.high > 1
    if coding.largest:
        # integers without a scale are classes or percent
        return numbers.scaled or not numbers.integer
    # a scale is one of quantities; tools also declare it for classes that lie beside reflectance
    return not numbers.scaled or (named and coding.several != (0, 0))


def _rival(coding: MaskCoding, numbers: Numbers) -> MaskCoding | None:
    """Another coding with the same name, if the numbers speak for it as much."""
    other = next((one for one in CODINGS if one.name == coding.rival), None)
    zeros = numbers.whole is not None and 0 in numbers.whole and numbers.nodata != 0
    return other if other is not None and zeros and _fits(other, numbers) else None


def _agree(codings: Sequence[MaskCoding], numbers: Numbers) -> bool:
    """Whether the numbers stand for the same in all codings."""
    if numbers.whole is None:
        return False
    return all(
        len({coding.meaning(n * numbers.scale + numbers.offset if coding.largest else n) for coding in codings}) == 1
        for n in numbers.whole
    )


def _has_several(several: tuple[int, int], numbers: Numbers) -> bool:
    count, above = several
    if numbers.whole is None:
        return numbers.high > above
    return sum(number > above for number in numbers.whole) >= count


def _named_only(numbers: Numbers) -> str:
    """Advice about codings that nearly any numbers fit."""
    found = [
        coding for coding in CODINGS if coding.only_named and not coding.variant_of and _may_be(coding, numbers, True)
    ]
    return f"If they are {_either(_options(found))}, say so with --mask-coding. " if found else ""


def _options(codings: Sequence[MaskCoding]) -> list[str]:
    return list(dict.fromkeys(coding.option for coding in codings))


def _either(names: Sequence[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _others(numbers: Numbers, but: Sequence[MaskCoding]) -> list[str]:
    fitting = [coding for coding in CODINGS if _may_be(coding, numbers, False)]
    return [name for name in _options(fitting) if name not in _options(but)]


def _ambiguous(path: Path, numbers: Numbers, fitting: Sequence[MaskCoding]) -> InputError:
    names = _options(fitting)
    what = f"may be {_either(names)}"
    if len(names) == 1:
        what += ", but too few of them to be sure"
    return InputError(f"{path}: its values {numbers.shown()} {what}.", _OPTION, code="mask-values")


def _unfit(path: Path, said: str, codings: Sequence[MaskCoding], numbers: Numbers) -> InputError:
    def fits(number: int) -> bool:
        value = number * numbers.scale + numbers.offset
        return any(0 <= value <= c.largest if c.largest else number in dict(c.values) for c in codings)

    # where 1 is clear, another quantity would turn the mask around
    others = [] if any(coding.clear_from is not None for coding in codings) else _others(numbers, codings)
    hint = f"They may be {_either(others)}: give it with --mask-coding. " if others else ""
    return InputError(
        f"{path}: {said}, but its values {numbers.shown(fits)} do not fit that.",
        f"{hint}Declare what stands for no data as nodata, or give another mask.",
        code="mask-values",
    )


def sum_of_planes(dataset: DatasetReader, bands: Sequence[int], window: Window) -> NDArray[np.uint8]:
    """The sum of 1, 2, 4, ... of the planes that are set at each pixel of a window, (row, column)."""
    total: NDArray[np.uint8] = np.zeros((int(window.height), int(window.width)), np.uint8)
    for bit, band in enumerate(bands):
        if band == 0:
            continue
        stored = dataset.read(band, window=window)
        present = (stored != 0) & np.isfinite(stored)
        nodata = declared(dataset, band)[0]
        if nodata:
            present &= stored != nodata
        total |= present.astype(np.uint8) << np.uint8(bit)
    return total
