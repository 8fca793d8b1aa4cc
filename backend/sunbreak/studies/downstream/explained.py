"""Figures 10 to 13: saliency maps of the classifier (Grad-CAM and HiResCAM) for chosen and automatically found cases.

Grad-CAM is drawn at the last block, as in the paper; HiResCAM is the same there. HiResCAM is drawn at the block before.
In that block, Grad-CAM may mark pixels that did not contribute, and HiResCAM does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.metrics.classification import softmax
from sunbreak.studies.downstream import drawing, pictures
from sunbreak.studies.downstream.cleaning import read_cleaned
from sunbreak.studies.downstream.covers import read_cover
from sunbreak.studies.downstream.examples import Sources
from sunbreak.studies.downstream.page_parts import Chapter
from sunbreak.studies.downstream.quadruplets import read_patch
from sunbreak.studies.downstream.study_classifier import Images, Judge
from sunbreak.studies.downstream.table import INPUT_TITLES, PatchTable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sunbreak.models.cam import Method

PER_KIND = 2
_WINDOWS_PER_TILE = 4
_WINDOWS_AT_ONCE = 16
KINDS = {
    "wrong": ("Figures 10 to 12", "Wrong after removal: correct on the clear image, wrong on the cleaned image."),
    "inpainting": ("Figure 13", "Wrong on the clear and the cloudy image, correct on the cleaned image."),
    "confident": ("Most confident mistakes", "Wrong on the cleaned image with the highest confidence."),
    "chosen": ("Chosen patches", "Requested with --explain."),
}  # fmt: skip
_ROWS: tuple[tuple[str, str, Method], ...] = (
    ("Grad-CAM, last block", "layer4", "gradcam"),
    ("HiResCAM, block before", "layer3", "hirescam"),
)


@dataclass(frozen=True)
class Case:
    """A patch with saliency maps.

    Attributes:
        kind: One of `KINDS`.
        input: The cleaned input, ``removed`` or ``removed_raw``.
        row: Row of the patch in the table of the evaluated split.
    """

    kind: str
    input: str
    row: int


def find_cases(part: PatchTable, name: str, count: int | None = None) -> list[Case]:
    """The first `count` (`PER_KIND`) cases of each kind for one cleaned input.

    "Wrong after removal" is ordered by the loss of probability of the true class. "Correct only after in-painting" and
    "most confident mistakes" are ordered by the confidence on the cleaned image. No patch is shown twice.
    """
    count = PER_KIND if count is None else count
    rows = np.arange(len(part))
    probability = {key: softmax(values) for key, values in part.logits.items()}
    right = {key: values.argmax(axis=1) == part.label for key, values in part.logits.items()}
    true = {key: values[rows, part.label] for key, values in probability.items()}
    confidence = probability[name].max(axis=1)
    lost = true["clear"] - true[name]
    only = right[name] & ~right["clear"]
    if "cloudy" in right:
        only &= ~right["cloudy"]
    found = _first("wrong", name, right["clear"] & ~right[name], lost, count)
    found += _first("inpainting", name, only, confidence, count)
    shown = np.isin(rows, [case.row for case in found])
    return found + _first("confident", name, ~right[name] & ~shown, confidence, count)


def chosen_cases(part: PatchTable, names: Sequence[str], of: str) -> list[Case]:
    """The patches requested with `--explain`.

    Raises:
        InputError: One of them is not in the evaluated split.
    """
    where = {str(name): index for index, name in enumerate(part.patch)}
    for name in names:
        if name not in where:
            raise InputError(
                f"--explain {name}: there is no such patch in the evaluated split.",
                f"A valid name is {part.patch[0]}; the column patch of patches.npz lists all names.",
                code="unknown-patch",
            )
    return [Case("chosen", of, where[name]) for name in names]


def attention_chapters(
    part: PatchTable, chosen: Sequence[str], sources: Sources, judge: Callable[[], Judge]
) -> list[Chapter]:
    """The chapter of saliency maps, for the raw prediction (as in the paper) and with clear pixels kept.

    Raises:
        InputError: A chosen patch is not in the evaluated split.
    """
    inputs = [name for name in ("removed_raw", "removed") if name in part.logits]
    cases = [case for name in inputs for case in find_cases(part, name)]
    cases = [*chosen_cases(part, chosen, inputs[0]), *cases]
    texts = [
        "Grad-CAM at the last block, as in the paper, and HiResCAM at the block before it. At the last block of this "
        "network, both are the same up to a factor. Each map is scaled to its own maximum, so maps show positions, not "
        "amounts. The percentage is the fraction of the positive evidence inside the cloud mask; compare it with the "
        "fraction of the crop that the mask covers.",
    ]
    for name in inputs:
        counts = [
            f"{sum(case.kind == kind and case.input == name for case in cases)} of {_all_of(part, name, kind)} "
            f"{title.split(':')[0].lower()}"
            for kind, (_, title) in KINDS.items()
            if kind != "chosen"
        ]
        texts.append(f"{INPUT_TITLES[name]}: shown are {', '.join(counts)}.")
    draws, captions = {}, {}
    numbers: dict[tuple[str, str], int] = {}
    for case in cases:
        number = numbers[case.kind, case.input] = numbers.get((case.kind, case.input), 0) + 1
        figure = {"wrong": "fig10", "inpainting": "fig13"}.get(case.kind, "cam")
        key = f"{figure}_{case.kind}_{case.input}_{number}"
        draws[key] = lambda case=case: _draw(part, case, sources, judge())
        title, said = KINDS[case.kind]
        captions[key] = f"{title}. {said} {part.patch[case.row]}, {INPUT_TITLES[case.input].lower()}."
    return [Chapter("attention", "Saliency maps (Figures 10 to 13)", tuple(texts), draws, captions)]


def evidence(judge: Judge, crop: Images, wanted: Sequence[tuple[int, str, Method]]) -> list[NDArray[np.float32]]:
    """Saliency maps of classes over the centre crop, each (row, column), not scaled.

    If a crop is larger than the network's tile, more overlapping windows are used than for the logits. Their maps are
    averaged with weights that decrease towards the edges, which avoids visible window borders.

    Args:
        judge: The classifier.
        crop: (channel, row, column), standardised.
        wanted: Class index, block of the network and method of each map.
    """
    import torch

    from sunbreak.models.cam import map_from, to_image
    from sunbreak.models.resnet import STAGES

    lowest = min((block for _, block, _ in wanted), key=STAGES.index)
    windows = judge.windows((crop.shape[1], crop.shape[2]), _WINDOWS_PER_TILE)
    totals = [np.zeros(crop.shape[1:], np.float32) for _ in wanted]
    weight = np.zeros(crop.shape[1:], np.float32)
    for first in range(0, len(windows), _WINDOWS_AT_ONCE):
        places = windows[first : first + _WINDOWS_AT_ONCE]
        x = np.stack([crop[:, rows, columns] for rows, columns in places])
        side = x.shape[2], x.shape[3]
        bell = _bell(*side) if len(windows) > 1 else np.ones(side, np.float32)
        with torch.no_grad():
            tensor = torch.from_numpy(x).to(judge.device)
            out = judge.module.features(tensor, lowest)
            activations = {lowest: out}
            for stage in STAGES[STAGES.index(lowest) + 1 :]:
                activations[stage] = out = judge.module.get_submodule(stage)(out)
        for total, (target, block, method) in zip(totals, wanted, strict=True):
            raw = map_from(judge.module, activations[block], target, block, method)
            for place, values in zip(places, to_image(raw, *side).cpu().numpy(), strict=True):
                total[place] += bell * values
        for place in places:
            weight[place] += bell
    return [total / weight for total in totals]


def _bell(rows: int, columns: int) -> NDArray[np.float32]:
    """Weights of a window's pixels: a squared sine in both directions, positive everywhere."""
    parts = [np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2 for length in (rows, columns)]
    return np.outer(*parts).astype(np.float32)


