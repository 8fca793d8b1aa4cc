"""Profiles of catalogues: which collections a catalogue has, what their assets hold, and which hosts may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Sensor = Literal["optical", "radar"]

OffsetRule = Literal["baseline", "item", "none"]
"""Where the offset of stored numbers is known from.

``baseline``: numbers are as the product has them, so the processing baseline tells. ``item``: the item says whether the
offset was applied, or states it for each band. ``none``: there is no offset.
"""


@dataclass(frozen=True)
class Collection:
    """A collection of a catalogue.

    Attributes:
        name: Its id.
        sensor: Sentinel-2 or Sentinel-1.
        bands: The keys of the asset that holds each band, by the band's canonical name (``B02``, ``SCL``, ``VV``).
            The first key that an item has counts.
        level: ``L1C`` or ``L2A``; empty for radar.
        picture: Asset with a true-colour picture (8 bits); empty if there is none.
        offset: See `OffsetRule`.
        quantity: What radar stores, as people read it.
        licence: Of the data.
        licence_url: Its text.
        attribution: What its users have to state; ``{year}`` stands for the year of acquisition.
    """

    name: str
    sensor: Sensor
    bands: Mapping[str, tuple[str, ...]]
    level: str = ""
    picture: str = ""
    offset: OffsetRule = "baseline"
    quantity: str = ""
    licence: str = ""
    licence_url: str = ""
    attribution: str = ""

    def attributed(self, year: int) -> str:
        """The attribution of an image of that year."""
        return self.attribution.replace("{year}", str(year))


@dataclass(frozen=True)
class Signing:
    """How addresses of files are signed.

    Attributes:
        kind: ``none``; ``sas``: a token of Azure storage for each container, from `token_url`; ``bearer``: an access
            token from an environment variable, sent in the header of each request to `hosts`.
        token_url: Address of the tokens.
        variable: Name of the environment variable.
        hosts: Hosts that get the bearer token, and no other.
    """

    kind: Literal["none", "sas", "bearer"] = "none"
    token_url: str = ""
    variable: str = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """A catalogue.

    Attributes:
        name: Its short name.
        title: Its name for people.
        api: Address of the landing page of a STAC API, or of the ``catalog.json`` of a static catalogue.
        hosts: Hosts that may be asked, see `sunbreak.sources.remote.access`.
        static: Whether it is a static catalogue, which has no search.
        collections: In the order of preference.
        signing: How addresses are signed.
        address: Where in an asset its address is: ``href``, or ``alternate.NAME``.
        terms: Address of its terms of use.
        radar_from: Profile whose radar is used, if it has none of its own.
    """

    name: str
    title: str
    api: str
    hosts: frozenset[str]
    collections: tuple[Collection, ...]
    static: bool = False
    signing: Signing = Signing()
    address: str = "href"
    terms: str = ""
    radar_from: Profile | None = None

    def optical(self, level: str = "") -> tuple[Collection, ...]:
        """The collections of Sentinel-2, all or those of a level."""
        return tuple(one for one in self.collections if one.sensor == "optical" and level in ("", one.level))

    def radar(self) -> tuple[Collection, ...]:
        """The collections of Sentinel-1."""
        return tuple(one for one in self.collections if one.sensor == "radar")
