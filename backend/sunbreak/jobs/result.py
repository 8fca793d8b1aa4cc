"""The result of a job, and the provenance and messages that all jobs share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunbreak import __version__
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.layers.output import LayerSet
from sunbreak.layers.stac import Origin
from sunbreak.scene import Scene, SceneSeries
from sunbreak.scene.product import find_sidecar

if TYPE_CHECKING:
    import rasterio

_MAX_NAMES = 200  # of inputs, in the tags of a layer
_MAX_ATTRIBUTION = 300  # characters of one


@dataclass(frozen=True)
class Result:
    """Layers and figures of one job.

    Attributes:
        layers: Path of each layer's GeoTIFF, by role: ``cleaned``, ``uncertainty``, ``landcover`` ...
        numbers: Figures by name. Fractions are 0 to 1, areas are in hectares, ``seconds`` is the time of the job.
        warnings: Warnings of the job, one sentence each.
        folder: Owner of a temporary output folder. The folder is deleted together with the result.

    Example:
        >>> result = sunbreak.clean("scene.tif", "radar.tif", "out")
        >>> with result.open("cleaned") as raster:
        ...     red = raster.read(4)
    """

    layers: dict[str, Path]
    numbers: dict[str, float | str]
    warnings: tuple[str, ...] = field(default=(), kw_only=True)
    folder: object = field(default=None, kw_only=True, repr=False, compare=False)

    def path(self, role: str) -> Path:
        """Path of a layer.

        Raises:
            InputError: The job wrote no layer of that role (``no-layer``).
        """
        if role not in self.layers:
            raise InputError(
                f"There is no layer {role!r}.", f"This result has: {', '.join(self.layers) or 'none'}.", code="no-layer"
            )
        return self.layers[role]

    def open(self, role: str) -> rasterio.DatasetReader:
        """Open a layer with rasterio.

        Args:
            role: Role of the layer.

        Returns:
            The open dataset, stored numbers (band, row, column); its ``scales`` and ``offsets`` lead to physical units.
            Close it, or use it in a ``with`` block.

        Raises:
            InputError: The job wrote no layer of that role (``no-layer``).

        Example:
            >>> with result.open("uncertainty") as raster:
            ...     sigma = raster.read(4, masked=True) * raster.scales[3]
        """
        from sunbreak.sources.gdal import open_dataset

        return open_dataset(self.path(role))

    def to_xarray(self, role: str) -> Any:
        """Read a layer as an xarray.DataArray. Needs rioxarray.

        Args:
            role: Role of the layer.

        Returns:
            The ``xarray.DataArray``: (band, y, x) with coordinates and CRS, in physical units where the layer has a
            scale (reflectance, sigma, fraction), NaN where there is no data. The values are in memory.

        Raises:
            InputError: rioxarray is not installed (``not-installed``), or the job wrote no layer of that role
                (``no-layer``).

        Example:
            >>> sigma = result.to_xarray("uncertainty").sel(band=4)
        """
        path = self.path(role)
        try:
            import rioxarray
        except ImportError as error:
            raise InputError(
                "A layer becomes an xarray.DataArray with rioxarray, which is not installed.",
                "Install rioxarray, or use open() of the result.",
                code="not-installed",
            ) from error
        from sunbreak.sources.gdal import environment

        # no file beside the layer is opened
        with environment(), rioxarray.open_rasterio(path, masked=True, mask_and_scale=True) as opened:
            return opened.load()


def gdal_scale(scene: Scene) -> tuple[float, float]:
    """GDAL's scale and offset of the scene's stored numbers."""
    radiometry = scene.radiometry
    return 1 / radiometry.quantification, radiometry.offset / radiometry.quantification


def provenance_of(
    given: Scene | SceneSeries, task: str, facts: Mapping[str, str], parameters: Mapping[str, object]
) -> dict[str, str]:
    """Provenance that is written into every layer of a job."""
    series = SceneSeries.of(given)
    scene = series.target
    dates = [f"{name} ({_day(date)})" for name, date in origins(series)[1:]]
    return {
        "task": task,
        **facts,
        "parameters": json.dumps(parameters, sort_keys=True),
        "inputs": _named([path.name for path in scene.inputs]),
        **({"references": ", ".join(dates)} if dates else {}),
        **({"archived": ", ".join(inside)} if (inside := _inside_archives(scene)) else {}),
        **({"attribution": "; ".join(stated)} if (stated := _attributions(series)) else {}),
        "version": __version__,
    }


def _attributions(series: SceneSeries) -> list[str]:
    """What the data ask their users to state, from the STAC items of downloads."""
    paths = [path for scene in (series.target, *series.others) for path in scene.inputs]
    items = [find_sidecar(path) for path in paths if path.suffix.lower() != ".json"]
    stated = [item.properties.get("attribution") for item in items if item is not None]
    lines = [" ".join(one.split())[:_MAX_ATTRIBUTION] for one in stated if isinstance(one, str)]
    return list(dict.fromkeys(line for line in lines if line))


def _inside_archives(scene: Scene) -> list[str]:
    """What is read inside archives, by paths in them: an archive may hold other products and masks."""
    stack = scene.stack.files
    sources = [
        *stack,
        *(scene.radar.files if scene.radar else ()),
        *([scene.cloud_mask.file] if scene.cloud_mask else []),
    ]
    inside = {
        source: source.path.relative_to(source.container) for source in sources if source.container != source.path
    }
    return list(
        dict.fromkeys(
            (path.parent if source in stack and len(stack) > 1 else path).as_posix() for source, path in inside.items()
        )
    )


def origins(series: SceneSeries) -> tuple[Origin, ...]:
    """The acquisitions that a layer is derived from, the scene first; none if there are no other dates."""
    if not series.others:
        return ()
    return tuple(Origin(scene.source_name, scene.acquired) for scene in (series.target, *series.others))


def _named(names: Sequence[str]) -> str:
    """The names of the inputs; a virtual raster may be made of thousands of files."""
    more = len(names) - _MAX_NAMES
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MAX_NAMES])} and {more} more"


def _day(date: datetime | None) -> str:
    return date.date().isoformat() if date else "date unknown"


def say(series: SceneSeries, reporter: Reporter) -> None:
    """Report the notes and the warnings of the scene and of its other dates."""
    for text in (*series.target.notes, *series.notes):
        reporter.message(text)
    for text in (*series.target.warnings, *series.warnings):
        reporter.message(text, "warning")


def say_resumed(layers: LayerSet, wanted: bool, reporter: Reporter) -> None:
    """Report whether there is an unfinished run to resume."""
    if wanted:
        reporter.message(
            "Resuming the unfinished run where it stopped."
            if layers.resumed
            else "No unfinished run: starting from the beginning."
        )


def report(
    paths: dict[str, Path], numbers: dict[str, float | str], reporter: Reporter, warnings: tuple[str, ...] = ()
) -> Result:
    """Report the finished layers and return the job's result."""
    for role, path in paths.items():
        reporter.layer(role, path)
    reporter.result(paths, numbers)
    return Result(paths, numbers, warnings=warnings)