def _draw(part: PatchTable, case: Case, sources: Sources, judge: Judge) -> Figure:
    name = str(part.patch[case.row])
    patch = sources.patches[name]
    cleaned = read_cleaned(patch, sources.removal, sources.cleaned)
    mask = judge.cropped(read_cover(patch, sources.covers).mask)
    images = {
        "cloudy": read_patch(patch.files["s2_cloudy"], "s2_cloudy", name),
        "clear": read_patch(patch.files["s2"], "s2", name),
        case.input: cleaned.images[case.input],
    }
    s1 = read_patch(patch.files["s1"], "s1", name) if judge.card.uses_radar else None
    seen = {key: pictures.true_colour(judge.cropped(values)) for key, values in images.items()}
    classes, label = part.classes, int(part.label[case.row])
    predicted = {key: int(part.logits[key][case.row].argmax()) for key in images}
    sure = {key: float(softmax(part.logits[key][case.row][None])[0].max()) for key in images}
    inputs = {key: judge.standardised(images[key], s1) for key in ("clear", case.input)}
    # the paper's three maps: clear for the true class, cleaned for the predicted class, cleaned for the true class
    wanted = [("clear", label, "true"), (case.input, predicted[case.input], "predicted"), (case.input, label, "true")]
    if predicted[case.input] == label:
        wanted[1] = (case.input, predicted["clear"], "as on clear")
    figure = drawing.new(13.2, 5.3)
    panels = figure.subplots(2, 6)
    for axes, key in zip(panels[0], images, strict=False):
        verdict = "correct" if predicted[key] == label else "wrong"
        told = f"{INPUT_TITLES[key].split(' (')[0]}\n{classes[predicted[key]]} {sure[key]:.2f}, {verdict}"
        pictures.show(axes, seen[key], told)
    _context(panels[1], patch.files["lc"], name, judge, mask, cleaned.sigma)
    maps = {
        key: iter(
            evidence(judge, inputs[key], [(t, block, how) for _, block, how in _ROWS for k, t, _ in wanted if k == key])
        )
        for key in inputs
    }
    for row, (method_title, *_) in enumerate(_ROWS):
        for axes, (key, target, role) in zip(panels[row][3:], wanted, strict=True):
            found = next(maps[key])
            top = float(found.max())
            inside = float(found[mask].sum() / found.sum()) if top > 0 else float("nan")
            said = f"{100 * inside:.0f} % in clouds" if top > 0 else "no positive evidence"
            title = f"{'Clear' if key == 'clear' else 'Removed'}: {classes[target]}\n({role}), {said}"
            pictures.show(axes, pictures.with_evidence(seen[key], found / top if top > 0 else found), title)
        panels[row][3].set_ylabel(method_title, fontsize=10)
    from matplotlib.cm import ScalarMappable

    scale = ScalarMappable(cmap=pictures.EVIDENCE_COLOURS)
    figure.colorbar(scale, ax=list(panels[:, 5]), label="Evidence, relative to the maximum of the map", shrink=0.8)
    figure.suptitle(
        f"{name}: {classes[label]}, cloud cover {100 * part.cover[case.row]:.0f} % "
        f"(mask on {100 * mask.mean():.0f} % of the crop)",
        x=0.01, ha="left", fontsize=11,
    )  # fmt: skip
    return figure


