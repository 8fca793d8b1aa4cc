"""The card fields of every model, whatever its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LAYOUT = 2  # of the file; 1 kept the prior as a row of numbers
MAX_DATES = 32
"""Largest number of dates that go into a network at once."""
MAX_PARAMETERS = 2**28
"""Largest number of weights of a network, about 1 GB."""


@dataclass(frozen=True)
class Converted:
    """A network that was converted for OpenVINO.

    Attributes:
        xml: Checksum of the `.xml` file.
        bin: Checksum of the `.bin` file.
        network: The card's `network_digest` when it was converted.
    """

    xml: str
    bin: str
    network: str


@dataclass(frozen=True, kw_only=True)
class CommonFacts:
    """The fields of all models.

    Attributes:
        name: Name in the registry and stem of both files.
        title: One line for people.
        description: What it is, what it was trained on, when not to use it.
        task: ``cloud-removal`` or ``land-cover``.
        architecture: Key of the adapter in `sunbreak.models.architectures`, such as ``uncrtaints``.
        arguments: Arguments with which the adapter builds the network.
        bands: Sentinel-2 bands in input order.
        level: Processing level the network was trained on (``L1C`` or ``L2A``).
        dates: Dates that go in at once.
        tile: Side of a tile in pixels; of the patch that a classifier classifies.
        overlap: Pixels shared by neighbouring tiles; for a classifier, tile less stride.
        tolerance: Largest error in reflectance that a faster runtime may make.
        temperature: Factor on sigma per band, or one divisor of a classifier's logits, fitted on the data named in
            `calibrated_on`; empty means 1.
        calibrated_on: The data the temperature was fitted on.
        training: Data, recipe and cost of the training, and the command that repeats it.
        metrics: Figures, each group with the data it was measured on.
        licence: SPDX expression or a sentence.
        sha256: Checksum of the weights file.
        parameters: Number of weights.
        converted: The network converted for OpenVINO, beside the card; None if it was not converted.
        layout: Layout of the file that the card was read from. Cards are written in the current one, `LAYOUT`.
    """

    name: str
    title: str
    description: str
    task: str
    architecture: str
    arguments: Mapping[str, Any]
    bands: tuple[str, ...]
    level: str
    dates: int
    tile: int
    overlap: int
    licence: str
    sha256: str
    parameters: int
    tolerance: float = 1e-3
    temperature: tuple[float, ...] = ()
    calibrated_on: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, Any]] = ()
    converted: Converted | None = None
    layout: int = LAYOUT
