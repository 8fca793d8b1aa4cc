"""The command lines of `sunbreak find` and `sunbreak get`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Box = tuple[float, float, float, float]

_ANY_CLOUD = 100


@dataclass(frozen=True)
class Query:
    """What is searched for.

    Attributes:
        bbox: West, south, east and north in degrees (EPSG:4326).
        date: The wished date, ``YYYY-MM-DD``.
        days: Before and after it.
        cloud: Largest cloud cover in percent; 100 for any.
        level: ``L1C`` or ``L2A``; empty for what the catalogue has.
        profile: Name of a catalogue's profile, or path of a profile file.
    """

    bbox: Box
    date: str
    days: int
    cloud: int
    level: str
    profile: str

    def options(self) -> list[str]:
        """The options that both commands have."""
        options = [
            "--bbox=" + ",".join(f"{side:.6f}" for side in self.bbox),  # a west of -3 must not look like an option
            "--date",
            self.date,
            "--days",
            str(self.days),
            "--profile",
            self.profile,
        ]
        options += ["--max-cloud", str(self.cloud)] if self.cloud < _ANY_CLOUD else []
        return options + (["--level", self.level] if self.level else [])


@dataclass(frozen=True)
class Choice:
    """What is taken out of a result: ids of the catalogue.

    Attributes:
        scene: The scene.
        radar: Its radar, empty for none.
        others: The other dates.
        radar_of_others: Their radar.
    """

    scene: str
    radar: str
    others: tuple[str, ...] = ()
    radar_of_others: tuple[str, ...] = ()

    def options(self) -> list[str]:
        """The options of `get`. An empty part is "none": left out, the backend would propose something."""
        options = ["--scene", self.scene, "--radar", self.radar or "none"]
        for option, ids in (("--reference", self.others), ("--reference-radar", self.radar_of_others)):
            for one in ids or ("none",):
                options += [option, one]
        return options


def find_arguments(query: Query, *, thumbnails: Path | None = None, geojson: Path | None = None) -> list[str]:
    """The command line of a search; its result has the text ``found``."""
    arguments = ["find", *query.options(), "--json"]
    arguments += ["--thumbnails", str(thumbnails)] if thumbnails is not None else []
    return arguments + (["--geojson", str(geojson)] if geojson is not None else [])


def get_arguments(query: Query, folder: Path, choice: Choice | None = None, more: Sequence[str] = ()) -> list[str]:
    """The command line of a download into a folder; without a choice the backend takes what it proposes."""
    return ["get", *query.options(), *(choice.options() if choice is not None else []), *more, "-o", str(folder)]