def _context(
    panels: Sequence[Any], landcover: Any, name: str, judge: Judge, mask: Any, sigma: NDArray[np.float32] | None
) -> None:
    """Draw cloud mask, land cover and sigma of the crop."""
    from matplotlib.colors import ListedColormap

    from sunbreak.datasets.landcover import simplify_igbp
    from sunbreak.models.legends import SIMPLIFIED_IGBP

    pictures.show(panels[0], mask, "Cloud mask", cmap="Greys_r", vmin=0, vmax=1)
    simple = judge.cropped(simplify_igbp(read_patch(landcover, "lc", name)[0]))
    colours = ListedColormap(["#ffffff", *(kind.colour for kind in SIMPLIFIED_IGBP)])
    counts = np.bincount(simple.ravel(), minlength=11)[1:]
    most = int(counts.argmax())
    told = f"{SIMPLIFIED_IGBP[most].name} {100 * counts[most] / simple.size:.0f} %"
    pictures.show(panels[1], simple, f"Land cover\n{told}", cmap=colours, vmin=-0.5, vmax=10.5)
    shown: NDArray[Any] = np.zeros(mask.shape) if sigma is None else judge.cropped(sigma)
    pictures.show(panels[2], shown, "Sigma, 0 to 0.1", cmap=pictures.SIGMA_COLOURS, vmin=0, vmax=0.1)


def _first(kind: str, name: str, where: NDArray[np.bool_], order: NDArray[Any], count: int) -> list[Case]:
    rows = np.flatnonzero(where)
    best = rows[np.argsort(-order[rows], kind="stable")][:count]
    return [Case(kind, name, int(row)) for row in best]


def _all_of(part: PatchTable, name: str, kind: str) -> int:
    right = {key: values.argmax(axis=1) == part.label for key, values in part.logits.items()}
    if kind == "wrong":
        return int((right["clear"] & ~right[name]).sum())
    if kind == "confident":
        return int((~right[name]).sum())
    only = right[name] & ~right["clear"]
    if "cloudy" in right:
        only &= ~right["cloudy"]
    return int(only.sum())
