"""The names of the files that a run writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sunbreak.errors import OutputError
from sunbreak.layers.finished import companions_of
from sunbreak.layers.publish import STALE
from sunbreak.layers.roles import LayerSpec
from sunbreak.outputs import check_names, refuse_existing, refuse_folders, refuse_inputs

_PICTURE = "quicklook.png"
_OWN_PICTURES = ("landcover", "saliency")


@dataclass(frozen=True)
class OutputNames:
    """The files of one run.

    Attributes:
        directory: Target folder, absolute.
        stem: Files are called ``<stem>_<role>.tif``.
        specs: The layers.
        beside: Further files, called ``<stem>_<name>``.
    """

    directory: Path
    stem: str
    specs: tuple[LayerSpec, ...]
    beside: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The hidden folder in which the files are made."""
        return self.directory / f".sunbreak-{self.stem}.tmp"

    @property
    def lock(self) -> Path:
        """The file that says which process writes."""
        return self.directory / f".sunbreak-{self.stem}.lock"

    def path(self, role: str) -> Path:
        """The final name of a layer."""
        return self.directory / f"{self.stem}_{role}.tif"

    def path_beside(self, name: str) -> Path:
        """The final name of a further file."""
        return self.directory / f"{self.stem}_{name}"

    @property
    def picture(self) -> Path:
        """The final name of the quicklook. Results of other tasks may go into the same folder, each with its own."""
        first = self.specs[0].role if self.specs else ""
        return self.path_beside(f"{first}_{_PICTURE}" if first.startswith(_OWN_PICTURES) else _PICTURE)

    def outputs(self, *, picture: bool = True) -> list[Path]:
        """The final names of all files, those of the layers and what stands beside them first.

        Args:
            picture: With the quicklook.
        """
        rasters = [self.path(spec.role) for spec in self.specs]
        companions = [path for raster in rasters for path in companions_of(raster)]
        beside = [self.path_beside(name) for name in self.beside]
        return [*rasters, *companions, *([self.picture] if picture else []), *beside]

    def check(self, inputs: Sequence[Path]) -> None:
        """Check that the file system allows the names, and that no output is one of `inputs`.

        Raises:
            OutputError: Which name is none, or is that of an input.
        """
        if not self.stem or Path(self.stem).name != self.stem or self.stem in {".", ".."}:
            raise OutputError(f"'{self.stem}' cannot be the name of output files.", "Use a plain name without folders.")
        outputs = self.outputs()
        staged = [self.folder / f"{spec.role}.10.raw" for spec in self.specs]
        inside = [self.folder / path.name for path in outputs]
        check_names([*outputs, self.lock, self.folder / "journal" / "explain-100000.npz", *inside, *staged])
        refuse_inputs(outputs, list(inputs))

    def check_free(self, *, may_exist: bool) -> None:
        """Check that nothing has the names of the outputs, and nothing lies there that changes what they hold.

        Args:
            may_exist: Whether files of these names are replaced.

        Raises:
            OutputError: What is there.
        """
        outputs = self.outputs()
        refuse_folders(outputs)
        if not may_exist:
            rasters = outputs[: len(self.specs)]
            stale = [path.with_name(path.name + ending) for path in rasters for ending in STALE]
            refuse_existing(outputs, deleted=stale)
