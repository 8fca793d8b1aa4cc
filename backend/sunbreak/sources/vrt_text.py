"""Writes the text that GDAL reads in place of a user's virtual raster (VRT).

Each source names a checked file by its absolute path and the one driver that may open it. GDAL would try all of its
drivers on a plain path.
"""

from __future__ import annotations

import math
import re
import secrets
from xml.etree import ElementTree as Xml  # nosec B405: writes only, parses nothing

from sunbreak.sources.vrt_document import Rectangle, VrtSource
from sunbreak.sources.vrt_parts import Part, pinned
from sunbreak.sources.vrt_plan import Plan, PlannedBand


def plan_text(plan: Plan) -> str:
    """The VRT of a plan."""
    document = plan.document
    root = Xml.Element("VRTDataset", rasterXSize=str(document.width), rasterYSize=str(document.height))
    if plan.crs is not None:
        Xml.SubElement(root, "SRS").text = plan.crs
    if document.transform is not None:
        Xml.SubElement(root, "GeoTransform").text = ", ".join(map(repr, document.transform))
    _add_tags(root, document.tags)
    for number, band in enumerate(plan.bands, 1):
        _add_band(root, number, band)
    if plan.mask is not None:
        _add_band(Xml.SubElement(root, "MaskBand"), None, plan.mask)
    # GDAL tries the text as the name of a file first: nobody can have made one with this
    root.append(Xml.Comment(secrets.token_hex(16)))
    return Xml.tostring(root, encoding="unicode")


def _add_band(root: Xml.Element, number: int | None, planned: PlannedBand) -> None:
    band = planned.band
    node = Xml.SubElement(root, "VRTRasterBand", dataType=band.dtype)
    if number is not None:
        node.set("band", str(number))
    colour = band.colour if band.colour and re.fullmatch(r"\w{1,30}", band.colour) else None
    values = (
        ("Description", band.description), ("NoDataValue", band.nodata), ("ColorInterp", colour),
        ("Scale", band.scale), ("Offset", band.offset), ("UnitType", band.unit),
    )  # fmt: skip
    for name, text in values:
        if text is not None:
            Xml.SubElement(node, name).text = text
    _add_tags(node, band.tags)
    for source, part, taken, placed in planned.sources:
        _add_source(node, source, part, taken, placed)


def _add_source(band: Xml.Element, source: VrtSource, part: Part, taken: Rectangle, placed: Rectangle) -> None:
    plain = source.nodata is None and source.scale is None and not source.use_mask
    node = Xml.SubElement(band, "SimpleSource" if plain else "ComplexSource")
    Xml.SubElement(node, "SourceFilename", relativeToVRT="0", shared="0").text = pinned(part.path, part.driver)
    Xml.SubElement(node, "SourceBand").text = str(source.band) if source.band else "mask,1"
    Xml.SubElement(
        node, "SourceProperties", RasterXSize=str(part.width), RasterYSize=str(part.height),
        DataType=part.types[source.band - 1] if source.band else "Byte",
        BlockXSize=str(part.block[1]), BlockYSize=str(part.block[0]),
    )  # fmt: skip
    for name, rectangle in (("SrcRect", taken), ("DstRect", placed)):
        sides = (rectangle.left, rectangle.top, rectangle.width, rectangle.height)
        Xml.SubElement(node, name, dict(zip(("xOff", "yOff", "xSize", "ySize"), map(_short, sides), strict=True)))
    for name, text in (("NODATA", source.nodata), ("ScaleOffset", source.shift), ("ScaleRatio", source.scale)):
        if text is not None:
            Xml.SubElement(node, name).text = text
    if source.use_mask:
        Xml.SubElement(node, "UseMaskBand").text = "true"


def _add_tags(node: Xml.Element, tags: tuple[tuple[str, str], ...]) -> None:
    if tags:
        metadata = Xml.SubElement(node, "Metadata")
        for key, value in tags:
            Xml.SubElement(metadata, "MDI", key=key).text = value


def _short(number: float) -> str:
    return str(int(number)) if math.isfinite(number) and number == int(number) else repr(number)
