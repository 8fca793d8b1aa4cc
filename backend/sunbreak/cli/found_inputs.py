"""Sentinel-2 of a job as it is given, or found in a catalogue and fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak.cli.catalogue_options import wish_of
from sunbreak.cli.get import fetch
from sunbreak.errors import InputError
from sunbreak.outputs import check_folder

if TYPE_CHECKING:
    from sunbreak.events import Reporter


def scene_or_fetched(
    s2: list[Path] | None, find: tuple[str, str] | None, profile: str, output: Path, reporter: Reporter
) -> list[Path]:
    """Sentinel-2 as it is given, or the folder that it is fetched into: ``inputs`` in the folder for the layers.

    Raises:
        SunbreakError: Both or none are given, or it cannot be found or fetched.
    """
    if (find is None) != bool(s2):
        raise InputError(
            "Give Sentinel-2 or --find, and not both.", "For example: sunbreak clean S2.tif -o out.", code="bad-option"
        )
    if find is None:
        return list(s2 or ())
    check_folder(output)
    return [fetch(wish_of(find[0], None, find[1], profile=profile), output / "inputs", reporter).path]
