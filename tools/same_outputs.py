"""Compares two folders of layers byte by byte, which shows that a change left what is written as it was.

python tools/same_outputs.py BEFORE AFTER

In STAC items the time at which they were made is left out. Exit status 1 if anything differs or is missing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TIMES = ("created", "end_datetime")  # a scene of unknown date ends when its item is made


def content(path: Path) -> object:
    """What is compared: bytes, or a STAC item without its times."""
    if not path.name.endswith(".stac.json"):
        return path.read_bytes()
    return without_times(json.loads(path.read_text(encoding="utf-8")))


def without_times(value: Any) -> Any:
    """A JSON value without the keys of `TIMES`, at any depth."""
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if key not in TIMES}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def main() -> None:
    """Compare and tell."""
    before, after = (Path(argument) for argument in sys.argv[1:3])
    names = [{str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} for root in (before, after)]
    differing = [f"only in one: {name}" for name in sorted(names[0] ^ names[1])]
    common = sorted(names[0] & names[1])
    differing += [f"differs: {name}" for name in common if content(before / name) != content(after / name)]
    print("\n".join([*differing, f"{len(common)} files compared, {len(differing)} differences"]))
    raise SystemExit(1 if differing else 0)


if __name__ == "__main__":
    main()
