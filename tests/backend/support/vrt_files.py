"""Writes virtual rasters (VRT) as gdalbuildvrt, gdal_translate and QGIS do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import rasterio

Rectangle = tuple[float, float, float, float]
TYPES = {"uint8": "Byte", "uint16": "UInt16", "int16": "Int16", "float32": "Float32", "int32": "Int32"}


def source(
    file: Path | str,
    band: int = 1,
    *,
    taken: Rectangle | None = None,
    placed: Rectangle | None = None,
    below: Path | None = None,
    kind: str = "SimpleSource",
    more: str = "",
    attributes: str = "",
) -> str:
    """One source of a band; a path below a folder is written relative to it, another text as it is."""
    name = os.path.relpath(file, below) if below is not None else str(file)
    rectangles = "".join(
        f'<{what} xOff="{left}" yOff="{top}" xSize="{width}" ySize="{height}"/>'
        for what, part in (("SrcRect", taken), ("DstRect", placed))
        if part is not None
        for left, top, width, height in [part]
    )
    return (
        f'<{kind}{attributes}><SourceFilename relativeToVRT="{int(below is not None)}">{name}</SourceFilename>'
        f"<SourceBand>{band}</SourceBand>{rectangles}{more}</{kind}>"
    )


def band(*sources: str, dtype: str = "UInt16", more: str = "", attributes: str = "") -> str:
    """A band, without its number."""
    return f'<VRTRasterBand dataType="{dtype}"{attributes}>{more}{"".join(sources)}</VRTRasterBand>'


def document(
    bands: Sequence[str],
    size: tuple[object, object] = (50, 40),
    *,
    crs: str = "EPSG:32632",
    transform: str = "600000, 10, 0, 5200000, 0, -10",
    more: str = "",
    attributes: str = "",
) -> str:
    """A VRT of `size` (columns, rows)."""
    numbered = "".join(
        one.replace("<VRTRasterBand ", f'<VRTRasterBand band="{number}" ', 1) for number, one in enumerate(bands, 1)
    )
    return (
        f'<VRTDataset rasterXSize="{size[0]}" rasterYSize="{size[1]}"{attributes}><SRS>{crs}</SRS>'
        f"<GeoTransform>{transform}</GeoTransform>{more}{numbered}</VRTDataset>"
    )


def stacked(path: Path, files: Sequence[Path]) -> Path:
    """`gdalbuildvrt -separate`: the first band of each file, on the grid of the first one."""
    with rasterio.open(files[0]) as first:
        size, crs, transform = (first.width, first.height), first.crs.to_wkt(), first.transform.to_gdal()
    bands = []
    for file in files:
        with rasterio.open(file) as dataset:
            whole = (0, 0, dataset.width, dataset.height)
            dtype, nodata = TYPES[dataset.dtypes[0]], dataset.nodatavals[0]
            properties = f'<SourceProperties RasterXSize="{whole[2]}" RasterYSize="{whole[3]}" DataType="{dtype}"/>'
        hidden = "" if nodata is None else f"<NODATA>{nodata:g}</NODATA>"
        one = source(
            file, taken=whole, placed=(0, 0, *size), below=path.parent, kind="ComplexSource", more=properties + hidden
        )
        bands.append(band(one, dtype=dtype, more="" if nodata is None else f"<NoDataValue>{nodata:g}</NoDataValue>"))
    path.write_text(document(bands, size, crs=crs, transform=", ".join(map(str, transform))))
    return path
