"""What the report's page is made of: tables, sections, and chapters with figures that need images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Place = Literal["data", "quality", "classification", "attention"]


@dataclass(frozen=True)
class Table:
    """A table of the page: a caption, a header and rows of text."""

    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A part of the page: sentences, tables, then pictures with their captions."""

    title: str
    texts: list[str]
    tables: list[Table]
    pictures: list[tuple[str, str]]


@dataclass(frozen=True)
class Chapter:
    """What the images add to a section of the page, or a section of its own.

    Attributes:
        place: The section it is added to.
        title: Title of the section, if it is not there yet.
        texts: Sentences.
        draws: Figures by name, each drawn when it is its turn.
        captions: By name of the figure.
    """

    place: Place
    title: str
    texts: tuple[str, ...] = ()
    draws: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)


def with_chapters(
    sections: Mapping[str, Section], chapters: Sequence[Chapter], path: Callable[[str], str | None]
) -> list[Section]:
    """The sections in their order with what the chapters add.

    Args:
        sections: By place.
        chapters: Additions.
        path: Where a figure of that name lies, None if it was not drawn.
    """
    found = dict(sections)
    for chapter in chapters:
        drawn = [(path(name), chapter.captions[name]) for name in chapter.draws]
        pictures = [(where, caption) for where, caption in drawn if where is not None]
        section = found.get(chapter.place, Section(chapter.title, [], [], []))
        found[chapter.place] = Section(
            section.title, [*section.texts, *chapter.texts], section.tables, [*section.pictures, *pictures]
        )
    return list(found.values())
