"""The functions of the Python interface that do a job on one scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunbreak.api.arrays import Array, Paths, Reading
from sunbreak.api.opening import checked_options, do_job, other_dates
from sunbreak.defaults import CLOUD_DETECTOR, REPLACE
from sunbreak.engine.runtime import DeviceName, Precision, RuntimeName
from sunbreak.events import Reporter
from sunbreak.jobs.options import task_options
from sunbreak.jobs.result import Result
from sunbreak.scene import Scene

if TYPE_CHECKING:
    from typing_extensions import Unpack


def detect_clouds(
    s2: Paths | Array | Scene,
    output: str | Path | None = None,
    *,
    detector: str = CLOUD_DETECTOR,
    threshold: float = 0.4,
    exact: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter | None = None,
    **reading: Unpack[Reading],
) -> Result:
    """Detect the clouds of a scene and their shadows.

    Args:
        s2: Sentinel-2 as for `open_scene`, with at least B02, B03, B04 and B08; or an opened scene.
        output: Folder for the layers; a temporary one, deleted with the result, if not given.
        detector: ``auto``, ``ukis``, ``s2cloudless`` (Level-1C), ``scl`` (the product's own classification), or one of
            another package.
        threshold: Smoothed probability of s2cloudless (0 to 1) above which a pixel is cloud.
        exact: Run s2cloudless at 10 m instead of 30 m: 8 times slower.
        overwrite: Replace existing layers.
        resume: Resume a run on the same output that was killed.
        reporter: Told about the progress; cancels the run.
        reading: How the scene is read; see `sunbreak.api.arrays.Reading`.

    Returns:
        Layers ``cloud_probability`` (0 to 1) and ``cloud_mask`` (0 clear, 1 thick cloud, 2 thin cloud, 3 shadow), both
        (1, row, column) on the scene's grid; numbers ``cloud_share`` (thick and thin), ``thin_cloud_share`` and
        ``shadow_share`` (fractions of the valid pixels).

    Raises:
        InputError: The scene cannot be understood or lacks a band.
        OutputError: A layer exists already, or the folder cannot be written.

    Source:
        ukis-csmask: Wieland et al. 2019, Remote Sensing of Environment 230. s2cloudless: Zupanc 2017; compared with
        others by Skakun et al. 2022, Remote Sensing of Environment 274.

    Example:
        >>> result = sunbreak.detect_clouds("S2_L1C.tif")
        >>> result.numbers["cloud_share"]
        0.23
    """
    options = task_options("detect", detector=detector, threshold=threshold, exact_clouds=exact)
    return do_job("detect", s2, None, None, reading, output, options, {}, overwrite, resume, reporter)


def clean(
    s2: Paths | Array | Scene,
    s1: Paths | Array | None = None,
    output: str | Path | None = None,
    *,
    mask: str | Path | Array | None = None,
    references: Paths | None = None,
    reference_s1: Paths | None = None,
    model: str | Path | None = None,
    detector: str = CLOUD_DETECTOR,
    replace: Sequence[str] = REPLACE,
    threshold: float = 0.4,
    exact_clouds: bool = False,
    replace_all: bool = False,
    feather: int | None = None,
    buffer: int | None = None,
    buffer_thin: int | None = None,
    buffer_shadow: int | None = None,
    device: DeviceName = "auto",
    runtime: RuntimeName = "auto",
    precision: Precision = "exact",
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter | None = None,
    **reading: Unpack[Reading],
) -> Result:
    """Remove the clouds of a scene. Clear pixels are kept bit for bit.

    Args:
        s2: Sentinel-2 as for `open_scene`, or an opened scene.
        s1: Sentinel-1 as for `open_scene`.
        output: Folder for the layers; a temporary one, deleted with the result, if not given.
        mask: Cloud mask as for `open_scene`; without one, clouds are detected.
        references: Other dates of the same place, each a file or folder as `s2`; or a folder that holds several. What
            cannot be used is an error if it is named, and is left out with a warning if it was found in a folder.
        reference_s1: Sentinel-1 of the other dates. Each file belongs to the nearest date within three days; where
            dates are not known, the files are in the order of `references`.
        model: Name of a model (`sunbreak.models.list_models`) or path of its card; the default one if not given.
        detector: As for `detect_clouds`; ``none`` detects nothing.
        replace: What is replaced: ``clouds`` (thick ones), ``thin`` and ``shadows``.
        threshold: Smoothed probability of s2cloudless (0 to 1) above which a pixel is cloud.
        exact_clouds: Run s2cloudless at 10 m instead of 30 m.
        replace_all: Replace clear pixels too.
        feather: Width in pixels of the edge where original and prediction are mixed; at most 4 if not given.
        buffer: Pixels by which the mask is dilated; 4, or 0 for a mask that is given.
        buffer_thin: The same for thin clouds; `buffer` if not given.
        buffer_shadow: The same for shadows; `buffer` if not given.
        device: Where the network runs: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        runtime: What runs it: ``auto``, ``torch`` or ``openvino``.
        precision: ``exact``, or ``fast``: bfloat16 on processors that have instructions for it.
        overwrite: Replace existing layers.
        resume: Resume a run on the same output that was killed.
        reporter: Told about the progress; cancels the run.
        reading: How the scene is read; see `sunbreak.api.arrays.Reading`.

    Returns:
        Layers ``cleaned`` (the bands and the type of the scene), ``uncertainty`` (sigma of each band in reflectance),
        ``reconstructed`` (fraction of each pixel that the network gave, 0 to 1), ``cloud_mask`` and, where clouds were
        detected, ``cloud_probability``; all on the scene's grid.

    Raises:
        InputError: The scene cannot be understood, or lacks what the model needs.
        ModelError: The model cannot be used.
        OutputError: A layer exists already, or the folder cannot be written.

    Source:
        UnCRtainTS: Ebel et al. 2023, CVPR Workshops, arXiv:2304.05464.

    Example:
        >>> result = sunbreak.clean("S2.tif", "S1.tif", "out")
        >>> with result.open("cleaned") as raster:
        ...     red = raster.read(4)
    """
    options = task_options(
        "clean", detector=detector, replace=replace, threshold=threshold, exact_clouds=exact_clouds,
        replace_all=replace_all, feather=feather, buffer=buffer, buffer_thin=buffer_thin, buffer_shadow=buffer_shadow,
        device=device, runtime=runtime, precision=precision,
    )  # fmt: skip
    others = other_dates(references, reference_s1, s2, s1, mask)
    models = {"removal": model}
    return do_job("clean", s2, s1, mask, reading, output, options, models, overwrite, resume, reporter, others)


def classify(
    s2: Paths | Array | Scene,
    s1: Paths | Array | None = None,
    output: str | Path | None = None,
    *,
    model: str | Path | None = None,
    stride: int | None = None,
    probabilities: bool = False,
    reconstructed: str | Path | None = None,
    device: DeviceName = "auto",
    runtime: RuntimeName = "auto",
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter | None = None,
    **reading: Unpack[Reading],
) -> Result:
    """Classify the land cover of a scene.

    Args:
        s2: Sentinel-2 as for `open_scene`, or an opened scene.
        s1: Sentinel-1 as for `open_scene`, for classifiers that use radar.
        output: Folder for the layers; a temporary one, deleted with the result, if not given.
        model: Name of a classifier or path of its card; the default one if not given.
        stride: Pixels from one patch to the next; a quarter of a patch if not given. Not for classifiers of pixels.
        probabilities: Write the probabilities of each pixel too; classifiers of patches always write theirs.
        reconstructed: Layer `reconstructed` of a cleaned scene, if it does not lie beside it.
        device: Where the network runs.
        runtime: What runs it.
        overwrite: Replace existing layers.
        resume: Resume a run on the same output that was killed.
        reporter: Told about the progress; cancels the run.
        reading: How the scene is read; see `sunbreak.api.arrays.Reading`.

    Returns:
        Layers ``landcover`` (class codes from 1), ``landcover_confidence`` (0 to 1), ``landcover_entropy`` (0 to 1),
        ``landcover_probabilities`` (one band per class) and ``landcover_evidence`` (fractions), per pixel or on cells
        of several pixels; numbers ``hectares_<class>`` and ``mean_confidence``, and ``adjusted_hectares_<class>`` with
        ``adjusted_hectares_<class>_ci95`` where the model's card holds a confusion matrix.

    Raises:
        InputError: The scene cannot be understood, or lacks what the model needs.
        ModelError: The model cannot be used.
        OutputError: A layer exists already, or the folder cannot be written.

    Source:
        ResNet: He et al. 2016, CVPR. Classes: simplified IGBP of SEN12MS, Schmitt et al. 2019. Adjusted areas:
        Olofsson et al. 2014.

    Example:
        >>> sunbreak.classify("out/S2_cleaned.tif", output="out").numbers["hectares_forest"]
        4123.5
    """
    options = task_options("classify", stride=stride, probabilities=probabilities, device=device, runtime=runtime)
    more = {"reconstructed": None if reconstructed is None else Path(reconstructed)}
    models = {"classifier": model}
    return do_job("classify", s2, s1, None, reading, output, options, models, overwrite, resume, reporter, more)


def explain(
    s2: Paths | Array | Scene,
    s1: Paths | Array | None = None,
    output: str | Path | None = None,
    *,
    class_name: str = "predicted",
    model: str | Path | None = None,
    method: str = "auto",
    block: str = "layer4",
    stride: int | None = None,
    point: tuple[float, float] | None = None,
    polygons: str | Path | None = None,
    device: DeviceName = "auto",
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter | None = None,
    **reading: Unpack[Reading],
) -> Result:
    """Map where in a scene the evidence for a land-cover class lies, and measure which bands mattered.

    Args:
        s2: Sentinel-2 as for `open_scene`, or an opened scene.
        s1: Sentinel-1 as for `open_scene`, for classifiers that use radar.
        output: Folder for the layers; a temporary one, deleted with the result, if not given.
        class_name: The class; ``predicted`` is the predicted class of each patch or pixel.
        model: Name of a classifier or path of its card; the default one if not given.
        method: ``gradcam``, ``hirescam``, or ``integrated-gradients`` of a per-pixel classifier. ``auto`` is
            Grad-CAM of classifiers of patches, and integrated gradients of per-pixel classifiers.
        block: Block of the network: ``layer1`` (fine) to ``layer4`` (coarse).
        stride: Pixels from one patch to the next; an eighth of a patch if not given. Per-pixel classifiers take none.
        point: (x, y) in the scene's CRS: explain only the patch around it, pixel by pixel. Of a per-pixel classifier,
            explain the class of its pixel.
        polygons: GeoJSON file: explain only what lies inside its polygons. Of a per-pixel classifier, explain the
            class's logits summed inside; without point and polygons, they are summed where the class is predicted.
        device: Where the network runs.
        overwrite: Replace existing layers.
        resume: Resume a run on the same output that was killed.
        reporter: Told about the progress; cancels the run.
        reading: How the scene is read; see `sunbreak.api.arrays.Reading`.

    Returns:
        Layer ``saliency_<class>`` (0 to 1 of the scene's maximum) and, beside it, a table of the bands; with `point`,
        the numbers ``probability_<class>``.

    Raises:
        InputError: The scene cannot be understood, or the class or the point is not there.
        ModelError: The model cannot be used.
        OutputError: A layer exists already, or the folder cannot be written.

    Source:
        Grad-CAM: Selvaraju et al. 2017, ICCV. HiResCAM: Draelos and Carin 2020, arXiv:2011.08891. Integrated gradients:
        Sundararajan, Taly and Yan 2017, ICML. Sums over pixels: Vinogradova, Dibrov and Myers 2020, AAAI.

    Example:
        >>> result = sunbreak.explain("out/S2_cleaned.tif", class_name="Water", method="hirescam")
        >>> result.numbers["strongest_band"]
        'B8A'
    """
    options = task_options("explain", explained=class_name, method=method, block=block, stride=stride, device=device)
    more = {"point": point, "polygons": None if polygons is None else Path(polygons)}
    models = {"classifier": model}
    return do_job("explain", s2, s1, None, reading, output, options, models, overwrite, resume, reporter, more)


def run(
    s2: Paths | Array | Scene,
    s1: Paths | Array | None = None,
    output: str | Path | None = None,
    *,
    mask: str | Path | Array | None = None,
    references: Paths | None = None,
    reference_s1: Paths | None = None,
    model: str | Path | None = None,
    classifier: str | Path | None = None,
    explained: str = "predicted",
    overwrite: bool = False,
    resume: bool = False,
    reporter: Reporter | None = None,
    options: Mapping[str, Any] | None = None,
    **reading: Unpack[Reading],
) -> Result:
    """Clean, classify and explain a scene in one run, and write a report.

    Args:
        s2: Sentinel-2 as for `open_scene`, or an opened scene.
        s1: Sentinel-1 as for `open_scene`.
        output: Folder for the layers; a temporary one, deleted with the result, if not given.
        mask: Cloud mask as for `open_scene`; without one, clouds are detected.
        references: Other dates of the same place, each a file or folder as `s2`; or a folder that holds several. What
            cannot be used is an error if it is named, and is left out with a warning if it was found in a folder.
        reference_s1: Sentinel-1 of the other dates. Each file belongs to the nearest date within three days; where
            dates are not known, the files are in the order of `references`.
        model: Model of cloud removal; the default one if not given.
        classifier: Classifier; the default one if not given.
        explained: Class to explain, ``predicted`` or ``none``.
        overwrite: Replace existing layers.
        resume: Resume a run on the same output that was killed.
        reporter: Told about the progress; cancels the run.
        options: Further options by name, as for `sunbreak.jobs.options.task_options`: ``{"stride": 64}``.
        reading: How the scene is read; see `sunbreak.api.arrays.Reading`.

    Returns:
        The layers of `clean`, `classify` and `explain`, ``trust`` (1 to 4: seen or reconstructed, confident or unsure)
        and ``landcover_cloudy_vs_cleaned``; the number ``report`` is the path of the HTML report.

    Raises:
        InputError: The scene cannot be understood, or lacks what the models need.
        ModelError: A model cannot be used.
        OutputError: A layer exists already, or the folder cannot be written.

    Source:
        See `clean`, `classify` and `explain`.

    Example:
        >>> sunbreak.run("S2.tif", "S1.tif", "out").numbers["report"]
        'out/S2_report.html'
    """
    chosen = task_options("run", explained=explained, **checked_options(options or {}))
    models = {"removal": model, "classifier": classifier}
    others = other_dates(references, reference_s1, s2, s1, mask)
    return do_job("run", s2, s1, mask, reading, output, chosen, models, overwrite, resume, reporter, others)
