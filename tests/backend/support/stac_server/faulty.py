"""Items with something wrong, one year before the others so that no usual search finds them.

They are copies of clear images of the same place with ids that end in what is wrong.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Any

from .store import Store

DAYS = {
    "missing-asset": "2020-06-05",  # B08 or nir is not there
    "wrong-checksum": "2020-06-10",  # of every file of 60 m
    "right-checksum": "2020-06-15",  # of every file of 60 m
    "other-host": "2020-06-20",  # localhost instead of 127.0.0.1: the server answers, but it is no host of the profile
    "local-file": "2020-06-25",  # file:///etc/hostname
    "missing-file": "2020-06-30",  # the server has no such file
}
"""What is wrong, and on which day."""

_NIR = ("B08", "B08_10m", "nir")
_SMALL = ("B01", "B09", "coastal", "nir09", "B01_60m", "B09_60m")


def items(source: Mapping[str, Any], store: Store, files: Mapping[str, str], origin: str) -> list[dict[str, Any]]:
    """One item for each fault.

    Args:
        source: An item without faults.
        store: Where its files are.
        files: Name in the store of each path.
        origin: Of the server.
    """
    made = []
    for fault, day in DAYS.items():
        item = copy.deepcopy(dict(source))
        item["id"] = f"{source['id'][:4]}{day.replace('-', '')}_{fault}"
        item["properties"]["datetime"] = f"{day}T10:20:31.024000Z"
        assets = item["assets"]
        nir = next(key for key in _NIR if key in assets)
        for key in [key for key in assets if key in _SMALL] if fault.endswith("checksum") else []:
            path = store.path(files[assets[key]["href"].removeprefix(origin)])
            right = store.multihash(path.name)
            wrong = "1220" + hashlib.sha256(b"another file").hexdigest()
            assets[key] |= {
                "file:checksum": right if fault.startswith("right") else wrong,
                "file:size": path.stat().st_size,
            }
        if fault == "missing-asset":
            del assets[nir]
        elif fault == "other-host":
            for asset in assets.values():
                asset["href"] = asset["href"].replace("127.0.0.1", "localhost")
        elif fault == "local-file":
            assets[nir]["href"] = "file:///etc/hostname"
        elif fault == "missing-file":
            assets[nir]["href"] += ".gone"
        made.append(item)
    return made
