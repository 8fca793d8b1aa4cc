"""What a run says about its layers: tags in the files, and styles and STAC items beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sunbreak import __version__
from sunbreak.layers.names import OutputNames
from sunbreak.layers.roles import LayerSpec
from sunbreak.layers.stac import Origin, write_item
from sunbreak.layers.style import write_style
from sunbreak.scene.grid import Grid


@dataclass(frozen=True)
class Description:
    """What is known of a run and its scene.

    Attributes:
        grid: The scene's grid.
        south_up: Whether the rows of the finished files go from south to north, though those of `grid` do not.
        provenance: By key, what goes into the files as ``SUNBREAK_<KEY>`` tags. A step may add to it before the end.
        inputs: Files that the run reads.
        acquired: When the scene was taken.
        derived_from: The acquisitions that the STAC items link to.
    """

    grid: Grid
    south_up: bool
    provenance: dict[str, str]
    inputs: tuple[Path, ...]
    acquired: datetime | None
    derived_from: tuple[Origin, ...]

    def tags(self, spec: LayerSpec) -> dict[str, str]:
        """The tags of a layer's file."""
        tags = {"TIFFTAG_IMAGEDESCRIPTION": spec.title, "TIFFTAG_SOFTWARE": f"Sunbreak {__version__}"}
        tags |= {f"SUNBREAK_{key.upper()}": value for key, value in self.provenance.items()}
        if "attribution" in self.provenance:
            tags["TIFFTAG_COPYRIGHT"] = self.provenance["attribution"]
        tags["SUNBREAK_ROLE"] = spec.role
        if self.acquired is not None:
            tags["SUNBREAK_ACQUIRED"] = self.acquired.isoformat()
        return tags

    def write_companions(self, names: OutputNames, numbers: Mapping[str, float | str]) -> None:
        """Write the styles and STAC items into the folder in which the files are made.

        Args:
            names: Of the files.
            numbers: Figures of the run, see `sunbreak.layers.stac.write_item`.

        Raises:
            OSError: The disk is full or gone.
        """
        picture = names.picture.name
        drawn = {"thumbnail": picture} if (names.folder / picture).exists() else {}
        for spec in names.specs:
            raster = names.path(spec.role)
            style = names.folder / f"{raster.stem}.qml"
            write_style(style, spec)
            grid = self.grid.coarser(spec.cell)
            write_item(
                names.folder / f"{raster.stem}.stac.json",
                raster.name,
                spec,
                grid.turned() if self.south_up else grid,
                acquired=self.acquired,
                provenance=self.provenance,
                inputs=self.inputs,
                companions={"style": style.name} | drawn,
                numbers=numbers,
                derived_from=self.derived_from,
            )
