"""The page docs/python.md runs from top to bottom, with tiny models."""

from __future__ import annotations

import re
from pathlib import Path

import sunbreak
from sunbreak.api import __all__ as interface

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def test_the_page_runs_from_top_to_bottom(small_model, small_classifier, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names = {"REMOVAL": small_model.path, "CLASSIFIER": small_classifier.path}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    said = capsys.readouterr().out
    assert len(blocks) == 11
    assert "cleaned" in said and " done " in said and "'psnr_cloud'" in said
    assert list((tmp_path / "many").glob("*/*_cleaned.tif"))
    assert (tmp_path / "elsewhere").is_dir()


def test_the_page_names_every_function():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in interface)
    assert set(interface) < set(sunbreak.__all__)
