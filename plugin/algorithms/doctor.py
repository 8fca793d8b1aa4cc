"""`sunbreak:doctor`: what works on this machine, and what to do about the rest. It runs without a backend too."""

from __future__ import annotations

import time
from html import escape
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback, QgsProcessingUtils

from ..bridge.diagnosis import Finding, look_at_everything
from ..bridge.install_network import network_environment
from ..bridge.process import BackendError
from ..compat import tr
from ..outputs import OutputError
from ..privacy import without_private
from .base import BackendAlgorithm
from .declarations import OUTPUT

TEXT = "TEXT"
FAILURES = "FAILURES"

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1000px;padding:24px;color:#1c2733;background:#fff}
h1{font-size:24px;margin:0 0 12px}table{border-collapse:collapse}
td{padding:6px 14px 6px 0;vertical-align:top;border-top:1px solid #e3e8ec}
.well{color:#1b7f3b}.ill{color:#b3261e;font-weight:600}td.well,td.ill,td b{white-space:nowrap}.advice{color:#4a5865}
pre{background:#f3f5f7;padding:12px;white-space:pre-wrap;font-size:13px}
"""


class Doctor(BackendAlgorithm):
    """Looks at the plugin, its backend and the machine, and says what to do."""

    command = "doctor"
    help_topic = "when-something-is-wrong"
    icon_name = "doctor"
    roles = {}  # noqa: RUF012 (read only)
    visible = ()
    files = {OUTPUT: "_doctor.html"}  # noqa: RUF012
    numbers = {FAILURES: "failures"}  # noqa: RUF012
    words = {TEXT: "text"}  # noqa: RUF012
    inputs = ()

    def name(self) -> str:
        """Stable for ever."""
        return "doctor"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Doctor")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Set-up")

    def groupId(self) -> str:
        """Stable for ever."""
        return "setup"

    def tags(self) -> list[str]:
        """Words that find it in the toolbox."""
        return [*super().tags(), "check", "diagnosis", "install", "problem", "help", "backend"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Says what works on this machine, and what to do where something does not.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Looks at the backend's interpreter and packages, the device, GDAL and PROJ, models, disk and proxy, and "
            "cleans a small made-up scene. Takes about half a minute.\n\nWhere something does not work it says one "
            "thing to do. The text can be copied into a report: it names neither you nor your home folder.\n\nIt also "
            "runs where the backend cannot, and then says why."
        )

    def canExecute(self) -> tuple[bool, str]:
        """Always: to say what is missing is what it is for."""
        return True, ""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare the outputs."""
        self.add_destinations(
            {
                OUTPUT: tr("Findings"),
                FAILURES: tr("Number of things that do not work"),
                TEXT: tr("Findings as text"),
            },
            shown=(OUTPUT,),
        )

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read QGIS's settings, which belong to the main thread."""
        try:
            self.check(parameters, context)
        except OutputError as error:
            raise QgsProcessingException(str(error)) from error
        self._proxy = network_environment().get("HTTPS_PROXY", "")
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Look at everything; what does not work is a result and no failure."""
        try:
            findings = look_at_everything(Path(QgsProcessingUtils.tempFolder()), self._proxy, feedback)
        except BackendError as error:  # cancelled
            raise QgsProcessingException(str(error)) from error
        text = as_text(findings)
        for finding, line in zip(findings, text.splitlines()[1:], strict=False):
            (feedback.pushInfo if finding.well else feedback.pushWarning)(line)
        ill = [finding for finding in findings if not finding.well]
        for finding in ill:
            feedback.pushWarning(without_private(finding.advice))
        results: dict[str, Any] = {FAILURES: len(ill), TEXT: text}
        target = self.parameterAsFileOutput(parameters, OUTPUT, context)
        if target:
            try:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
                Path(target).write_text(as_page(findings, text), encoding="utf-8")
            except OSError as error:
                raise QgsProcessingException(
                    tr("{path} cannot be written: {reason}. Choose another name.").format(
                        path=target, reason=error.strerror
                    )
                ) from error
            results[OUTPUT] = target
        return results


def as_text(findings: list[Finding]) -> str:
    """The findings as lines: a head, one line for each, and then one for each thing to do. Without private paths."""
    width = max(len(finding.name) for finding in findings)
    lines = [f"Sunbreak doctor, {time.strftime('%Y-%m-%d %H:%M')}"]
    lines += [f"{'ok' if f.well else '!!'}  {f.name:<{width}}  {' '.join(f.found.split())}" for f in findings]
    lines += [f"->  {f.name:<{width}}  {f.advice}" for f in findings if f.advice]
    return without_private("\n".join(lines))


def as_page(findings: list[Finding], text: str) -> str:
    """The findings as HTML, with the text to copy below."""
    rows = "".join(
        f'<tr><td class="{"well" if f.well else "ill"}">{tr("ok") if f.well else tr("not well")}</td>'
        f"<td><b>{escape(f.name)}</b></td><td>{escape(without_private(f.found))}"
        + (f'<br><span class="advice">&rarr; {escape(without_private(f.advice))}</span>' if f.advice else "")
        + "</td></tr>"
        for f in findings
    )
    ill = sum(not finding.well for finding in findings)
    verdict = tr("Everything works.") if not ill else tr("{count} things do not work.").format(count=ill)
    if ill == 1:
        verdict = tr("One thing does not work.")
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>Sunbreak</title><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(verdict)}</h1><table>{rows}</table>"
        f"<p>{escape(tr('To copy into a report:'))}</p><pre>{escape(text)}</pre></body></html>\n"
    )
