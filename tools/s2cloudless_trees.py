"""Writes resources/detectors/s2cloudless.npz: the trees of the installed package s2cloudless, and its licence.

python tools/s2cloudless_trees.py            write both files
python tools/s2cloudless_trees.py --check    compare with the installed package; exit status 1 if they differ

The package stores its classifier as text for LightGBM. The trees are the same, in a form that NumPy evaluates
(`backend/sunbreak/clouds/boosted_trees.py`): nodes in the order of their levels, thresholds rounded down to single
precision. Reflectances are single precision, so that a pixel takes the same way.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import zipfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "resources" / "detectors" / "s2cloudless.npz"
LICENCE = TARGET.with_name("LICENSE-s2cloudless.md")
MODEL = Path("models", "pixel_s2_cloud_detector_lightGBM_v0.1.txt")
NUMBERS = {"split_feature": int, "left_child": int, "right_child": int, "decision_type": int}
NUMBERS |= {"threshold": float, "leaf_value": float}
# what the evaluation relies on: one sum of trees that compare numbers, and a logistic function
EXPECTED = {"version=v2", "num_class=1", "num_tree_per_iteration=1", "objective=binary sigmoid:1"}
NUMERICAL, EPOCH = 2, (1980, 1, 1, 0, 0, 0)


def main() -> None:
    """Write or compare the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    package = find_spec("s2cloudless")
    if package is None or not package.submodule_search_locations:
        sys.exit("s2cloudless is not installed. Install it: pip install 's2cloudless>=1.7.2,<2'")
    contents = {TARGET: packed(Path(package.submodule_search_locations[0]) / MODEL), LICENCE: licence().encode()}
    if check:
        sys.exit(int(any(not path.is_file() or path.read_bytes() != new for path, new in contents.items())))
    TARGET.parent.mkdir(exist_ok=True)
    for path, new in contents.items():
        path.write_bytes(new)
        print(f"{path.relative_to(ROOT)}: {len(new):,} bytes")


def packed(model: Path) -> bytes:
    """The trees of a model file of LightGBM as an NPZ; the same file gives the same bytes."""
    text = model.read_text(encoding="utf-8")
    head, *trees = text.partition("\nend of trees")[0].split("\nTree=")
    if not EXPECTED.issubset(head.splitlines()):
        sys.exit(f"{model.name} is not a classifier of two classes: {sorted(EXPECTED.difference(head.splitlines()))}")
    ordered = [by_level(fields(tree)) for tree in trees]
    features = int(head.partition("max_feature_idx=")[2].split()[0]) + 1
    source = f"s2cloudless {metadata.version('s2cloudless')}, {model.name}, SHA-256 {digest(model)}, CC BY-SA 4.0"
    arrays = {
        "features": np.array(features),
        "sizes": np.array([len(feature) for feature, _, _ in ordered]),
        "feature": np.concatenate([feature for feature, _, _ in ordered]),
        "threshold": np.concatenate([threshold for _, threshold, _ in ordered]),
        "value": np.concatenate([value for _, _, value in ordered]),
        "source": np.array(source),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.save(member, values, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, member.getvalue())
    return file.getvalue()


def fields(tree: str) -> dict[str, np.ndarray]:
    """The arrays of one tree."""
    lines = dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)
    found = {name: np.array(lines[name].split(), kind) for name, kind in NUMBERS.items()}
    if lines["num_cat"] != "0" or set(found["decision_type"].tolist()) != {NUMERICAL}:
        sys.exit("A tree compares categories or treats missing values, which is not evaluated.")
    return found


def by_level(tree: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compared features (-1 for leaves), thresholds of inner nodes and values of leaves, in the order of the levels."""
    waiting, feature, threshold, value = [0], [], [], []
    for node in waiting:  # grows
        if node < 0:  # LightGBM counts leaves from -1 downward
            feature.append(-1)
            value.append(tree["leaf_value"][~node])
        else:
            feature.append(tree["split_feature"][node])
            threshold.append(tree["threshold"][node])
            waiting += [int(tree["left_child"][node]), int(tree["right_child"][node])]
    return np.array(feature, np.int8), rounded_down(np.array(threshold)), np.array(value)


def rounded_down(values: np.ndarray) -> np.ndarray:
    """The largest number of single precision that is not above each value."""
    near = values.astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def licence() -> str:
    """The notice that the licence asks for, and its text as the package has it."""
    files = metadata.files("s2cloudless") or []
    text = next(file for file in files if file.name == "LICENSE.md").read_text(encoding="utf-8")
    return f"""# Licence of s2cloudless.npz

`s2cloudless.npz` is the trained classifier of s2cloudless by Sinergise (<https://github.com/sentinel-hub/sentinel2-cloud-detector>),
licensed under the Creative Commons Attribution-ShareAlike 4.0 International Public License
(<https://creativecommons.org/licenses/by-sa/4.0/>), without warranties. The format was changed, and thresholds were rounded
down to single precision, which changes no result for reflectances in single precision. The licence applies to this file only.

Its text, as the package s2cloudless has it:

{text}"""


if __name__ == "__main__":
    main()
