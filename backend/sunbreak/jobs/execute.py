"""Runs the job that a `JobSpec` describes: the one place that opens its scene and finds its models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sunbreak.engine import Runtime
from sunbreak.engine.runtime import DeviceName, Precision, RuntimeName
from sunbreak.events import Reporter
from sunbreak.jobs import single
from sunbreak.jobs.options import ChainOptions, ClassifyOptions, CleanOptions, DetectOptions, ExplainOptions, Options
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import Runtimes, SceneMemory
from sunbreak.jobs.sharing import Sharing
from sunbreak.jobs.spec import JobSpec
from sunbreak.models.registry import ModelFiles
from sunbreak.outputs import check_folder
from sunbreak.scene import Scene, SceneSeries
from sunbreak.scene.orientation import series_north_up

if TYPE_CHECKING:
    from sunbreak.landcover.reconstructed import ShareRaster

_Lent = list["Runtime | None"]


def run(
    spec: JobSpec,
    reporter: Reporter,
    *,
    runtimes: Runtimes | None = None,
    scene: Scene | SceneSeries | None = None,
    sharing: Sharing | None = None,
) -> Result:
    """Run a job: write all its layers, or nothing.

    Args:
        spec: The job.
        reporter: Receives all events; cancels the job.
        runtimes: Holds the networks for the next job. Without it they are loaded when the job needs them.
        scene: The scene, if the caller has opened it, or the scene and its other dates; what is not given is opened
            from `spec.inputs`.
        sharing: Processes that share the work of cleaning, for the tasks clean and run.

    Returns:
        The layers under their final names, and the figures.

    Raises:
        SunbreakError: An input, a model or the output cannot be used, or the job failed; nothing is left behind.
    """
    check_folder(spec.output)
    models = spec.find_models()
    opened = scene if isinstance(scene, SceneSeries) else spec.inputs.open_series(scene)
    series = series_north_up(opened)
    memory = runtimes.scenes if runtimes is not None else None
    with _lent(spec, models, runtimes) as lent:
        return _carry_out(spec, series, models, lent, reporter, memory, sharing)


def prepare(spec: JobSpec, runtimes: Runtimes) -> None:
    """Load the networks of a job before its scene is opened: an error in them affects every scene.

    Args:
        spec: The job.
        runtimes: Holds the networks.

    Raises:
        SunbreakError: A network cannot be loaded, or see `check`.
    """
    check(spec)
    for files, where in zip(spec.find_models(), _places(spec.options), strict=False):
        runtimes.load(files, *where)


def check(spec: JobSpec) -> None:
    """Check the models of a job before its scene is opened, without loading their weights.

    Raises:
        SunbreakError: A model is not there, or its classifier does not know the class to explain, takes no stride or
            does not take the method.
    """
    from sunbreak.landcover.explanation import find_class
    from sunbreak.landcover.pixel_tiles import refuse_stride

    models = spec.find_models()
    classify = spec.options.classify if isinstance(spec.options, ChainOptions) else spec.options
    if isinstance(classify, ClassifyOptions):
        refuse_stride(models[-1].card, classify.stride)
    explained = spec.options.explain if isinstance(spec.options, ChainOptions) else spec.options
    if isinstance(explained, ExplainOptions):
        find_class(models[-1].card, explained.wanted)
        explained.settled(models[-1].card)


def _carry_out(
    spec: JobSpec,
    series: SceneSeries,
    models: tuple[ModelFiles, ...],
    lent: _Lent,
    reporter: Reporter,
    memory: SceneMemory | None,
    sharing: Sharing | None,
) -> Result:
    options, output, inputs, scene = spec.options, spec.output, spec.inputs, series.target
    memory = sharing.memory if sharing is not None else memory
    overwrite, resume = spec.overwrite, spec.resume
    if isinstance(options, DetectOptions):
        return single.detect_clouds(
            scene, output, options.clouds, reporter, detector=options.detector, overwrite=overwrite, resume=resume
        )
    if isinstance(options, ChainOptions):
        from sunbreak.jobs.chain import run_chain

        return run_chain(
            series, output, models[0], models[1], options, reporter, overwrite=overwrite, resume=resume,
            runtimes=(lent[0], lent[1]), memory=memory, sharing=sharing,
        )  # fmt: skip
    files = models[0]
    if isinstance(options, CleanOptions):
        return single.clean(
            series, output, files, options, reporter, overwrite=overwrite, resume=resume, runtime=lent[0],
            memory=memory, sharing=sharing,
        )  # fmt: skip
    if isinstance(options, ClassifyOptions):
        with _reconstructed(spec, scene, reporter) as fraction:
            return single.classify(
                scene, output, files, options, reporter, share=fraction, overwrite=overwrite, resume=resume,
                runtime=lent[0],
            )  # fmt: skip
    return single.explain(
        scene, output, files, options, reporter, point=inputs.point, polygons=inputs.polygons, overwrite=overwrite,
        resume=resume,
    )  # fmt: skip


@contextmanager
def _reconstructed(spec: JobSpec, scene: Scene, reporter: Reporter) -> Iterator[ShareRaster | None]:
    """The reconstructed fraction of a cleaned scene: the layer that is given or lies beside it."""
    from sunbreak.landcover.reconstructed import ShareRaster, beside

    s2 = spec.inputs.s2
    layer = spec.inputs.reconstructed or (beside(s2[0]) if len(s2) == 1 else None)
    if layer is None:
        yield None
        return
    reporter.message(f"The reconstructed fraction is read from {layer}.")
    fraction = ShareRaster(layer, scene)
    try:
        yield fraction
    finally:
        fraction.close()


@contextmanager
def _lent(spec: JobSpec, models: tuple[ModelFiles, ...], runtimes: Runtimes | None) -> Iterator[_Lent]:
    with ExitStack() as stack:
        places = _places(spec.options)
        if runtimes is None:
            yield [None for _ in places]
        else:
            pairs = zip(models, places, strict=False)
            yield [stack.enter_context(runtimes.lent(files, *where)) for files, where in pairs]


def _places(options: Options) -> list[tuple[DeviceName, RuntimeName, Precision]]:
    """How each network runs that can be shared between jobs; saliency maps need one of their own."""
    if isinstance(options, ChainOptions):
        return [*_places(options.clean), *_places(options.classify)]
    if isinstance(options, CleanOptions):
        return [(options.device, options.runtime, options.precision)]
    if isinstance(options, ClassifyOptions):
        return [(options.device, options.runtime, "exact")]
    return []
