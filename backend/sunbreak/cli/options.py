"""Options that several commands share, declared once."""

from __future__ import annotations

import math
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import typer

from sunbreak import defaults
from sunbreak.errors import InputError

THRESHOLD, CONFIDENT, RECONSTRUCTED = defaults.CLOUD_THRESHOLD, defaults.CONFIDENT, defaults.RECONSTRUCTED
DETECTOR, REPLACE = defaults.CLOUD_DETECTOR, ",".join(defaults.REPLACE)

SCENE, DATES, CLOUDS, RUN, OUTPUT = "Scene", "Other dates", "Clouds", "Network", "Output"


class Device(str, Enum):
    """Device of the network."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


class RuntimeChoice(str, Enum):
    """Inference runtime of the network."""

    auto = "auto"
    torch = "torch"
    openvino = "openvino"


class Precision(str, Enum):
    """Precision of the network for cloud removal."""

    exact = "exact"
    fast = "fast"


class S2Unit(str, Enum):
    """Unit of the stored Sentinel-2 numbers."""

    auto = "auto"
    dn = "dn"
    reflectance = "reflectance"


class S1Unit(str, Enum):
    """Unit of the stored Sentinel-1 numbers."""

    auto = "auto"
    db = "db"
    linear = "linear"
    amplitude = "amplitude"


class Method(str, Enum):
    """How a prediction is explained."""

    auto = "auto"
    gradcam = "gradcam"
    hirescam = "hirescam"
    integrated_gradients = "integrated-gradients"


class MaskCoding(str, Enum):
    """Coding of the given cloud mask."""

    auto = "auto"
    binary = "binary"
    probability = "probability"
    percent = "percent"
    probability_255 = "probability-255"
    scl = "scl"
    qa60 = "qa60"
    msk_classi = "msk-classi"
    fmask = "fmask"
    fmask4 = "fmask4"
    hls = "hls"
    omnicloudmask = "omnicloudmask"
    cloudscore = "cloudscore"


S2 = Annotated[
    list[Path],
    typer.Argument(
        help="Sentinel-2: a multi-band GeoTIFF, a .SAFE folder or its zip, a folder of bands, or several files; or a "
        "folder of sunbreak get."
    ),
]
S2OrFind = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Sentinel-2: a multi-band GeoTIFF, a .SAFE folder or its zip, a folder of bands, or several files; or a "
        "folder of sunbreak get. Nothing with --find."
    ),
]
S1 = Annotated[
    list[Path] | None,
    typer.Option("--s1", help="Sentinel-1 of the same place, VV and VH; twice for two files.", rich_help_panel=SCENE),
]
Reference = Annotated[
    list[Path] | None,
    typer.Option(
        "--reference",
        help="Another date of the same place, as S2; repeat it for several dates.",
        rich_help_panel=DATES,
    ),
]
References = Annotated[
    Path | None,
    typer.Option(
        "--references",
        help="Folder with other dates of the same place; what is no usable acquisition is left out.",
        rich_help_panel=DATES,
    ),
]
ReferenceS1 = Annotated[
    list[Path] | None,
    typer.Option(
        "--reference-s1",
        help="Sentinel-1 of another date, matched by date or in the order of --reference; repeatable.",
        rich_help_panel=DATES,
    ),
]
OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder for the layers; created if missing.")]
Mask = Annotated[
    Path | None,
    typer.Option(
        "--mask",
        help="Cloud mask to use instead of detecting clouds.",
        rich_help_panel=CLOUDS,
    ),
]
MaskCodingOption = Annotated[
    MaskCoding,
    typer.Option("--mask-coding", help="What the values of the mask stand for.", rich_help_panel=CLOUDS),
]
ExactClouds = Annotated[
    bool,
    typer.Option("--exact", help="Run s2cloudless at 10 m instead of 30 m: 8 times slower.", rich_help_panel=CLOUDS),
]
ExactCloudsOfClean = Annotated[
    bool,
    typer.Option("--exact-clouds", help="Run s2cloudless at 10 m: 8 times slower.", rich_help_panel=CLOUDS),
]
Detector = Annotated[
    str,
    typer.Option(
        "--detector",
        help="What detects clouds: auto (the best for the scene's level), ukis, s2cloudless (Level-1C), scl (the "
        "product's own classification), none (only --mask), or one of another package.",
        rich_help_panel=CLOUDS,
    ),
]
Replace = Annotated[
    str,
    typer.Option(
        "--replace",
        help="What is replaced, with commas: clouds (thick ones), thin, shadows.",
        rich_help_panel=CLOUDS,
    ),
]
Buffer = Annotated[
    int | None,
    typer.Option(
        "--buffer",
        help=f"Dilate the cloud mask by this many pixels first; {defaults.BUFFER}, or 0 with --mask.",
        rich_help_panel=CLOUDS,
    ),
]
BufferThin = Annotated[
    int | None,
    typer.Option("--buffer-thin", help="The same for thin clouds; --buffer if not given.", rich_help_panel=CLOUDS),
]
BufferShadow = Annotated[
    int | None,
    typer.Option("--buffer-shadow", help="The same for shadows; --buffer if not given.", rich_help_panel=CLOUDS),
]
Feather = Annotated[
    int | None,
    typer.Option(
        "--feather",
        help=f"Width of the blended cloud edge in pixels; {defaults.FEATHER}, or --buffer if less.",
        rich_help_panel=OUTPUT,
    ),
]
Removal = Annotated[
    str | None,
    typer.Option("--model", help="Model name (`sunbreak models list`) or path of a card.", rich_help_panel=RUN),
]
Classifier = Annotated[
    str | None,
    typer.Option("--model", help="Classifier: name (`sunbreak models list`) or path of a card.", rich_help_panel=RUN),
]
ClassifierOfChain = Annotated[
    str | None, typer.Option("--classifier", help="Classifier: name or path of a card.", rich_help_panel=RUN)
]
Stride = Annotated[
    int | None,
    typer.Option(
        "--stride",
        help="Pixels from one patch to the next; a quarter of a patch if not given. Not for classifiers of pixels.",
        rich_help_panel=RUN,
    ),
]
Probabilities = Annotated[
    bool,
    typer.Option(
        "--probabilities",
        help="Write the probabilities of all classes of each pixel too; classifiers of patches always write theirs.",
        rich_help_panel=OUTPUT,
    ),
]
SaliencyStride = Annotated[
    int | None,
    typer.Option(
        "--stride", help="Pixels from one patch to the next; an eighth of a patch if not given.", rich_help_panel=RUN
    ),
]
ExplainedClass = Annotated[
    str,
    typer.Option(
        "--class", help="Class to explain: its name, or predicted (of each patch or pixel).", rich_help_panel=RUN
    ),
]
ExplainedOfChain = Annotated[
    str,
    typer.Option(
        "--class", help="Class to explain: its name, predicted (of each patch or pixel), or none.", rich_help_panel=RUN
    ),
]
Confident = Annotated[
    float,
    typer.Option("--confident", help="Lowest probability of a class that counts as confident.", rich_help_panel=OUTPUT),
]
ReconstructedAbove = Annotated[
    float,
    typer.Option(
        "--reconstructed",
        help="Reconstructed fraction above which a cell counts as reconstructed.",
        rich_help_panel=OUTPUT,
    ),
]
MethodOption = Annotated[
    Method,
    typer.Option(
        "--method",
        help="Explanation method. auto: gradcam if the classifier gives a class to a patch, integrated-gradients if it "
        "gives one to each pixel.",
        rich_help_panel=RUN,
    ),
]
Block = Annotated[
    str,
    typer.Option(
        "--block",
        help="Block of the network, for gradcam and hirescam: layer1 (fine) to layer4 (coarse).",
        rich_help_panel=RUN,
    ),
]
Threshold = Annotated[
    float,
    typer.Option(
        "--threshold", help="Probability of s2cloudless above which a pixel is cloud.", rich_help_panel=CLOUDS
    ),
]
Window = Annotated[
    tuple[int, int, int, int] | None,
    typer.Option(
        "--window",
        help="Process only this part: column, row, width, height in pixels.",
        rich_help_panel=SCENE,
        metavar="C R W H",
    ),
]
Bbox = Annotated[
    tuple[float, float, float, float] | None,
    typer.Option(
        "--bbox",
        help="Process only this part: left, bottom, right, top in the scene's CRS.",
        rich_help_panel=SCENE,
        metavar="L B R T",
    ),
]
S2UnitOption = Annotated[S2Unit, typer.Option("--s2-unit", help="Unit of the stored numbers.", rich_help_panel=SCENE)]
S2Offset = Annotated[
    str,
    typer.Option(
        "--s2-offset",
        help="Added to stored numbers: auto, 0, or -1000 (processing baseline 4 on).",
        rich_help_panel=SCENE,
    ),
]
S2Nodata = Annotated[
    str,
    typer.Option(
        "--s2-nodata",
        help="Stored number of pixels without data: auto, none, or a number such as 0 or -9999.",
        rich_help_panel=SCENE,
    ),
]
S2Scale = Annotated[
    float | None,
    typer.Option(
        "--s2-scale",
        help="Reflectance of one stored number, if the file does not say: 0.0001 for DN, 0.01 for percent.",
        rich_help_panel=SCENE,
    ),
]
S1UnitOption = Annotated[S1Unit, typer.Option("--s1-unit", help="Unit of the stored numbers.", rich_help_panel=SCENE)]
S2Bands = Annotated[
    str | None,
    typer.Option(
        "--s2-bands",
        help="Names of the bands in the file's order, such as B01,B02,...; - for a band to leave out.",
        rich_help_panel=SCENE,
    ),
]
DeviceOption = Annotated[Device, typer.Option("--device", help="Device of the network.", rich_help_panel=RUN)]
RuntimeOption = Annotated[RuntimeChoice, typer.Option("--runtime", help="Inference runtime.", rich_help_panel=RUN)]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        "--precision",
        help="fast: remove clouds in bfloat16 where the processor can; the model's card says the error.",
        rich_help_panel=RUN,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing layers.", rich_help_panel=OUTPUT)]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Resume a killed run of the same command.", rich_help_panel=OUTPUT),
]
Events = Annotated[
    bool,
    typer.Option("--events", help="Write one JSON object per line for another program.", rich_help_panel=OUTPUT),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=OUTPUT)]


def offset(text: str) -> float | Literal["auto"]:
    """The value of `--s2-offset`.

    Raises:
        InputError: It is neither ``auto`` nor a finite number.
    """
    if text == "auto":
        return "auto"
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"--s2-offset is {text!r}.", "Give auto or a number such as -1000.", code="bad-option")
    return number


def nodata(text: str) -> float | Literal["auto", "none"]:
    """The value of `--s2-nodata`.

    Raises:
        InputError: It is neither ``auto``, ``none`` nor a number.
    """
    if text == "auto":
        return "auto"
    if text == "none":
        return "none"
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"--s2-nodata is {text!r}.", "Give auto, none or a number such as -9999.", code="bad-option"
        ) from None


def words(text: str) -> tuple[str, ...]:
    """The value of `--replace` as words."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def band_names(text: str | None) -> list[str] | None:
    """The value of `--s2-bands` as a list."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
