"""Searches the collections of a catalogue: a STAC API by its search, a static catalogue by reading its items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from urllib.parse import urljoin

from sunbreak.catalogue.connection import Catalogue
from sunbreak.catalogue.items import CatalogueItem, read_item
from sunbreak.catalogue.place import Place
from sunbreak.catalogue.profiles import Collection
from sunbreak.errors import InputError, RunError
from sunbreak.events import Reporter
from sunbreak.sources.remote import failures

_PAGE = 100
_MOST_FILES = 5000  # of a static catalogue
_DEEPEST = 8


@dataclass(frozen=True)
class Query:
    """What is searched for.

    Attributes:
        place: Where.
        first: First day.
        last: Last day.
        most: Largest number of items of a collection.
    """

    place: Place
    first: date
    last: date
    most: int = 400


@dataclass
class Answer:
    """What a collection holds.

    Attributes:
        items: Items that can be used.
        reasons: Why others cannot.
        cut: Whether there are more than were asked for.
    """

    items: list[CatalogueItem] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    cut: bool = False


def search(catalogue: Catalogue, collections: Sequence[Collection], query: Query, reporter: Reporter) -> Answer:
    """The items of some collections that lie at a place and in a range of days.

    Raises:
        InputError: The packages for it are missing (``no-catalogue``), or a host may not be asked.
        RunError: The catalogue cannot be asked, or its answer is no STAC.
    """
    answer = Answer()
    if not collections:
        return answer
    found = _walk if catalogue.profile.static else _ask
    seen = dict.fromkeys((one.name for one in collections), 0)
    by_name = {one.name: one for one in collections}
    for content in found(catalogue, collections, query):
        reporter.checkpoint()
        collection = by_name.get(str(content.get("collection")))
        if collection is None:
            continue
        seen[collection.name] += 1
        if seen[collection.name] > query.most:
            answer.cut = True
            continue
        item = read_item(content, collection, catalogue.profile)
        if isinstance(item, str):
            answer.reasons.append(item)
        elif _wanted(item, query):
            answer.items.append(item)
    return answer


def _wanted(item: CatalogueItem, query: Query) -> bool:
    return query.first <= item.acquired.date() <= query.last and item.footprint.intersects(query.place.geometry)


def _ask(catalogue: Catalogue, collections: Sequence[Collection], query: Query) -> Iterator[Mapping[str, Any]]:
    try:
        from pystac_client import Client
        from pystac_client.exceptions import APIError
        from pystac_client.stac_api_io import StacApiIO
    except ImportError:
        raise InputError(
            "Catalogues need further packages.", "pip install 'sunbreak[catalogue]'", code="no-catalogue"
        ) from None

    class Asking(StacApiIO):
        """Reads through the client of the catalogue, which knows the hosts, limits and retries."""

        def request(
            self,
            href: str,
            method: str | None = None,
            headers: dict[str, str] | None = None,
            parameters: dict[str, Any] | None = None,
        ) -> str:
            body = method is not None and method.upper() == "POST"
            answer = catalogue.client.session.request(
                (method or "GET").upper(),
                href,
                headers=headers,
                params=None if body else parameters,
                json=parameters if body else None,
            )
            if answer.status_code >= 400:
                raise failures.of_status(answer.status_code, href)
            return answer.text

    profile = catalogue.profile
    try:
        client = Client.open(profile.api, stac_io=Asking(max_retries=None))
        for collection in collections:
            result = client.search(
                collections=[collection.name], bbox=list(query.place.bounds), datetime=_range(query),
                max_items=query.most + 1, limit=min(_PAGE, query.most + 1),
            )  # fmt: skip
            for content in result.items_as_dicts():
                yield _with_addresses({"collection": collection.name, **content}, profile.api)
    except (APIError, NotImplementedError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split()).partition("?")[0][:160]
        raise RunError(
            f"{profile.title}: the answer of {profile.api} is no STAC API ({reason}).",
            "Try again later, or choose another catalogue with --profile.",
            code="bad-catalogue",
        ) from error


def _range(query: Query) -> str:
    first = datetime.combine(query.first, time(), timezone.utc)
    last = datetime.combine(query.last + timedelta(days=1), time(), timezone.utc) - timedelta(seconds=1)
    return f"{first:%Y-%m-%dT%H:%M:%SZ}/{last:%Y-%m-%dT%H:%M:%SZ}"


def _walk(catalogue: Catalogue, collections: Sequence[Collection], query: Query) -> Iterator[Mapping[str, Any]]:
    """The items of a static catalogue, by its links. Addresses on other hosts are refused as everywhere."""
    wanted = {one.name for one in collections}
    waiting: list[tuple[str, int]] = [(catalogue.profile.api, 0)]
    seen: set[str] = set()
    while waiting:
        url, depth = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        if len(seen) > _MOST_FILES:
            raise RunError(
                f"{catalogue.profile.title} has more than {_MOST_FILES} files.",
                "Use a STAC API, or the address of a part of the catalogue.",
                code="bad-catalogue",
            )
        content = catalogue.client.get_json(url)
        kind = content.get("type") if isinstance(content, dict) else None
        if not isinstance(content, dict) or kind not in ("Catalog", "Collection", "Feature"):
            raise RunError(
                f"{url} is no STAC catalogue, collection or item.",
                "Check the address in the profile.",
                code="bad-catalogue",
            )
        if kind == "Feature":
            yield _with_addresses(content, url)
            continue
        if (kind == "Collection" and content.get("id") not in wanted) or depth >= _DEEPEST:
            continue
        links = content.get("links")
        waiting += [
            (urljoin(url, link["href"]), depth + 1)
            for link in (links if isinstance(links, list) else [])
            if isinstance(link, dict) and link.get("rel") in ("child", "item") and isinstance(link.get("href"), str)
        ]


def _with_addresses(content: Mapping[str, Any], base: str) -> Mapping[str, Any]:
    """The item with absolute addresses of its assets."""
    links = content.get("links")
    own = [
        link.get("href")
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict) and link.get("rel") == "self" and isinstance(link.get("href"), str)
    ]
    base = urljoin(base, own[0]) if own else base
    assets = content.get("assets")
    if not isinstance(assets, dict):
        return content
    absolute = {
        key: {**asset, "href": urljoin(base, asset["href"])}
        for key, asset in assets.items()
        if isinstance(asset, dict) and isinstance(asset.get("href"), str)
    }
    return {**content, "assets": {**assets, **absolute}}
