"""Collects the samples of a cloud removal training from the folders that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sunbreak.datasets.sen12ms import Patch, Split, Splits
from sunbreak.datasets.sen12mscr import find_pairs
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.training.removal.l2a_to_l1c import FromL2A
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Sample, clouded_samples, spread, with_masks
from sunbreak.training.removal.sen12mscr_pairs import StoredPairs
from sunbreak.training.removal.series import Place, StoredSeries, find_places
from sunbreak.training.removal.transplants import cloud_layers, transplanted_samples
from sunbreak.training.removal.worldcereal_samples import CerealSamples, worldcereal_samples

_IN_MEMORY = 256  # up to this number of pairs are read at once and stay in memory
_CALIBRATE_ON = 96
_TRANSPLANT_FROM = 128
_HELD_OUT_SERIES = 5
_MASKS = "masks"  # of pairs, by their names
MADE_MASKS = "made-masks"  # of samples that were made, by their content


@dataclass(frozen=True)
class RealPairs:
    """Real pairs of a cloudy and a clear image.

    Attributes:
        learnt: Training pairs; those of large data sets are read when they are drawn.
        held_out: Held-out pairs for validation and calibration.
        facts: Facts for the model card.
    """

    learnt: Sequence[Sample]
    held_out: list[Sample]
    facts: dict[str, object]


def gather_pairs(
    folders: Sequence[Path],
    work: Path,
    reporter: Reporter,
    *,
    exclude: Sequence[str] = (),
    hold_out: Sequence[str] = (),
    splits: Splits | None = None,
    masked: bool = True,
    opaque: bool = False,
    least: int = 0,
) -> RealPairs:
    """The pairs of SEN12MS-CR folders. Unusable pairs are reported, one line per kind of problem.

    Args:
        folders: Folders of the data set, in either layout.
        work: Working folder; cloud masks are cached there.
        reporter: Receives messages and progress.
        exclude: Places to leave out.
        hold_out: Places to hold out.
        splits: Published split. Its training scenes are trained on, its validation scenes are held out (96 evenly
            spread patches), and its test scenes are not used.
        masked: Whether the samples need cloud masks.
        opaque: Also mark what is opaque, and leave out pairs whose ground differs between the two dates.
        least: Smallest allowed side of an image in pixels.

    Raises:
        InputError: A folder has no usable pair, or a split is empty.
    """
    patches: list[Patch] = []
    for folder in folders:
        index = find_pairs(folder, exclude, least=least, checkpoint=lambda done, total: _checked(reporter, done, total))
        for text in index.remarks:
            reporter.message(f"{folder}: {text}", "warning")
        patches += index.patches
    if not patches:
        return RealPairs([], [], {})
    kept = set(hold_out)
    held = [patch for patch in patches if patch.place.name in kept]
    rest = [patch for patch in patches if patch.place.name not in kept]
    tested = [patch for patch in rest if patch.place.split == "test"]
    facts: dict[str, object] = {}
    if splits is not None:
        held += [patch for patch in rest if patch.place.split_of(splits) == "validation"]
        rest = [patch for patch in rest if patch.place.split_of(splits) == "train"]
        for found, part in ((rest, "training"), (held, "validation")):
            if not found:
                raise InputError(
                    f"{folders[0]}: no patch lies in a {part} scene of the split '{splits}'.",
                    "Add the archives of other scenes, or leave out --split and name places with --hold-out.",
                    code="split-missing",
                )
        facts["split"] = f"{splits}: {len(rest)} training, {len(held)} validation patches, {len(tested)} test left out"
        reporter.message(f"Split {facts['split']}.")
    elif tested:
        reporter.message(
            f"{len(tested)} pairs belong to the test scenes of published comparisons, such as {tested[0].place.name}: "
            "--split official leaves them out.",
            "warning",
        )

    def say(text: str) -> None:
        reporter.message(text, "warning")

    masks = work / _MASKS if masked else None
    stored = StoredPairs(rest, masks, say, opaque=opaque, same_ground=opaque)
    learnt: Sequence[Sample] = stored
    if len(rest) <= _IN_MEMORY:
        learnt = _all_of(stored)
    else:
        reporter.message(f"{len(rest)} pairs are read from disk when they are drawn.")
    held_out = _all_of(StoredPairs(spread(held, _CALIBRATE_ON), masks, say, opaque=opaque, same_ground=opaque))
    names = [stored.name(index) for index in range(len(stored)) if index not in stored.unreadable]
    facts["real_pairs"] = names if len(names) <= _IN_MEMORY else f"{len(names)} of SEN12MS-CR"
    return RealPairs(learnt, held_out, facts)


def gather_clouded(
    scenes: Sequence[tuple[Path, Path]],
    bare: Sequence[Path],
    tile: int,
    seed: int,
    reference: Sequence[Sample] = (),
) -> list[Sample]:
    """Clear scenes with and without radar, under simulated clouds.

    Args:
        scenes: Scenes with their radar.
        bare: Scenes without radar.
        tile: Side of the samples in pixels.
        seed: Seed of the clouds.
        reference: Real samples of Level-1C, for scenes of Level-2A.
    """
    chosen = spread(reference, _TRANSPLANT_FROM)
    ground = FromL2A(chosen, seed) if chosen else None
    samples = [sample for s2, s1 in scenes for sample in clouded_samples(s2, s1, 10, tile, seed, ground)]
    return samples + [sample for path in bare for sample in clouded_samples(path, None, 4, tile, seed, ground)]


def transplants(
    clouded: Sequence[Sample],
    pairs: Sequence[Sample],
    per_place: int,
    seed: int,
    *,
    opaque: bool = False,
    cache: Path | None = None,
) -> list[Sample]:
    """Real clear ground under real clouds of other places; of more than 256 pairs, 128 evenly spread ones are used."""
    chosen = spread(pairs, _TRANSPLANT_FROM if len(pairs) > _IN_MEMORY else len(pairs))
    # each clear image once, although it occurs under several simulated clouds
    places = {sample.clear.tobytes(): sample for sample in [*clouded, *chosen]}
    moved = transplanted_samples(list(places.values()), cloud_layers(chosen), per_place, seed)
    return with_masks(moved, opaque=opaque, cache=cache)


def gather_cereal(
    folder: Path,
    recipe: RemovalTraining,
    reference: Sequence[Sample],
    reporter: Reporter,
    *,
    masked: bool = False,
    cache: Path | None = None,
) -> CerealSamples:
    """The samples of WorldCereal. Their numbers are reported.

    Args:
        folder: Folder of the data set.
        recipe: Recipe of the training; its patches must fit into the images.
        reference: Samples with thirteen bands, for clouds and for the missing bands; at most 128 evenly spread ones
            are used.
        reporter: Receives the message.
        masked: Whether the samples need cloud masks.
        cache: Folder where masks are kept.

    Raises:
        InputError: There is no site, one cannot be read, or patches are larger than the images.
    """
    chosen = spread(reference, _TRANSPLANT_FROM)
    found = worldcereal_samples(folder, recipe.seed, chosen, masked=masked, opaque=recipe.hides_opaque, cache=cache)
    if recipe.patch > found.side:
        raise InputError(
            f"{folder}: its images are {found.side} pixels wide, so patches of {recipe.patch} do not fit.",
            f"Give --patch {found.side} or less.",
            code="bad-option",
        )
    left_out = "".join(f" {count} dates left out: {reason}." for reason, count in sorted(found.dropped.items()))
    reporter.message(f"WorldCereal: {found}.{left_out}")
    return found


@dataclass(frozen=True)
class RealSeries:
    """Training sequences, held-out sequences, and facts for the model card."""

    learnt: StoredSeries
    held_out: StoredSeries
    facts: dict[str, object]


def gather_series(
    folders: Sequence[Path],
    dates: int,
    work: Path,
    reporter: Reporter,
    *,
    splits: Splits | None = None,
    least: int = 0,
) -> RealSeries:
    """The sequences of SEN12MS-CR-TS folders.

    Args:
        folders: Folders of the data set.
        dates: Number of input dates.
        work: Working folder; cloud masks are cached there.
        reporter: Receives messages.
        splits: With ``official``, the training scenes of the data set are trained on, its validation scenes are held
            out, and its test scenes are not used. Otherwise every fifth place is held out.
        least: Smallest allowed side of an image in pixels.

    Raises:
        InputError: There are no training sequences or no held-out sequences.
    """
    if not folders:
        raise InputError(
            "A network of several dates is trained on sequences, but no folder of sequences is given.",
            "Give the folder of SEN12MS-CR-TS with --real.",
            code="no-samples",
        )
    if splits == "glf-cr":
        raise InputError(
            "The split 'glf-cr' belongs to SEN12MS-CR; SEN12MS-CR-TS has no split of that name.",
            "Use --split official.",
            code="bad-option",
        )
    learnt: list[Place] = []
    held: list[Place] = []
    parts: tuple[Split | None, ...] = ("train", "validation") if splits else (None,)
    for folder in folders:
        for part in parts:
            index = find_places(folder, dates, part)
            for text in index.remarks:
                reporter.message(f"{folder}: {text}", "warning")
            if part is None:
                held += index.places[_HELD_OUT_SERIES - 1 :: _HELD_OUT_SERIES]
                learnt += [place for number, place in enumerate(index.places, 1) if number % _HELD_OUT_SERIES]
            else:
                (learnt if part == "train" else held).extend(index.places)
    reporter.message(f"{len(learnt)} training sequences, {len(held)} held out.")

    def say(text: str) -> None:
        reporter.message(text, "warning")

    facts: dict[str, object] = {
        "sequences": f"{len(learnt)} of SEN12MS-CR-TS" + (f", split {splits}" if splits else ", every fifth held out")
    }
    masks = work / _MASKS
    return RealSeries(
        StoredSeries(learnt, dates, masks, say, least), StoredSeries(held, dates, masks, say, least), facts
    )


def _all_of(stored: StoredPairs) -> list[Sample]:
    """All readable samples."""
    samples = []
    for index in range(len(stored)):
        try:
            samples.append(stored.read(index))
        except InputError as error:
            stored.leave_out(index, error)
    if len(stored) and not samples:
        raise InputError(
            f"None of {len(stored)} pairs can be read: {stored.unreadable[0]}", "Fetch the data set again.",
            code="no-samples",
        )  # fmt: skip
    return samples


def _checked(reporter: Reporter, done: int, total: int) -> None:
    reporter.checkpoint()
    reporter.progress(done, total, "pairs checked")
