"""The table of patches: labels, logits and metrics of each patch.

The file is NPZ (or Parquet, if pyarrow is installed) with these columns, one row per patch. <input> is `clear`,
`removed` (clear pixels kept), `removed_raw` (prediction for all pixels) or `cloudy`:

    patch, split, label      id, `train`/`val`/`test`, class index from 0 (the column of the logits)
    cover                    cloud cover of the cloudy image, 0..1; NaN if unknown
    logits_<input>           (patch, class); `clear` and at least one other. NaN rows: not computed (other splits only)
    features_<input>         (patch, feature), optional
    <figure>_<input>         psnr, ssim, sam, mae, detail against the clear image, optional; NaN if unknown
    zero_pixels_<input>      number of pixels that are 0 in all bands, optional
    classes                  names of the classes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.models.legends import SIMPLIFIED_IGBP

INPUTS = ("clear", "removed", "removed_raw", "cloudy")
INPUT_TITLES = {
    "clear": "Clear",
    "removed": "Cloud-removed",
    "removed_raw": "Cloud-removed (raw prediction)",
    "cloudy": "Cloudy",
}
QUALITY = ("psnr", "ssim", "sam", "mae", "detail")
IGBP_NAMES = tuple(legend.name for legend in SIMPLIFIED_IGBP)
_RANGES = {
    "ssim": (-1.0, 1.0),
    "sam": (0.0, 180.0),
    "mae": (0.0, np.inf),
    "detail": (0.0, np.inf),
    "zero_pixels": (0.0, np.inf),
}
_AGAIN = "Write the table again."
_REAL = "iuf"  # NumPy counts complex numbers and durations among the numbers too

Column = NDArray[Any]


@dataclass(frozen=True)
class PatchTable:
    """Labels, logits and metrics of patches. The module docstring describes the columns.

    Attributes:
        patch: (patch,) unique ids.
        split: (patch,) names of splits.
        label: (patch,) class index from 0.
        cover: (patch,) 0..1 or NaN.
        logits: By input, (patch, class).
        classes: Names of the classes.
        features: By input, (patch, feature).
        quality: By figure and input, (patch,).
        zero_pixels: By input, (patch,).
        source: Name of the file for messages.
    """

    patch: Column
    split: Column
    label: Column
    cover: Column
    logits: Mapping[str, Column]
    classes: tuple[str, ...]
    features: Mapping[str, Column] = field(default_factory=dict)
    quality: Mapping[tuple[str, str], Column] = field(default_factory=dict)
    zero_pixels: Mapping[str, Column] = field(default_factory=dict)
    source: str = "table"

    def __len__(self) -> int:
        """Number of patches."""
        return len(self.patch)

    def take(self, rows: Column) -> PatchTable:
        """The table of some of the patches (indices or a mask)."""
        return PatchTable(
            patch=self.patch[rows],
            split=self.split[rows],
            label=self.label[rows],
            cover=self.cover[rows],
            logits={name: values[rows] for name, values in self.logits.items()},
            classes=self.classes,
            features={name: values[rows] for name, values in self.features.items()},
            quality={name: values[rows] for name, values in self.quality.items()},
            zero_pixels={name: values[rows] for name, values in self.zero_pixels.items()},
            source=self.source,
        )

    def of_split(self, split: str) -> PatchTable:
        """The patches of one split. Their logits must be complete.

        Raises:
            InputError: The split has no patch, or logits are missing.
        """
        rows = self.split == split
        if not rows.any():
            there = ", ".join(sorted(set(self.split.tolist())))
            raise InputError(
                f"{self.source}: no patch is in the split '{split}', only in: {there}.",
                "Choose one of them with --split.",
                code="split-missing",
            )
        part = self.take(rows)
        for name, values in part.logits.items():
            _refuse_unknown_logits(self.source, name, part.patch, ~np.isfinite(values).all(axis=1), split)
        return part


def make_table(columns: Mapping[str, Any], classes: Sequence[str] | None = None, source: str = "table") -> PatchTable:
    """Check columns and make a table.

    Args:
        columns: Columns as in the module docstring; `classes` can be among them.
        classes: Names of the classes; by default the ten simplified IGBP classes if there are ten.
        source: Origin of the columns for messages.

    Raises:
        InputError: Columns are missing or unknown, lengths or widths differ, ids repeat, labels or metrics are out of
            range, or a row of logits is partly NaN.
    """
    found = {name: np.asarray(values) for name, values in columns.items() if name != "classes"}
    _check_names(source, found)
    _check_lengths(source, found)
    logits = {name: found[f"logits_{name}"] for name in INPUTS if f"logits_{name}" in found}
    _check_logits(source, logits, found["patch"])
    width = next(iter(logits.values())).shape[1]
    names = _class_names(source, columns.get("classes", classes), width)
    label = _labels(source, found["label"], found["patch"], names)
    numbers = {name: values for name, values in found.items() if name.split("_")[0] in (*QUALITY, "zero", "cover")}
    for name, values in numbers.items():
        _check_range(source, name, values, found["patch"])
    return PatchTable(
        patch=found["patch"].astype(str),
        split=found["split"].astype(str),
        label=label,
        cover=found["cover"],
        logits=logits,
        classes=names,
        features={name: found[f"features_{name}"] for name in INPUTS if f"features_{name}" in found},
        quality={
            (figure, name): found[f"{figure}_{name}"]
            for figure in QUALITY
            for name in INPUTS
            if f"{figure}_{name}" in found
        },
        zero_pixels={name: found[f"zero_pixels_{name}"] for name in INPUTS if f"zero_pixels_{name}" in found},
        source=source,
    )


def columns_of(table: PatchTable) -> dict[str, Column]:
    """The columns of a table by name, without the class names."""
    return {
        "patch": table.patch,
        "split": table.split,
        "label": table.label,
        "cover": table.cover,
        **{f"logits_{name}": values for name, values in table.logits.items()},
        **{f"features_{name}": values for name, values in table.features.items()},
        **{f"{figure}_{name}": values for (figure, name), values in table.quality.items()},
        **{f"zero_pixels_{name}": values for name, values in table.zero_pixels.items()},
    }


def _check_names(source: str, found: Mapping[str, Column]) -> None:
    missing = [name for name in ("patch", "split", "label", "cover", "logits_clear") if name not in found]
    if missing:
        raise InputError(
            f"{source}: the table has no column {', '.join(missing)}.",
            "It needs patch, split, label, cover, logits_clear and logits of another input.",
            code="column-missing",
        )
    if not any(f"logits_{name}" in found for name in INPUTS[1:]):
        raise InputError(
            f"{source}: only the clear images have logits; there is nothing to compare them with.",
            "Add logits_removed, logits_removed_raw or logits_cloudy.",
            code="column-missing",
        )
    known = {"patch", "split", "label", "cover"}
    known |= {f"{kind}_{name}" for kind in ("logits", "features", "zero_pixels", *QUALITY) for name in INPUTS}
    strange = sorted(set(found) - known)
    if strange:
        raise InputError(
            f"{source}: the table has an unknown column '{strange[0]}'.",
            f"Columns of inputs end in {', '.join(INPUTS)}.",
            code="column-unknown",
        )


def _check_lengths(source: str, found: Mapping[str, Column]) -> None:
    count = len(found["patch"]) if found["patch"].ndim else 0
    if not count:
        raise InputError(f"{source}: the table has no patch.", code="table-empty")
    for name, values in found.items():
        dimensions = 2 if name.startswith(("logits_", "features_")) else 1
        if values.ndim != dimensions or len(values) != count:
            expected = f"{count} rows" if dimensions == 1 else f"{count} rows of several columns"
            raise InputError(
                f"{source}: {name} has the shape {values.shape}, but patch has {count} entries.",
                f"Every column needs {expected}, in the same order of patches.",
                code="table-mismatch",
            )
    ids, counts = np.unique(found["patch"].astype(str), return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"{source}: the patch {ids[counts > 1][0]} occurs {counts.max()} times.", _AGAIN, code="patch-repeated"
        )
    for kind in ("logits_", "features_"):
        widths = {name: values.shape[1] for name, values in found.items() if name.startswith(kind)}
        if len(set(widths.values())) > 1:
            told = ", ".join(f"{name} {width}" for name, width in widths.items())
            raise InputError(
                f"{source}: the inputs differ in their number of columns ({told}).",
                "All of them must come from one classifier.",
                code="table-mismatch",
            )


def _check_logits(source: str, logits: Mapping[str, Column], patch: Column) -> None:
    for name, values in logits.items():
        if not np.issubdtype(values.dtype, np.floating):
            raise InputError(
                f"{source}: logits_{name} are {values.dtype}, not floating-point numbers.",
                "Write the output of the classifier before softmax or argmax.",
                code="logits-type",
            )
        known = np.isfinite(values)
        # a row of NaN was not computed, which is allowed outside the evaluated split
        broken = ~known.all(axis=1) & ~np.isnan(values).all(axis=1)
        _refuse_unknown_logits(source, name, patch, broken, None)


def _refuse_unknown_logits(source: str, name: str, patch: Column, broken: Any, split: str | None) -> None:
    if not broken.any():
        return
    where = f" of the split '{split}'" if split else ""
    number = int(broken.sum())
    raise InputError(
        f"{source}: logits_{name} of {number} {'patch' if number == 1 else 'patches'}{where} are NaN or infinite, "
        f"first {patch[broken][0]}.",
        "Compute them again, or leave these patches out of the table.",
        code="logits-nan",
    )


def _class_names(source: str, given: Any, width: int) -> tuple[str, ...]:
    if given is None:
        return IGBP_NAMES if width == len(IGBP_NAMES) else tuple(f"class {index}" for index in range(width))
    names = tuple(str(name) for name in np.asarray(given).tolist())
    if len(names) != width:
        raise InputError(
            f"{source}: {len(names)} classes are named, but the logits have {width} columns.",
            "Name one class per column.",
            code="table-mismatch",
        )
    return names


def _labels(source: str, values: Column, patch: Column, classes: tuple[str, ...]) -> Column:
    if values.dtype.kind not in _REAL:
        raise InputError(f"{source}: labels are class indices from 0, not {values.dtype}.", code="label-range")
    wrong = ~((values >= 0) & (values < len(classes)) & (values == np.floor(values)))
    if wrong.any():
        raise InputError(
            f"{source}: the label {values[wrong][0]} of patch {patch[wrong][0]} is not one of 0..{len(classes) - 1} "
            f"({int(wrong.sum())} such).",
            "Labels count from 0; subtract 1 from classes that count from 1.",
            code="label-range",
        )
    return values.astype(np.int64)


def _check_range(source: str, name: str, values: Column, patch: Column) -> None:
    kind = "zero_pixels" if name.startswith("zero_pixels") else name.split("_")[0]
    low, high = (0.0, 1.0) if kind == "cover" else _RANGES.get(kind, (-np.inf, np.inf))
    if values.dtype.kind not in _REAL:
        raise InputError(f"{source}: {name} holds {values.dtype}, not numbers.", code="figure-range")
    wrong = (values < low - 1e-6) | (values > high + 1e-6)
    if wrong.any():
        raise InputError(
            f"{source}: {name} of patch {patch[wrong][0]} is {values[wrong][0]:g}, outside {low:g}..{high:g}.",
            "Cloud cover is a fraction from 0 to 1, not a percentage." if kind == "cover" else _AGAIN,
            code="figure-range",
        )
