"""`sunbreak evaluate frechet`: the Frechet distance between two folders of images."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.cli.showing import say, say_json
from sunbreak.extras import require


class PileName(str, Enum):
    """A group of BigEarthNet patches."""

    clear = "clear"
    cloudy = "cloudy"
    snowy = "snowy"


class SplitName(str, Enum):
    """A split of BigEarthNet."""

    train = "train"
    validation = "validation"
    test = "test"


def frechet(
    a: Annotated[Path, typer.Option("--a", help="Folder of the images to evaluate: BigEarthNet, or GeoTIFFs.")],
    b: Annotated[Path, typer.Option("--b", help="Folder of the reference images.")],
    classifier: Annotated[str, typer.Option("--classifier", help="Model whose features are compared: name or card.")],
    a_pile: Annotated[
        PileName | None, typer.Option("--a-pile", help="Only this group of a BigEarthNet in --a.")
    ] = None,
    b_pile: Annotated[
        PileName | None, typer.Option("--b-pile", help="Only this group of a BigEarthNet in --b.")
    ] = None,
    split: Annotated[SplitName | None, typer.Option("--split", help="Only this split of both.")] = None,
    replicates: Annotated[int, typer.Option(min=0, help="Bootstrap resamples for the intervals; 0 for none.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
    device: Annotated[str, typer.Option("--device", help="Device: cpu or cuda.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for another program.")] = False,
    debug: o.Debug = False,
) -> None:
    """The Frechet distance between two sets of images in the features of a classifier, and their diversity.

    Distances of different classifiers cannot be compared. A small distance together with a small diversity means
    mode collapse: the images are nearly the same.
    """
    with session("evaluate frechet", events=False, debug=debug) as reporter:
        require("torch", "torch", "Measuring a Frechet distance")
        from sunbreak.evaluation.features import ImageSet, compare_sets
        from sunbreak.models.registry import find_model
        from sunbreak.training.unpaired.pipeline import checked_device

        files = find_model(classifier, "land-cover")
        first = ImageSet.find(a, a_pile.value if a_pile else None, split.value if split else None)
        second = ImageSet.find(b, b_pile.value if b_pile else None, split.value if split else None)
        found = compare_sets(
            first, second, files, reporter, device=checked_device(device), replicates=replicates, seed=seed
        )
        if as_json:
            say_json({**found.figures(), "classifier": files.card.name})
            return
        say(f"{found.text()}, classifier {files.card.name}")
        for name, score in (("A", found.score), ("B", found.reference_score)):
            between = f" ({score.low:.4g} to {score.high:.4g})" if replicates else ""
            say(f"diversity of {name} {score.value:.4g}{between}; 1 if all images have the same labels")
        if replicates:
            say(f"resampling raises the distance by {found.bias:.4g}: this much may be due to the number of images")
        if found.deficient:
            say(
                f"a set has no more images than the {found.width} features: the distance is exact for these images, "
                "but larger than that of a large set"
            )
        if found.collapsed:
            say(f"the diversity of A is below {found.bound:.4g}: if A was generated, its modes have collapsed")
