"""Parts of the report's page: tables, sections, and chapters with figures that need images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Place = Literal["data", "quality", "classification", "attention", "examples"]


@dataclass(frozen=True)
class Table:
    """A table of the page: a caption, a header and rows of text."""

    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A section of the page: sentences, tables, then figures with captions."""

    title: str
    texts: list[str]
    tables: list[Table]
    pictures: list[tuple[str, str]]


@dataclass(frozen=True)
class Chapter:
    """Additions to a section of the page, or a new section.

    Attributes:
        place: The section that is extended.
        title: Title of the section, if it is new.
        texts: Sentences.
        draws: Functions that draw the figures, by name.
        captions: Captions by name of the figure.
    """

    place: Place
    title: str
    texts: tuple[str, ...] = ()
    draws: Mapping[str, Callable[[], Figure]] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)


def with_chapters(
    sections: Mapping[str, Section], chapters: Sequence[Chapter], path: Callable[[str], str | None]
) -> list[Section]:
    """The sections in their order, with the additions of the chapters.

    Args:
        sections: Sections by place.
        chapters: Additions.
        path: Gives the path of a figure by name; None if it was not drawn.
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
