"""The step that removes clouds."""

from __future__ import annotations

from typing import Any

from rasterio.windows import Window

from sunbreak.clouds import ukis_networks
from sunbreak.clouds.choice import Choice, choose
from sunbreak.clouds.classes import WORDS, Classes
from sunbreak.clouds.dates import DateClouds, find_clouds
from sunbreak.clouds.given_masks import given_classes
from sunbreak.clouds.margins import Margins
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.defaults import CLOUD_DETECTOR, NO_DETECTOR, REPLACE
from sunbreak.engine import RunCount, Runtime, make_runtime, run_task
from sunbreak.engine.ahead import Ahead
from sunbreak.engine.memory import return_freed
from sunbreak.engine.runtime import NoRuntime, check_runtime, runs_compiled
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.jobs.detect_step import DetectStep, warn_of_share
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.result import gdal_scale
from sunbreak.jobs.runtimes import SceneMemory
from sunbreak.jobs.sharing import Sharing
from sunbreak.jobs.step_checkpoints import WORKERS, StepKeeper
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
from sunbreak.models.registry import ModelFiles
from sunbreak.removal import first_pass, fit
from sunbreak.removal.network_share import network_share
from sunbreak.removal.other_dates import OtherDatesRemoval, date_names, nearest, without_network
from sunbreak.removal.several_dates import SeveralDatesRemoval, choose_dates
from sunbreak.removal.task import DEFAULT_BUFFER, DEFAULT_FEATHER, CloudRemoval, MaskSource
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.scene import Scene, SceneReader, SceneSeries

_SAMPLING = ("samples", "seed")


