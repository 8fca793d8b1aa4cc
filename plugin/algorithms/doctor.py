"""`sunbreak:doctor`: checks the installation on this machine. It also runs without a backend."""

from __future__ import annotations

import time
from html import escape
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback, QgsProcessingUtils

from ..bridge.diagnosis import Finding, run_checks
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
    """Checks the plugin, its backend and the machine, and suggests fixes."""

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
        """Stable id; never changes."""
        return "doctor"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Doctor")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Set-up")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "setup"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "check", "diagnosis", "install", "problem", "help", "backend"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Checks the installation on this machine and says how to fix what fails.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Checks the backend's interpreter and packages, the device, GDAL and PROJ, models, disk and "
            "proxy, and cleans a small simulated scene. This takes about half a minute.\n\n"
            "For each check that fails, one fix is suggested. The text can be copied into a bug report: your "
            "name and your home folder are left out.\n\n"
            "The doctor also runs where the backend cannot be started, and then says why."
        )

    def canExecute(self) -> tuple[bool, str]:
        """Always: its purpose is to report what is missing."""
        return True, ""

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare the outputs."""
        self.add_destinations(
            {
                OUTPUT: tr("Findings"),
                FAILURES: tr("Number of failed checks"),
                TEXT: tr("Findings as text"),
            },
            shown=(OUTPUT,),
        )

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read QGIS's settings, which is allowed in the main thread only."""
        try:
            self.check(parameters, context)
        except OutputError as error:
            raise QgsProcessingException(str(error)) from error
        self._proxy = network_environment().get("HTTPS_PROXY", "")
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run all checks. A failed check is a result, not a failure of the algorithm."""
        try:
            findings = run_checks(Path(QgsProcessingUtils.tempFolder()), self._proxy, feedback)
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
    """The findings as text without private paths: a head, one line per finding, then one line per fix."""
    width = max(len(finding.name) for finding in findings)
    lines = [f"Sunbreak doctor, {time.strftime('%Y-%m-%d %H:%M')}"]
    lines += [f"{'ok' if f.well else '!!'}  {f.name:<{width}}  {' '.join(f.found.split())}" for f in findings]
    lines += [f"->  {f.name:<{width}}  {f.advice}" for f in findings if f.advice]
    return without_private("\n".join(lines))


def as_page(findings: list[Finding], text: str) -> str:
    """The findings as HTML, with the text to copy below."""
    rows = "".join(
        f'<tr><td class="{"well" if f.well else "ill"}">{tr("ok") if f.well else tr("failed")}</td>'
        f"<td><b>{escape(f.name)}</b></td><td>{escape(without_private(f.found))}"
        + (f'<br><span class="advice">&rarr; {escape(without_private(f.advice))}</span>' if f.advice else "")
        + "</td></tr>"
        for f in findings
    )
    ill = sum(not finding.well for finding in findings)
    verdict = tr("All checks passed.") if not ill else tr("{count} checks failed.").format(count=ill)
    if ill == 1:
        verdict = tr("One check failed.")
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>Sunbreak</title><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(verdict)}</h1><table>{rows}</table>"
        f"<p>{escape(tr('To copy into a bug report:'))}</p><pre>{escape(text)}</pre></body></html>\n"
    )
