"""What the values of a mask file stand for: the known codings, one row each.

A new coding is a row of `CODINGS`. `sunbreak.scene.mask_recognition` decides which row a file has, and
`sunbreak.clouds.given_masks` turns the words of the table into class codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Meaning = Literal["clear", "thick cloud", "thin cloud", "shadow", "no data"]
CodingOption = Literal[
    "auto", "binary", "probability", "percent", "probability-255", "scl", "qa60", "msk-classi", "fmask", "fmask4",
    "hls", "omnicloudmask", "cloudscore",
]  # fmt: skip
#: What `--mask-coding` takes.
OPTIONS: tuple[str, ...] = get_args(CodingOption)

# of a cloud; the probability of snow or of clear sky is another quantity
_PROBABILITY = r"^(?!.*(?:snow|clear)).*(?:prob|s2cloudless)"
_CLP = r"(?<![a-z0-9])clp(?![a-z])"
_PERCENTAGE = r"^(?!.*(?:snow|clear)).*cloud.*(?:percent|pct)"


@dataclass(frozen=True)
class MaskCoding:
    """What the values of a mask stand for: classes (`values`) or a quantity from 0 to `largest`.

    Attributes:
        name: Its name.
        title: What the user is told that the file is.
        values: All stored values that a file of this coding can have, and what they stand for; empty for a quantity.
        largest: Largest value of a quantity: 1, 100 or 255; 0 for classes.
        cloud_from: Value of a quantity from which on a pixel is thick cloud.
        clear_from: Value of a quantity below which a pixel is thick cloud.
        names: Regular expressions that a telling name of a band or file matches, the preferred ones first.
        several: (count, value): a file without a telling name certainly has this coding if its values fit and so many
            different ones are above that value. None: if its values fit no other coding.
        layer: Our own layer of this coding: its band is called so, and the name of its file ends so, or
            the file says so in a tag.
        planes: The coding is spread over bands of zero and not zero, and these words are in their names. `values` are
            the sums of 1, 2, 4, ... for each of them.
        foreign: Nodata values that a file of this coding never declares.
        variant_of: The option that chooses this coding, if it is not `name`.
        only_named: Its numbers may well mean something else: a file must be called after it, or the user chooses it.
        rival: Name of another coding with the same name in which 0 is clear. It is in doubt where a file has zeros that
            it does not declare as nodata.
    """

    name: str
    title: str
    values: tuple[tuple[int, Meaning], ...] = ()
    largest: float = 0.0
    cloud_from: float | None = None
    clear_from: float | None = None
    names: tuple[str, ...] = ()
    several: tuple[int, int] | None = None
    layer: str = ""
    planes: tuple[str, ...] = ()
    foreign: tuple[int, ...] = ()
    variant_of: str = ""
    only_named: bool = False
    rival: str = ""

    @property
    def option(self) -> str:
        """The value of ``--mask-coding`` that chooses it."""
        return self.variant_of or self.name

    def rank(self, name: str) -> int | None:
        """How telling a name of a band or file is: 0 is the most telling, None says nothing."""
        found = (i for i, pattern in enumerate(self.names) if re.search(pattern, name, re.IGNORECASE))
        return next(found, None)

    def meaning(self, number: float) -> str:
        """What one number stands for; of a quantity, after scale and offset."""
        if self.largest:
            return "thick cloud" if bool(self.cloudy(number)) else "clear"
        return dict(self.values).get(int(number), "clear")

    def cloudy(self, numbers: Any) -> Any:
        """Whether numbers of a quantity, after scale and offset, are cloud: True or False for each."""
        return numbers >= self.cloud_from if self.clear_from is None else numbers < self.clear_from


#: Sen2Cor.
SCL = MaskCoding(
    "scl",
    "a scene classification (SCL): 3, 8, 9 and 10 are cloud or shadow",
    (
        (0, "no data"), (1, "clear"), (2, "clear"), (3, "shadow"), (4, "clear"), (5, "clear"), (6, "clear"),
        (7, "clear"), (8, "thick cloud"), (9, "thick cloud"), (10, "thin cloud"), (11, "clear"),
    ),
    # not the tiles that are called so, such as 33SCL
    names=(r"(?<![a-z0-9])scl(?![a-z])", r"scene[ _]?classif"),
    several=(2, 7),
)  # fmt: skip
#: CloudSEN12 (Aybar et al. 2022) and OmniCloudMask (Wright et al. 2025).
OMNICLOUDMASK = MaskCoding(
    "omnicloudmask",
    "a mask of OmniCloudMask or CloudSEN12: 1 thick cloud, 2 thin cloud, 3 shadow",
    ((0, "clear"), (1, "thick cloud"), (2, "thin cloud"), (3, "shadow"), (255, "no data")),
    names=(r"omni_?cloud_?mask", r"(?<![a-z0-9])ocm(?![a-z])", r"cloudsen_?12"),
)
LAYER = MaskCoding(
    "cloud-mask",
    "a cloud mask of Sunbreak: 1 thick cloud, 2 thin cloud, 3 shadow",
    OMNICLOUDMASK.values,
    layer="cloud_mask",
    variant_of="omnicloudmask",
)
#: Fmask 3 and python-fmask.
FMASK = MaskCoding(
    "fmask",
    "a mask of Fmask 3 or python-fmask: 2 cloud, 3 shadow",
    ((0, "no data"), (1, "clear"), (2, "thick cloud"), (3, "shadow"), (4, "clear"), (5, "clear")),
    names=(r"^(?!.*hls).*(?<![a-z])fmask(?!_?v?4)",),
    foreign=(255,),
    rival="fmask4",
)
#: Fmask 4, and CFMask before it.
FMASK4 = MaskCoding(
    "fmask4",
    "a mask of Fmask 4: 2 shadow, 4 cloud",
    ((0, "clear"), (1, "clear"), (2, "shadow"), (3, "clear"), (4, "thick cloud"), (255, "no data")),
    names=(r"(?<![a-z])fmask_?v?4", r"cfmask"),
)
#: Harmonized Landsat and Sentinel-2, version 2: bit 1 is cloud, bit 2 beside one, bit 3 shadow, bits 6 and 7 aerosol.
HLS = MaskCoding(
    "hls",
    "the Fmask of HLS: bit 1 is cloud, bit 3 shadow",
    (
        *((value, "thick cloud" if value & 2 else "shadow" if value & 8 else "clear") for value in range(255)),
        (255, "no data"),
    ),
    names=(r"hls.*fmask",),
    only_named=True,
)
#: Cloud Score+ (Pasquarella et al. 2023): how usable a pixel is; its authors mask below 0.6 and prefer cs_cdf.
CLOUDSCORE = MaskCoding(
    "cloudscore",
    "Cloud Score+: less than 0.6 is cloud",
    largest=1.0,
    clear_from=0.6,
    names=(r"cs_cdf", r"^cs$", r"cloud_?score"),
)
PERCENT = MaskCoding(
    "percent",
    "a cloud probability in percent: 50 and more is cloud",
    largest=100.0,
    cloud_from=50.0,
    names=(r"cldprb", _PROBABILITY, _PERCENTAGE),
    several=(3, 11),
)
PROBABILITY = MaskCoding(
    "probability",
    "a cloud probability: 0.5 and more is cloud",
    largest=1.0,
    cloud_from=0.5,
    names=(r"cldprb", _PROBABILITY, _CLP),
)
#: CLP of Sentinel Hub, which is made with s2cloudless.
PROBABILITY_255 = MaskCoding(
    "probability-255",
    "a cloud probability from 0 to 255: 128 and more is cloud",
    largest=255.0,
    cloud_from=127.5,
    names=(_CLP,),
    only_named=True,
)
#: A mask that was made of probabilities may be called after them, so their names do not speak against it.
BINARY = MaskCoding(
    "binary",
    "a binary mask: 1 is cloud",
    ((0, "clear"), (1, "thick cloud")),
    names=(_PROBABILITY, _PERCENTAGE),
    several=(0, 0),
)
BINARY_255 = MaskCoding(
    "binary-255",
    "a binary mask: 255 is cloud",
    ((0, "clear"), (255, "thick cloud")),
    names=(_PROBABILITY, _PERCENTAGE),
    several=(0, 0),
    variant_of="binary",
)
#: CLM of Sentinel Hub.
BINARY_NODATA = MaskCoding(
    "binary-nodata",
    "a binary mask: 1 is cloud, 255 no data",
    ((0, "clear"), (1, "thick cloud"), (255, "no data")),
    names=(r"(?<![a-z0-9])clm(?![a-z])",),
    variant_of="binary",
    only_named=True,
)
#: The product's mask of baseline 4: opaque cloud, cirrus, snow.
MSK_CLASSI = MaskCoding(
    "msk-classi",
    "MSK_CLASSI: opaque cloud and cirrus are cloud",
    (
        (0, "clear"), (1, "thick cloud"), (2, "thin cloud"), (3, "thick cloud"),
        (4, "clear"), (5, "thick cloud"), (6, "thin cloud"), (7, "thick cloud"),
    ),
    names=(r"msk_?classi",),
    planes=("opaque", "cirrus", "snow"),
)  # fmt: skip
#: Earth Engine: bit 10 is opaque cloud, bit 11 cirrus.
QA60 = MaskCoding(
    "qa60",
    "QA60: 1024 (opaque) and 2048 (cirrus) are cloud",
    ((0, "clear"), (1024, "thick cloud"), (2048, "thin cloud"), (3072, "thick cloud")),
    names=(r"qa_?60",),
)

#: In the order in which they are preferred where a file has bands of several.
CODINGS = (
    SCL, OMNICLOUDMASK, LAYER, FMASK, FMASK4, HLS, CLOUDSCORE, PERCENT, PROBABILITY, PROBABILITY_255, BINARY,
    BINARY_255, BINARY_NODATA, MSK_CLASSI, QA60,
)  # fmt: skip


def physical(raw: NDArray[Any], nodata: float | None, scale: float, offset: float) -> NDArray[np.float32]:
    """Stored values as numbers; NaN where they are infinite or the declared nodata value, unless that is 0."""
    values = raw.astype(np.float32)
    values[~np.isfinite(values)] = np.nan
    if nodata and not np.isnan(nodata):
        values[raw == nodata] = np.nan
    return values * np.float32(scale) + np.float32(offset)