class CleanStep:
    """Removes the clouds of a scene; detects them first if no mask was given.

    Args:
        given: What to clean, alone or with other dates.
        files: The model.
        options: How.
        runtime: Where the network runs, if not chosen by `options`.
        memory: Clouds and samples of scenes that other jobs read too; those found here are put into it.
        sharing: Processes that share the work.

    Raises:
        SunbreakError: The model does not fit the scene.
    """

    weight = 60.0

    def __init__(
        self,
        given: Scene | SceneSeries,
        files: ModelFiles,
        options: CleanOptions,
        runtime: Runtime | None = None,
        *,
        memory: SceneMemory | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        check_runtime(options.device, options.runtime)
        self.sharing = sharing
        self.series = SceneSeries.of(given)
        self.scene = scene = self.series.target
        self.files, self.options, self.runtime, self.memory = files, options, runtime, memory
        self.detecting = None
        self._coming: Ahead[Runtime] | None = None
        # a guided network needs the clouds even where everything is replaced
        masked = files.card.guided or not options.replace_all
        choice = choose(options.detector, options.clouds, scene) if masked else Choice(None)
        exact = scene.cloud_mask is not None and not scene.cloud_mask.of_product
        if choice.detector is not None:
            # this step writes the mask, with its margins; only the probability is the detector's
            self.detecting = DetectStep(scene, choice, ("cloud_probability",))
        elif masked and not exact:
            masked = False
            if not options.replace_all:
                raise InputError(
                    f"{scene.inputs[0]}: the detector is none, and no mask is given: nothing would be replaced.",
                    "Give a cloud mask with --mask, choose a detector, or replace everything with --replace-all.",
                    code="no-mask",
                )
        margins = options.margins(0 if exact else DEFAULT_BUFFER)
        widths = dict(zip(WORDS, (margins.thick, margins.thin, margins.shadow), strict=True))
        least = min(widths[word] for word in options.replace)
        feather = options.feather if options.feather is not None else min(DEFAULT_FEATHER, least)
        source = _mask_source(self.detecting) if masked else None
        which = tuple(WORDS[word] for word in options.replace)
        self._notes: tuple[str, ...] = ()
        more: dict[str, Any] = {"which": which, "replace_all": options.replace_all}
        if files.card.dates > 1:
            chosen = choose_dates(self.series, files.card)
            self.series, self._notes = chosen.series, chosen.notes
            self.task: CloudRemoval = SeveralDatesRemoval(self.series, files.card, source, feather, margins, **more)
        elif self.series.others and source is not None:
            self.series = nearest(self.series)
            network = not fit.missing_bands(scene, files.card)
            card = files.card if network else without_network(files.card, scene)
            self.task = OtherDatesRemoval(self.series, card, source, feather, margins, network=network, **more)
        else:
            self.task = CloudRemoval(scene, files.card, source, feather, margins, **more)
        self.count = RunCount()

    @property
    def phases(self) -> int:
        """See `sunbreak.jobs.step.Step`."""
        return 2 if self.detecting else 1

    @property
    def specs(self) -> list[LayerSpec]:
        """The layers."""
        scene = self.scene
        specs = [roles.cleaned(scene.bands, scene.dtype, scene.nodata, *gdal_scale(scene)), roles.reconstructed()]
        specs += [roles.uncertainty(scene.bands)] if self.task.card.has_variance else []
        specs += [roles.cloud_mask()] if self.task.mask is not None else []
        if isinstance(self.task, OtherDatesRemoval):
            specs += [roles.source(date_names(self.series)), roles.changed()]
        specs += self.detecting.specs if self.detecting else []
        return specs

    @property
    def fit_warnings(self) -> list[str]:
        """What the user should know about the model on this scene; nothing if the network is not asked."""
        if isinstance(self.task, OtherDatesRemoval) and not self.task.network:
            return []
        return fit.fit_warnings(self.scene, self.files.card)

    @property
    def _cloud_source(self) -> object:
        """Source of the cloud mask, for the provenance."""
        mask = self.scene.cloud_mask
        if self.detecting is not None:
            return {"detector": self.detecting.detector.name, **self.detecting.parameters}
        if mask is None:
            return "none"
        # a recognised coding goes without its name, as in layers and journals of earlier versions
        return "given mask" if mask.option == "auto" else f"given mask, as {mask.option}"

    @property
    def _margins(self) -> dict[str, object]:
        margins = self.task.margins
        if margins == Margins.all(margins.thick):
            return {"buffer": margins.thick}
        return {"buffer": margins.thick, "buffer_thin": margins.thin, "buffer_shadow": margins.shadow}

    @property
    def parameters(self) -> dict[str, object]:
        """What the layers depend on beside the files."""
        options = self.options
        return {
            "replace_all": options.replace_all,
            "feather": self.task.feather,
            **self._margins,
            **({} if self.options.replace == REPLACE else {"replace": list(self.options.replace)}),
            "clouds": self._cloud_source,
            "prior": "the model's, and what is clear around" if self.task.looks_around else "the model's",
            "temperature": list(self.files.card.temperature),
            **{key: self.files.card.arguments[key] for key in _SAMPLING if key in self.files.card.arguments},
            **self.task.parameters,
        }

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layers.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        for text in self.fit_warnings:
            reporter.message(text, "warning")
        for text in self._notes:
            reporter.message(text)
        self._load_ahead()
        if self.detecting:
            self.detecting.run(layers, reporter, self.sharing)
            if self.memory is not None:
                found = self.detecting.task
                self.memory.clouds.put(self.scene, self.detecting.detector, found.mask, found.counts)
        if isinstance(self.task, OtherDatesRemoval):
            if self.sharing is not None:
                self.sharing.find_clouds_of_dates(len(self.series.others), reporter)
            self.look_at_dates(self.task, reporter)
        if self.task.looks_around:
            looks = None
            if self.sharing is not None:
                looks = self.sharing.look_around(-(-self.scene.grid.height // first_pass.ROWS), reporter)
            seen = self.task.look_around(reporter.checkpoint, looks)
            reporter.message(f"The cloud-filled guide uses {seen:,} clear pixels of the scene.")
        if self.sharing is None:
            runtime = self._runtime(reporter)
            self._settle_share(runtime)
            keeper = StepKeeper(layers, "clean", runtime.label, self.task)
            self.count = run_task(self.task, self.task.reads, runtime, layers.write, reporter, keeper)
        else:
            if isinstance(self.task, OtherDatesRemoval) and self.task.guide is not None:
                self._settle_share(self._runtime(reporter))
            else:
                reporter.message(f"Model {self.files.card.name} on the workers.")
            sharing, task = self.sharing, self.task
            keeper = StepKeeper(layers, "clean", WORKERS, task)
            self.count = keeper.once(task.layout, lambda: sharing.clean(task, task.fitted(), layers.write, reporter))
        if self.task.mask is not None and not self.detecting:
            warn_of_share(self.task.counts, reporter)

    def _load_ahead(self) -> None:
        """Begin to load the network while clouds are detected, if no torch is needed for that."""
        ready = self.runtime is None and self.sharing is None and self.files.card.converted is not None
        if ready and runs_compiled(self.options.device) and self.options.runtime != "torch" and self._asks_network:
            self._coming = Ahead(self._make_runtime)

    def _make_runtime(self) -> Runtime:
        return make_runtime(self.files, self.options.device, self.options.runtime, self.options.precision)

    @property
    def _asks_network(self) -> bool:
        return not isinstance(self.task, OtherDatesRemoval) or self.task.network

    def _settle_share(self, runtime: Runtime) -> None:
        """Measure how much of what the network says is kept where other dates are clear."""
        if isinstance(self.task, OtherDatesRemoval):
            self.task.share = network_share(self.task, runtime)

    def find_clouds_of(self, other: Scene, reporter: Reporter) -> MaskRows | None:
        """Find the clouds of one of the other dates, see `sunbreak.clouds.dates.find_clouds`."""
        known = self.memory.clouds if self.memory is not None else None
        return find_clouds(other, reporter, _detector_of(self.options.detector), self.options.clouds, known)

    def look_at_dates(self, task: OtherDatesRemoval, reporter: Reporter) -> None:
        """Find the clouds of the other dates, and fit the temporal guide."""
        samples = self.memory.samples if self.memory is not None else None
        found = []
        for other in self.series.others:
            found.append(self.find_clouds_of(other, reporter))
            # what a detector leaves in the heaps adds up over the dates
            return_freed()
        # what fills the clouds needs the memory that the detector's networks hold
        ukis_networks.forget()
        return_freed()
        guide = task.look_at_dates(DateClouds(found), DaysPrior.load(), reporter.checkpoint, samples)
        if guide is None:
            text = "None of the other dates shows what the clouds hide: the scene is cleaned alone."
            if not task.network:
                raise InputError(
                    f"{self.scene.inputs[0]}: none of the other dates shows what the clouds hide, and the model "
                    f"{self.files.card.name} needs bands that are not there.",
                    "Give other dates, or all bands of the product.",
                    code="no-date-clear",
                )
            reporter.message(text, "warning")
            return
        reporter.message(f"Other dates that are used: {', '.join(task.used_dates)}.")
        if guide.from_prior:
            text = "The scene has hardly a clear pixel: its colours follow the other dates and the days between."
            reporter.message(text, "warning")

    def _runtime(self, reporter: Reporter) -> Runtime:
        """Where the network runs; where none is asked, a stand-in that never runs."""
        if not self._asks_network:
            missing = ", ".join(fit.missing_bands(self.scene, self.files.card))
            reporter.message(f"Other dates alone are used: the model {self.files.card.name} needs {missing}.")
            return NoRuntime()
        runtime = self.runtime or (self._coming.get() if self._coming else self._make_runtime())
        self._coming = None
        reporter.message(f"Model {self.files.card.name} with {runtime.label}.")
        return runtime

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        return {**self.task.numbers(), "tiles": self.count.tiles, "tiles_computed": self.count.computed}


def _detector_of(name: str) -> str:
    """The detector of the other dates: without one for the scene, whose mask was given, theirs is the default."""
    return CLOUD_DETECTOR if name == NO_DETECTOR else name


def _mask_source(detecting: DetectStep | None) -> MaskSource:
    if detecting is not None:
        found = detecting.task.mask
        return lambda reader, first, stop: found.get(first, stop)

    def given(reader: SceneReader, first: int, stop: int) -> Classes:
        return given_classes(reader, Window(0, first, reader.scene.grid.width, stop - first))

    return given
