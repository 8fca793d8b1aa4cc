"""A static catalogue: ``catalog.json`` with links to collections, items and files, all relative, and no search."""

from __future__ import annotations

from typing import Any

from . import planetary
from .dates import OPTICAL, RADAR
from .store import Store

ROOT = "/static"
_NEEDS = ("static", "files")


def documents(store: Store, files: dict[str, str], origin: str) -> dict[str, dict[str, Any]]:
    """The JSON documents by path; see `planetary.items` for the arguments."""
    by_collection: dict[str, list[dict[str, Any]]] = {"sentinel-2-l2a": [], "sentinel-1-rtc": []}
    for date in OPTICAL:
        for tile in date.tiles:
            baseline = date.again or date.baseline
            by_collection["sentinel-2-l2a"].append(
                planetary.optical(date, tile, baseline, store, files, origin, needs=_NEEDS)
            )
    for radar in RADAR:
        by_collection["sentinel-1-rtc"].append(planetary.terrain_corrected(radar, store, files, origin, needs=_NEEDS))
    made: dict[str, dict[str, Any]] = {
        f"{ROOT}/catalog.json": {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "static",
            "description": "A static catalogue for tests.",
            "links": [_link("root", "./catalog.json"), _link("self", f"{origin}{ROOT}/catalog.json")]
            + [_link("child", f"./{name}/collection.json") for name in by_collection],
        }
    }
    for collection in planetary.collections():
        name = collection["id"]
        if name not in by_collection:
            continue
        collection["links"] = [_link("root", "../catalog.json"), _link("parent", "../catalog.json")]
        for item in by_collection[name]:
            collection["links"].append(_link("item", f"./{item['id']}.json"))
            item["links"] = [
                _link("root", "../catalog.json"), _link("parent", "./collection.json"),
                _link("collection", "./collection.json"),
            ]  # fmt: skip
            for asset in item["assets"].values():
                asset["href"] = asset["href"].replace(f"{origin}{ROOT}/", "../")
            made[f"{ROOT}/{name}/{item['id']}.json"] = item
        made[f"{ROOT}/{name}/collection.json"] = collection
    return made


def _link(relation: str, href: str) -> dict[str, str]:
    return {"rel": relation, "href": href, "type": "application/json"}
