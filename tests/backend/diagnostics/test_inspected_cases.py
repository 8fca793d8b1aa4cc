"""Imitations of what other tools write: `inspect` names what is assumed of each, or refuses it as `clean` does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import sunbreak

from sunbreak.diagnostics.inspection import inspect_scene
from sunbreak.diagnostics.inspection_text import rows_of
from sunbreak.errors import SunbreakError
from sunbreak.scene import Scene

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / ".." / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")

# case, what is inspected (s2, s1, mask), and what must stand in the row of that key
NAMED: list[tuple[str, dict[str, Any], str, str]] = [
    ("01", {"s2": "s2.tif", "mask": "s2_OCM.tif"}, "mask", "OmniCloudMask"),
    ("04", {"s2": "s2.tif", "s1": "S1A_IW*.tif"}, "radar", "VH is the weaker one"),
    ("05", {"s2": "scene.tif"}, "bands", "by their number and their spectra"),
    ("06", {"s2": "S2A1C*.tif"}, "bands", "by their spectra"),
    ("07", {"s2": "s2_float.tif"}, "nodata", "pixels with 0 in all bands, which fill a connected part"),
    ("09", {"s2": "response.tiff"}, "nodata", "where band 14 of response.tiff is 0"),
    ("10", {"s2": "2020*_SR.tif"}, "mask", "(of the product): a scene classification (SCL)"),
    ("11", {"s2": "S2B_32UPU_20230610_0_L2A.tif"}, "offset", "offset 0 from the STAC item (offset applied)"),
    ("12", {"s2": "*.SAFE"}, "offset", "offset -1000 from the metadata of the product"),
    ("13", {"s2": "s2.tif", "s1": ["*VV_db.tif", "*VH_db.tif"]}, "radar", "0 in 50.0% of VV is taken as no data"),
    ("14", {"s2": "s2.tif", "s1": "s1_9999.tif"}, "radar", "-9999 in 50.0% of VV is taken as no data"),
    ("16", {"s2": "s2.tif", "mask": "QA60.tif"}, "mask", "QA60"),
    ("18", {"s2": "T32UPU"}, "nodata", "alone declare it"),
    ("19", {"s2": "l2a_8A_last.tif"}, "bands", "B8A (band 12)"),
    ("22", {"s2": "S2B*.tif"}, "nodata", "pixels that are 0 in any band but B10"),
]
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("16", {"s2": "s2.tif", "mask": "mask_1clear_2cloud.tif"}),
    ("19", {"s2": "stack.tif"}),
    ("24", {"s2": "s2.tif", "s1": "cdse_uint16.tif"}),
]


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Path]:
    """Make the files of a case, whose folder begins with these letters."""

    def make(start: str) -> Path:
        (folder,) = CASES.glob(f"{start}*")
        environment = {**os.environ, "DEMO": str(ROOT / "resources" / "demo"), "OUT": str(tmp_path)}
        subprocess.run([sys.executable, folder / "make.py"], env=environment, check=True, capture_output=True)
        return tmp_path

    return make


def found(folder: Path, pattern: str | list[str]) -> Any:
    """The one file of each pattern."""
    if isinstance(pattern, list):
        return [found(folder, one) for one in pattern]
    (path,) = folder.glob(pattern)
    return path


@pytest.mark.parametrize(("start", "files", "key", "words"), NAMED, ids=[one[0] for one in NAMED])
def test_what_is_assumed_of_a_case_is_named(case, start, files, key, words) -> None:
    folder = case(start)
    given = {name: found(folder, pattern) for name, pattern in files.items()}
    inspection = inspect_scene(Scene.open(**given))
    (row,) = (row for row in rows_of(inspection) if row.key == key)
    assert words in f"{row.found} {row.why}"
    one = inspection.sentinel2
    assert all((one.level_why, one.unit_why, one.offset_why, one.quantification_why, one.nodata_why))
    assert all(band.why for band in one.bands)


@pytest.mark.parametrize(("start", "files"), REFUSED, ids=[one[0] for one in REFUSED])
def test_what_clean_refuses_is_refused_with_the_same_line(case, start, files) -> None:
    folder = case(start)
    given = {name: found(folder, pattern) for name, pattern in files.items()}
    options = [part for name in ("s1", "mask") if name in given for part in (f"--{name}", given[name])]
    with pytest.raises(SunbreakError) as caught:
        Scene.open(**given)
    cleaned = sunbreak("clean", given["s2"], *options, "-o", folder / "out")
    seen = sunbreak("inspect", given["s2"], *options)
    assert (cleaned.returncode, seen.returncode) == (2, 2)
    assert seen.stderr == cleaned.stderr == f"{caught.value}\n"
