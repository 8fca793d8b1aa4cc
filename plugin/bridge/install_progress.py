"""Reads progress from pip's output: package, bytes downloaded, packages installed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ..compat import tr

_SHOWN_FROM = 1_000_000  # smaller files download too fast to be shown


class PipProgress:
    """Follows one run of pip.

    Args:
        expected_mb: Approximate download size in MB.
        unpacked_mb: Approximate unpacked size in MB.
        site_packages: Installation folder; it is watched because pip is silent while it unpacks.
        share: Fraction of the time for the download, 0 to 1; the rest is unpacking.
    """

    def __init__(self, expected_mb: float, unpacked_mb: float, site_packages: Path, share: float) -> None:
        self._expected = max(1.0, expected_mb) * 1e6
        self._unpacked = max(1.0, unpacked_mb) * 1e6
        self._site_packages = site_packages
        self._share = share
        self._done = 0.0
        self._current = 0.0
        self._name = ""
        self._unpacking = 0
        self._stood = 0
        self._free = 0
        self.fraction = 0.0
        self.text = ""

    def take(self, line: str) -> bool:
        """Read one line; False for progress lines, which are not logged."""
        match = re.fullmatch(r"Progress (\d+) of (\d+)", line.strip())
        if match:
            self._downloading(float(match[1]), float(match[2]))
            return False
        match = re.match(r"\s*(?:Downloading|Using cached|Processing|Saved) (\S.*?)(?: \(([^)]*)\))?$", line.rstrip())
        if match:
            self._next_file(match[1], match[2] or "")
        match = re.match(r"Installing collected packages: (.+)", line)
        if match:
            self._unpacking = match[1].count(",") + 1
            self._stood = self._count()
            self._free = shutil.disk_usage(self._site_packages).free
            self.fraction = max(self.fraction, self._share)
            self.text = tr("Unpacking {count} packages").format(count=self._unpacking)
        return True

    def look(self) -> None:
        """Measure how much has been unpacked; to be called repeatedly while pip is silent.

        Torch takes half a minute, during which the package count does not change. The free disk space is used too.
        """
        if not self._unpacking:
            return
        stand = min(self._unpacking, max(0, self._count() - self._stood))
        lost = self._free - shutil.disk_usage(self._site_packages).free
        part = max(stand / self._unpacking, min(0.95, lost / self._unpacked))
        self.fraction = max(self.fraction, self._share + (1 - self._share) * part)
        self.text = tr("Unpacked {done} of {count} packages").format(done=stand, count=self._unpacking)

    def _downloading(self, done: float, total: float) -> None:
        if done >= total:
            self._done += total
            self._current = 0.0
        else:
            self._current = done
        everything = self._done + self._current
        self.fraction = max(self.fraction, self._share * min(1.0, everything / self._expected))
        if total >= _SHOWN_FROM:
            self.text = tr("{name}: {done:.0f} of {total:.0f} MB ({everything:.0f} MB of about {expected:.0f})").format(
                name=self._name,
                done=done / 1e6,
                total=total / 1e6,
                everything=everything / 1e6,
                expected=max(everything, self._expected) / 1e6,
            )

    def _next_file(self, source: str, size: str) -> None:
        name = re.split(r"[\\/]", source.partition(" (from ")[0].strip())[-1]
        if not name.endswith((".whl", ".gz", ".zip")):
            return
        parts = name.split("-")
        self._name = f"{parts[0]} {parts[1]}" if len(parts) > 1 else name
        self.text = f"{self._name} ({size})" if size and not size.startswith("from ") else self._name

    def _count(self) -> int:
        return sum(1 for _ in self._site_packages.glob("*.dist-info"))


class Lines:
    """Splits output into lines that end with a line feed, a carriage return or both."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """Add a chunk; the lines that it completes."""
        *lines, self._rest = re.split(rb"[\r\n]+", self._rest + chunk)
        return [line.decode("utf-8", errors="replace") for line in lines if line.strip()]

    def finish(self) -> list[str]:
        """The last line, if it had no end."""
        return self.feed(b"\n")
