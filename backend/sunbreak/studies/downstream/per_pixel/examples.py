"""Example patches with the classes of their pixels: cloudy, cleaned and clear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sunbreak.models.card_landcover import LandCoverClass
from sunbreak.studies.downstream import drawing, pictures
from sunbreak.studies.downstream.cleaning import read_cleaned
from sunbreak.studies.downstream.examples import Sources, chosen_examples
from sunbreak.studies.downstream.page_parts import Chapter
from sunbreak.studies.downstream.per_pixel.counting import NO_DATA, ClassMap, PixelClassifier, PixelCounts, class_maps
from sunbreak.studies.downstream.quadruplets import read_patch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAME = "pixel_examples"
_UNKNOWN = "#ffffff"
_SAME, _CLEAR_ELSE, _CLEANED_RIGHT, _CLEANED_WRONG = range(4)
_CHANGES = (
    ("#e8e8e8", "cloudy and cleaned as clear"),
    ("#999999", "neither as clear"),
    ("#0072B2", "only cleaned as clear"),
    ("#D55E00", "only cloudy as clear"),
)
"""Colours of Okabe and Ito, and what they mean in the last row."""


@dataclass(frozen=True)
class _Example:
    """The pictures of one patch, (row, column, 3) each, from top to bottom."""

    title: str
    images: tuple[NDArray[np.float32], ...]


def example_chapter(
    counts: PixelCounts, sources: Sources, classes: tuple[LandCoverClass, ...], ready: Callable[[], PixelClassifier]
) -> Chapter:
    """Patches at even ranks of cloud cover, with the classes of their pixels.

    Args:
        counts: The counts of the patches.
        sources: Where their images are.
        classes: The classes of the network.
        ready: Loads the classifier.
    """
    names = chosen_examples(counts)
    return Chapter(
        "examples",
        "Examples",
        (f"{len(names)} patches at even ranks of cloud cover. They are not selected by their classes.",),
        {_NAME: lambda: _draw(counts, names, sources, classes, ready())} if names else {},
        {_NAME: "True colour and classes of the cloudy, cleaned (clear pixels kept) and clear image; last row: where "
        "the class differs from that of the clear image. White: no data."},
    )  # fmt: skip


def _draw(
    counts: PixelCounts,
    names: list[str],
    sources: Sources,
    classes: tuple[LandCoverClass, ...],
    classifier: PixelClassifier,
) -> Figure:
    from matplotlib.patches import Patch

    rows = (
        "Cloudy",
        "Cleaned",
        "Clear",
        "Classes,\ncloudy",
        "Classes,\ncleaned",
        "Classes,\nclear",
        "Compared\nwith clear",
    )
    figure = drawing.new(2.05 * len(names) + 1.1, 15.6)
    panels = figure.subplots(len(rows), len(names), squeeze=False)
    colours = [kind.colour for kind in classes]
    for column, name in enumerate(names):
        example = _example(name, counts, sources, colours, classifier)
        for row, image in enumerate(example.images):
            pictures.show(panels[row, column], image, example.title if row == 0 else "")
    for row, title in enumerate(rows):
        panels[row, 0].set_ylabel(title, fontsize=10)
    keys = [(kind.colour, kind.name) for kind in classes] + list(_CHANGES)
    handles = [Patch(facecolor=colour, edgecolor="#888888", label=label) for colour, label in keys]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(names) + 1, 5), fontsize=9)
    return figure


def _example(
    name: str, counts: PixelCounts, sources: Sources, colours: list[str], classifier: PixelClassifier
) -> _Example:
    patch = sources.patches[name]
    cover = float(counts.cover[np.flatnonzero(counts.patch == name)[0]])
    maps = class_maps(patch, classifier, sources.removal, sources.cleaned)
    cleaned = read_cleaned(patch, sources.removal, sources.cleaned).images["removed"]
    dn = (read_patch(patch.files["s2_cloudy"], "s2_cloudy", name), cleaned, read_patch(patch.files["s2"], "s2", name))
    shown = ("cloudy", "removed", "clear")
    valid = np.all([maps[key] != NO_DATA for key in shown], axis=0)
    as_clear = {key: maps[key] == maps["clear"] for key in ("cloudy", "removed")}
    compared = np.select(
        [~valid, as_clear["cloudy"] & as_clear["removed"], as_clear["removed"], as_clear["cloudy"]],
        [NO_DATA, _SAME, _CLEANED_RIGHT, _CLEANED_WRONG],
        _CLEAR_ELSE,
    )
    return _Example(
        f"{name.split('_', 2)[2].replace('_', ' ')}\ncover {100 * cover:.0f} %",
        (
            *(pictures.true_colour(image) for image in dn),
            *(_coloured(maps[key], colours) for key in shown),
            _coloured(compared, [colour for colour, _ in _CHANGES]),
        ),
    )


def _coloured(classes: ClassMap, colours: list[str]) -> NDArray[np.float32]:
    """Indices (row, column) as colours (row, column, 3) in 0..1; `NO_DATA` is white."""
    from matplotlib.colors import to_rgb

    # the last one is that of the index -1
    table = np.array([to_rgb(colour) for colour in (*colours, _UNKNOWN)], np.float32)
    return table[classes]
