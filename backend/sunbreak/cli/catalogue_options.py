"""Options of the commands that ask a catalogue: place, date, profile."""

from __future__ import annotations

from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak import defaults
from sunbreak.cli import options as o
from sunbreak.errors import InputError

if TYPE_CHECKING:
    from sunbreak.catalogue.finding import Wish
    from sunbreak.catalogue.place import Place

_SEARCH = "Search"
DEFAULT_PROFILE = defaults.CATALOGUE


class LevelChoice(str, Enum):
    """Processing level."""

    any = "any"
    l1c = "L1C"
    l2a = "L2A"


BboxDegrees = Annotated[
    str | None,
    typer.Option("--bbox", help="Area as WEST,SOUTH,EAST,NORTH in degrees.", rich_help_panel=_SEARCH),
]
PlaceFile = Annotated[
    Path | None,
    typer.Option(
        "--place", help="Area as polygons of a GeoJSON file, or the area of a raster.", rich_help_panel=_SEARCH
    ),
]
Day = Annotated[str, typer.Option("--date", help="Date of the scene, YYYY-MM-DD.", rich_help_panel=_SEARCH)]
Days = Annotated[
    int,
    typer.Option("--days", min=0, max=400, help="Days to search before and after the date.", rich_help_panel=_SEARCH),
]
MaxCloud = Annotated[
    float,
    typer.Option(
        "--max-cloud", min=0, max=100, help="Leave out scenes with more cloud over the area (percent).",
        rich_help_panel=_SEARCH,
    ),
]  # fmt: skip
ProfileOption = Annotated[
    str,
    typer.Option(
        "--profile",
        help="Catalogue: planetary-computer, earth-search, cdse, or a YAML file with a profile.",
        rich_help_panel=_SEARCH,
    ),
]
LevelOption = Annotated[
    LevelChoice, typer.Option("--level", help="Processing level of Sentinel-2.", rich_help_panel=_SEARCH)
]
ReferenceCount = Annotated[
    int,
    typer.Option(
        "--other-dates", min=0, max=12, help="Largest number of other dates to propose.", rich_help_panel=_SEARCH
    ),
]
Limit = Annotated[
    int,
    typer.Option(
        "--limit", min=1, max=5000, help="Largest number of items of a collection to look at.", rich_help_panel=_SEARCH
    ),
]

Find = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--find",
        metavar="BBOX DATE",
        help="Find and fetch the scene in place of a file: WEST,SOUTH,EAST,NORTH in degrees, and YYYY-MM-DD.",
        rich_help_panel=o.SCENE,
    ),
]
ProfileOfFind = Annotated[
    str, typer.Option("--profile", help="Catalogue of --find, see sunbreak find.", rich_help_panel=o.SCENE)
]


def role_in_words(role: str) -> str:
    """What an image is proposed for, as people read it."""
    return {"reference": "other date", "reference-radar": "radar of another date"}.get(role, role)


def place_of(bbox: str | None, file: Path | None) -> Place:
    """The area that was given.

    Raises:
        InputError: None or two were given, or it cannot be used.
    """
    from sunbreak.catalogue.place import place_from_bbox, place_from_file

    if bbox is not None and file is None:
        return place_from_bbox(bbox)
    if file is not None and bbox is None:
        return place_from_file(file)
    raise InputError(
        "Give the area once: --bbox or --place.", "For example --bbox 7.10,43.60,7.25,43.70.", code="bad-option"
    )


def day_of(text: str) -> date:
    """A date, ``YYYY-MM-DD``.

    Raises:
        InputError: It is something else.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{text!r} is not a date.", "Give it as 2018-06-10.", code="bad-option") from None


def wish_of(
    bbox: str | None,
    place: Path | None,
    day: str,
    *,
    days: int = 30,
    max_cloud: float = 100.0,
    profile: str = DEFAULT_PROFILE,
    level: LevelChoice = LevelChoice.any,
    references: int = 2,
    limit: int = 400,
) -> Wish:
    """What is looked for.

    Raises:
        InputError: A value is wrong, or there is no such profile.
    """
    from sunbreak.catalogue.finding import Wish
    from sunbreak.catalogue.profile_files import find_profile

    return Wish(
        find_profile(profile), place_of(bbox, place), day_of(day), days,
        "" if level is LevelChoice.any else level.value, max_cloud, references, most=limit,
    )  # fmt: skip
