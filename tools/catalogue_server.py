"""Serves catalogues of Sentinel images on this machine, for tests, screenshots and trying out `sunbreak find`.

python tools/catalogue_server.py [--port PORT] [--folder DIR] [--data DIR] [--token-seconds S]

There are STAC APIs in the layouts of Planetary Computer, Earth Search and the Copernicus Data Space, and a static
catalogue. Their images are the demo scene, its two other dates and further dates made from them, in COGs that are written
when they are first asked for. The profile files for ``--profile`` go to the folder, and their paths are printed. With the
shared data (``timeseries``), the APIs also have a real place in Italy with 16 dates of 2018.

POST /control switches faults on, for example ``{"path": "B04", "fault": "429", "times": 2, "retry_after": 1}``; GET
/control shows what was asked and how many bytes were sent; DELETE /control clears both (``stac_server/faults.py``).
``{"token_seconds": 2}`` shortens the life of the next tokens.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT / "tests" / "backend" / "support"))


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="Serves catalogues of Sentinel images on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument(
        "--folder", type=Path, help="for files and profiles, used again by the next run; temporary if not given"
    )
    parser.add_argument("--data", type=Path, default=_ROOT / ".." / "shared" / "data", help="shared data, if there")
    parser.add_argument("--token-seconds", type=float, default=3600, help="how long tokens for files are valid")
    parser.add_argument("--json", action="store_true", help="print one line of JSON: url, bbox, date, bearer, profiles")
    options = parser.parse_args()

    from stac_server import CatalogueServer

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    data = options.data if (options.data / "timeseries").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="sunbreak-catalogue-") as temporary:
        folder = options.folder or Path(temporary)
        server = CatalogueServer(folder.absolute(), options.port, data)
        server.tokens.seconds = options.token_seconds
        with server:
            _announce(server, as_json=options.json)
            stopped.wait()


def _announce(server: object, *, as_json: bool) -> None:
    from stac_server import CatalogueServer

    assert isinstance(server, CatalogueServer)
    profiles = {name: str(path) for name, path in server.profiles.items()}
    if as_json:
        facts = {"url": server.url, "bbox": server.bbox, "date": server.date, "bearer": server.bearer}
        print(json.dumps({**facts, "profiles": profiles}), flush=True)
        return
    corners = ",".join(f"{number:.5f}" for number in server.bbox)
    print(f"serving  {server.url}")
    for name, path in profiles.items():
        print(f"profile  {path}  ({server.api(name)})")
    print(f"cdse     export SUNBREAK_CDSE_TOKEN={server.bearer}")
    print(f"try      sunbreak find --bbox {corners} --date {server.date} --profile {profiles['planetary-computer']}")
    print("Ctrl+C stops it.", flush=True)


if __name__ == "__main__":
    main()
