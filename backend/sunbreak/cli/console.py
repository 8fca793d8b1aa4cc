"""Terminal output: messages, a progress bar with the time left, and the layers at the end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from sunbreak.errors import SunbreakError
from sunbreak.events import Cancellation, Level, Reporter
from sunbreak.texts import visible

_SHARES = {
    "cloud_share": "cloud",
    "thin_cloud_share": "thin cloud",
    "shadow_share": "shadow",
    "reconstructed_share": "reconstructed",
    "other_dates_share": "from other dates",
    "changed_share": "of the classes changed by cleaning",
}
_AREA, _ADJUSTED = "hectares_", "adjusted_hectares_"


class Console(Reporter):
    """Writes for people: results to standard output, everything else to standard error."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        super().__init__(cancellation)
        self._out = Terminal(highlight=False)
        self._err = Terminal(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._unit = ""
        self._task: Any = None

    def message(self, text: str, level: Level = "info") -> None:
        """See `Reporter`."""
        style, mark = ("yellow", "! ") if level == "warning" else ("dim", "")
        self._err.print(mark + visible(text), style=style, markup=False)

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`."""
        if self._bar is None or unit != self._unit:
            self.close()
            self._unit = unit
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[on]}", style="dim", table_column=Column(no_wrap=True, overflow="ellipsis")),
                console=self._err,
            )
            self._bar.start()
            self._task = self._bar.add_task(escape(visible(unit)), total=total, on="")
        on = escape(visible("; ".join(self._working_on)))
        self._bar.update(self._task, completed=done, total=total, on=on)

    def result(self, layers: Mapping[str, Path], numbers: Mapping[str, float | str]) -> None:
        """See `Reporter`."""
        self.close()
        width = max((len(role) for role in layers), default=0)
        for role, path in layers.items():
            # never cut or wrapped, so that a path can be copied
            self._out.print(visible(f"{role:<{width}}  {path}"), markup=False, soft_wrap=True)
        said = [f"{float(numbers[key]):.1%} {name}" for key, name in _SHARES.items() if key in numbers]
        if "mean_sigma" in numbers:
            said.append(f"mean sigma {float(numbers['mean_sigma']):.4f} where reconstructed")
        if "mean_confidence" in numbers:
            said.append(f"mean confidence {float(numbers['mean_confidence']):.2f}")
        if "predicted_class" in numbers:
            said.append(f"classified as {numbers['predicted_class']}")
        if "strongest_band" in numbers:
            said.append(f"strongest band {numbers['strongest_band']}")
        areas = [(key.removeprefix(_AREA), float(numbers[key])) for key in numbers if key.startswith(_AREA)]
        for name, hectares in areas:
            line = f"  {name.replace('_', ' '):<18} {hectares:>12,.1f} ha"
            if (adjusted := _ADJUSTED + name) in numbers:
                half = float(numbers[f"{adjusted}_ci95"])
                line += f"  (adjusted for errors: {float(numbers[adjusted]):,.1f} +- {half:,.1f} ha)"
            self._out.print(visible(line), markup=False)
        if "report" in numbers:
            self._out.print(visible(f"report  {numbers['report']}"), markup=False, soft_wrap=True)
        if "seconds" in numbers:
            said.append(f"{float(numbers['seconds']):.1f} s")
        if said:
            self._out.print(visible(", ".join(said)), markup=False, soft_wrap=True)

    def error(self, error: SunbreakError) -> None:
        """See `Reporter`."""
        self.close()
        style = "yellow" if error.code == "cancelled" else "bold red"
        self._err.print(visible(str(error)), style=style, markup=False, soft_wrap=True)

    def close(self) -> None:
        """See `Reporter`."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
