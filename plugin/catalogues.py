"""The catalogues that the backend knows, and what a search can ask them for."""

from __future__ import annotations

from .compat import tr


def catalogues() -> dict[str, str]:
    """Name of a profile to the catalogue's title. Titles are names and not translated."""
    return {
        "planetary-computer": "Microsoft Planetary Computer",
        "earth-search": "Earth Search (AWS)",
        "cdse": "Copernicus Data Space",
    }


def levels() -> dict[str, str]:
    """Processing level to its text; an empty one leaves it to the catalogue."""
    return {"": tr("any"), "L2A": "L2A", "L1C": "L1C"}
