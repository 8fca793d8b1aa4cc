"""The fields of a model card together, and what follows from them. `sunbreak.models.card` reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass

from sunbreak.models.card_landcover import LandCoverFacts
from sunbreak.models.card_removal import RemovalFacts


@dataclass(frozen=True, kw_only=True)
class CardFacts(RemovalFacts, LandCoverFacts):
    """The fields of a model card. Those that its task does not have are empty."""

    @property
    def uses_radar(self) -> bool:
        """Whether the network needs Sentinel-1."""
        standard = self.standardisation
        return self.radar is not None or (standard is not None and len(standard.mean) > len(self.bands))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input channels of one date in order."""
        return (("VV", "VH") if self.uses_radar else ()) + self.bands

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of all input channels of one date: the inputs, and for a guided network those of its guide."""
        guide = (*(f"{band} filled" for band in self.bands), "filled") if self.guided else ()
        return self.inputs + guide
