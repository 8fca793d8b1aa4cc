"""What `tools/fuzz.py` mutates: one whole, small input for each subject, and the command that reads it.

A subject has a folder of good files, the file that is mutated, how, and the arguments of `sunbreak`. In arguments
``{in}`` is the folder with the inputs, ``{out}`` the output folder, ``{models}`` the folder of the good models.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fuzz_mutations as change
import numpy as np

SIDE = 64
MODEL = "--model={models}/small.json"
CLEAN = ("--detector=s2cloudless", "--runtime=torch", "--device=cpu", "-o", "{out}")
#: Ends its own process behind the n-th line of the journal.
STOP = """
import os, signal, sys
from sunbreak.layers import journal
number = int(sys.argv.pop(1))
journal._SHARE = 1e9
whole, seen = journal.Journal._line, []
def line(self, content):
    whole(self, content)
    seen.append(1)
    if len(seen) == number:
        os.kill(os.getpid(), signal.SIGKILL)
journal.Journal._line = line
from sunbreak.__main__ import main
main()
"""


@dataclass(frozen=True)
class Subject:
    """One kind of input.

    Attributes:
        name: How `--only` names it.
        files: Patterns of the files that are mutated, relative to the folder; one of the found files is taken each time.
        how: The mutation.
        commands: Arguments of `sunbreak`, one of them is taken each time.
        status: Exit statuses that are no failure; 1 of a batch says that a scene failed, with its line.
    """

    name: str
    files: tuple[str, ...]
    how: change.Mutation
    commands: tuple[tuple[str, ...], ...]
    status: tuple[int, ...] = (0, 2)


CLEAN_BOTH = ("clean", "{in}/s2.tif", "--s1", "{in}/s1.tif", MODEL, *CLEAN)
SUBJECTS = (
    Subject(
        "s2", ("s2.tif",), change.mutate_tiff,
        (CLEAN_BOTH, ("clean", "{in}/good.tif", "--s1", "{in}/s1.tif", "--reference", "{in}/s2.tif", MODEL, *CLEAN)),
    ),
    Subject("s1", ("s1.tif",), change.mutate_tiff, (CLEAN_BOTH,)),
    Subject("mask", ("mask.tif",), change.mutate_tiff, ((*CLEAN_BOTH, "--mask", "{in}/mask.tif", "--detector=auto"),)),
    Subject(
        "inspect", ("s2.tif", "s1.tif", "mask.tif"), change.mutate_tiff,
        (("inspect", "{in}/s2.tif", "--s1", "{in}/s1.tif", "--mask", "{in}/mask.tif", "--json", "--picture",
          "{out}/seen.png"),),
    ),
    Subject(
        "fraction", ("x_reconstructed.tif",), change.mutate_tiff,
        (("classify", "{in}/x_cleaned.tif", "--model={models}/small-landcover.json", "--runtime=torch", "-o", "{out}"),),
    ),
    Subject(
        "card", ("small.json",), change.mutate_json,
        (("models", "verify", "{in}/small.json"), ("models", "show", "{in}/small.json"),
         ("clean", "{in}/s2.tif", "--s1", "{in}/s1.tif", "--model={in}/small.json", *CLEAN)),
    ),
    Subject(
        "landcover-card", ("small-landcover.json",), change.mutate_json,
        (("models", "verify", "{in}/small-landcover.json"),
         ("classify", "{in}/s2.tif", "--model={in}/small-landcover.json", "--runtime=torch", "-o", "{out}")),
    ),
    Subject(
        "safetensors", ("small.safetensors",), change.mutate_safetensors,
        (("models", "import", "{in}/small.safetensors", "--name=x", "--overwrite"),
         ("models", "verify", "{in}/small.json"),
         ("clean", "{in}/s2.tif", "--s1", "{in}/s1.tif", "--model={in}/small.json", *CLEAN)),
    ),
    Subject(
        "pth", ("model.pth", "old.pth", "resnet.pth"), change.mutate_zip,
        (("models", "import", "{file}", "--name=x", "--overwrite"),),
    ),
    Subject(
        "conf", ("conf.json",), change.mutate_json,
        (("models", "import", "{in}/model.pth", "--name=x", "--overwrite", "--config", "{in}/conf.json"),),
    ),
    Subject(
        "safe", ("S2*.SAFE/MTD_MSIL1C.xml",), change.mutate_xml,
        (("detect-clouds", "{safe}", "--detector=s2cloudless", "-o", "{out}"),),
    ),
    Subject(
        "jp2", ("S2*.SAFE/GRANULE/*/IMG_DATA/*_B0[2348].jp2",), change.mutate_bytes,
        (("detect-clouds", "{safe}", "--detector=s2cloudless", "-o", "{out}"),),
    ),
    Subject(
        "zip", ("product.zip",), change.mutate_zip,
        (("detect-clouds", "{file}", "--detector=s2cloudless", "-o", "{out}"),),
    ),
    Subject(
        "vrt", ("s2.vrt", "part.vrt"), change.mutate_xml,
        (("detect-clouds", "{file}", "--detector=s2cloudless", "-o", "{out}"), ("inspect", "{file}", "--json")),
    ),
    Subject(
        "table", ("scenes.csv",), change.mutate_bytes,
        (("batch", "{in}/scenes.csv", "--task=clean", MODEL, *CLEAN),), status=(0, 1, 2),
    ),
    Subject(
        "polygons", ("areas.geojson",), change.mutate_json,
        (("explain", "{in}/s2.tif", "--mask", "{in}/areas.geojson", "--model={models}/small-landcover.json",
          "-o", "{out}"),),
    ),
    # no patch is in that split, so that nothing is drawn
    Subject(
        "patches", ("patches.npz", "patches.parquet"), change.mutate_zip,
        (("study", "downstream", "--table", "{file}", "--split=none", "-o", "{out}"),),
    ),
    Subject("stac", ("s2.tif.stac.json",), change.mutate_json, (CLEAN_BOTH,)),
    Subject(
        "journal", ("out/.sunbreak-s2.tmp/journal/*", "out/.sunbreak-s2.tmp/*.raw"), change.mutate_zip,
        ((*CLEAN_BOTH, "--resume"),),
    ),
)  # fmt: skip


def prepare(root: Path) -> Path:
    """Make the good inputs of all subjects: one folder for each, and ``models``. Returns the folder of the models."""
    models = root / "models"
    write_models(models)
    for subject in SUBJECTS:
        # a journal names its inputs by absolute path and time, so the folder is made where the cases will be
        _fill(root / "case", subject, models)
        (root / "case").rename(root / subject.name)
    return models


def fit_checksum(folder: Path) -> None:
    """Write the checksum of the mutated weights into their card, so that they are read."""
    card = folder / "small.json"
    content = json.loads(card.read_text())
    found = hashlib.sha256((folder / "small.safetensors").read_bytes()).hexdigest()
    content["assets"]["weights"]["sunbreak:sha256"] = f"sha256:{found}"
    card.write_text(json.dumps(content))


def write_raster(path: Path, values: np.ndarray, bands: Sequence[str] = (), **options: object) -> Path:
    """A raster of `SIDE` pixels at 10 m in UTM 32N."""
    import rasterio
    from rasterio.transform import from_origin

    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff", "count": len(values), "height": values.shape[1], "width": values.shape[2],
        "dtype": values.dtype, "crs": "EPSG:32632", "transform": from_origin(500000, 5300000, 10, 10), **options,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values)
        for index, band in enumerate(bands, 1):
            target.set_band_description(index, band)
    return path


def _fill(folder: Path, subject: Subject, models: Path) -> None:
    from sunbreak.datasets.simulation import simulate_scene
    from sunbreak.scene import S2_BANDS

    folder.mkdir()
    made = simulate_scene((SIDE, SIDE), 4, cover=0.4)
    write_raster(folder / "s2.tif", made.cloudy, () if subject.name == "stac" else S2_BANDS, compress="deflate")
    write_raster(folder / "s1.tif", made.s1, ("VV", "VH"))
    if subject.name == "s2":
        write_raster(folder / "good.tif", made.cloudy, S2_BANDS)
    if subject.name in ("mask", "inspect"):
        write_raster(folder / "mask.tif", (np.indices((1, SIDE, SIDE))[2] // 16 % 2).astype("uint8"), nodata=255)
    if subject.name == "fraction":
        write_raster(folder / "x_cleaned.tif", made.clear, S2_BANDS)
        write_raster(folder / "x_reconstructed.tif", np.full((1, SIDE, SIDE), 5000, "uint16"), nodata=65535)
    if subject.name == "stac":
        bands = [{"name": band, "eo:center_wavelength": 0.5} for band in S2_BANDS]
        properties = {"datetime": "2021-06-01T10:00:00Z", "s2:processing_baseline": "03.00", "platform": "sentinel-2a"}
        assets = {"data": {"href": "./s2.tif", "eo:bands": bands}}
        item = {"type": "Feature", "stac_version": "1.0.0", "id": "s2", "properties": properties, "assets": assets}
        (folder / "s2.tif.stac.json").write_text(json.dumps(item))
    if subject.name in ("card", "safetensors", "landcover-card", "pth", "conf"):
        for path in models.iterdir():
            if path.name != "conf.json" or subject.name == "conf":
                shutil.copy(path, folder)
    if subject.name == "vrt":
        import rasterio.shutil

        rasterio.shutil.copy(folder / "s2.tif", folder / "s2.vrt", driver="VRT")
        plain = (folder / "s2.vrt").read_text()
        scaled = "<NODATA>0</NODATA><ScaleOffset>0</ScaleOffset><ScaleRatio>1</ScaleRatio></ComplexSource>"
        complex_ones = plain.replace("<SimpleSource>", "<ComplexSource>").replace("</SimpleSource>", scaled)
        (folder / "part.vrt").write_text(complex_ones)
    if subject.name == "table":
        (folder / "scenes.csv").write_text("s2,s1,mask,name\ns2.tif,s1.tif,,one\nnone.tif,s1.tif,,two\n")
    if subject.name == "patches":
        _write_patches(folder)
    if subject.name == "polygons":
        corners = [[500000, 5299400], [500600, 5299400], [500600, 5299900], [500000, 5299900], [500000, 5299400]]
        crs = {"type": "name", "properties": {"name": "EPSG:32632"}}
        shape = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [corners]}}
        areas = {"type": "FeatureCollection", "crs": crs, "features": [shape]}
        (folder / "areas.geojson").write_text(json.dumps(areas))
    if subject.name in ("safe", "jp2", "zip"):
        _write_safe(folder, made.cloudy)
    if subject.name == "journal":
        arguments = [text.format_map({"in": folder, "out": folder / "out", "models": models}) for text in CLEAN_BOTH]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([sys.executable, "-c", STOP, "3", *arguments], env=environment, capture_output=True, check=False)
        if not list(folder.glob("out/.sunbreak-s2.tmp/journal/*.npz")):
            sys.exit("the run that was to be left unfinished left no journal")


def _write_patches(folder: Path) -> None:
    from sunbreak.studies.downstream.table import make_table
    from sunbreak.studies.downstream.table_files import write_table

    rng = np.random.default_rng(2)
    columns = {
        "patch": [f"p{number}" for number in range(30)], "split": ["test"] * 30, "label": rng.integers(0, 10, 30),
        "cover": rng.random(30), **{f"logits_{name}": rng.normal(size=(30, 10)) for name in ("clear", "cloudy")},
    }  # fmt: skip
    for ending in ("npz", "parquet"):
        write_table(make_table(columns), folder / f"patches.{ending}")


def write_models(folder: Path) -> None:
    """The tiny models ``small`` and ``small-landcover``, and foreign checkpoints of them."""
    import torch

    from sunbreak.models.importing import save_classifier, save_uncrtaints
    from sunbreak.models.legends import SEN12MS_10, SIMPLIFIED_IGBP, TEN_BANDS
    from sunbreak.models.resnet import ResNet
    from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig

    torch.manual_seed(3)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).eval()
    facts = {"description": "Random weights.", "licence": "GPL-2.0-or-later", "calibrated_on": "nothing", "tile": 64}
    save_uncrtaints(module, "small", folder, title="Small", overlap=16, temperature=(1.0,) * 13, **facts)
    classifier = ResNet(18, 10, 10, width=8).eval()
    save_classifier(
        classifier, "small-landcover", folder, title="Small", bands=TEN_BANDS, standardisation=SEN12MS_10,
        classes=SIMPLIFIED_IGBP, depth=18, temperature=(1.5,), **facts,
    )  # fmt: skip
    state = {"state_dict_G": module.network.state_dict(), "epoch": 3}
    torch.save(state, folder / "model.pth")
    torch.save(state, folder / "old.pth", _use_new_zipfile_serialization=False)
    torch.save({"model_state_dict": classifier.state_dict()}, folder / "resnet.pth")
    conf = {"encoder_widths": [16], "decoder_widths": [16], "out_conv": [26], "use_sar": True, "input_t": 1}
    (folder / "conf.json").write_text(json.dumps(conf))


def _write_safe(folder: Path, dn: np.ndarray) -> None:
    from sunbreak.scene import S2_BANDS

    name = "S2A_MSIL1C_20200601T101031_N0300_R022_T32UPU_20200601T120000"
    granule = "GRANULE/L1C_T32UPU_A025819_20200601T101031/IMG_DATA/T32UPU_20200601T101031_"
    product = folder / f"{name}.SAFE"
    for values, band in zip(dn, S2_BANDS, strict=True):
        lossless = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
        write_raster(product / f"{granule}{band}.jp2", values[None], **lossless)
    images = "".join(f"<IMAGE_FILE>{granule}{band}</IMAGE_FILE>" for band in S2_BANDS)
    (product / "MTD_MSIL1C.xml").write_text(
        f"<n1:Level-1C_User_Product><Product_Info><PRODUCT_START_TIME>2020-06-01T10:10:31.000Z</PRODUCT_START_TIME>"
        f"<PRODUCT_URI>{name}.SAFE</PRODUCT_URI><PROCESSING_BASELINE>03.00</PROCESSING_BASELINE>"
        f"<Granule_List>{images}</Granule_List><QUANTIFICATION_VALUE unit='none'>10000</QUANTIFICATION_VALUE>"
        f"</Product_Info></n1:Level-1C_User_Product>"
    )
    with zipfile.ZipFile(folder / "product.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(product.rglob("*")):
            archive.write(file, file.relative_to(folder))
