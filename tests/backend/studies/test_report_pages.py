"""The report as a folder, and the command that writes it."""

from __future__ import annotations

import csv
import json
import re
from html import unescape

import numpy as np
import pytest
from PIL import Image
from program import sunbreak

from sunbreak.errors import Cancelled, OutputError
from sunbreak.studies.downstream import drawing
from sunbreak.studies.downstream.report_pages import render, write_report
from sunbreak.studies.downstream.results import evaluate
from sunbreak.studies.downstream.results_csv import HEADER, numbers, write_numbers
from sunbreak.studies.downstream.table import make_table
from sunbreak.studies.downstream.table_files import write_table

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def evaluation(table):
    return evaluate(table, replicates=20)


@pytest.fixture(scope="module")
def report(evaluation, tmp_path_factory):
    return write_report(evaluation, tmp_path_factory.mktemp("report"))


def test_all_files_of_the_page_exist(report):
    folder = report["report"].parent
    page = report["report"].read_text(encoding="utf-8")
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) > 30
    assert not [link for link in links if "://" in link or not (folder / link).is_file()]


def test_every_figure_from_the_table_exists_as_png_and_svg(report):
    names = {path.stem for path in (report["report"].parent / "figures").glob("*.png")}
    for wanted in ("fig1_cover", "fig2_classes", "fig5_confusion", "fig6_difference", "fig9_scores", "reliability"):
        assert wanted in names
    for mode in ("paper", "corrected"):
        assert {f"fig7_by_cover_{mode}", f"fig8_by_ssim_removed_{mode}"} <= names
    for path in (report["report"].parent / "figures").glob("*.png"):
        assert path.with_suffix(".svg").read_text(encoding="utf-8").startswith("<?xml")
        with Image.open(path) as image:
            assert image.width > 1000
            assert np.asarray(image.convert("L")).std() > 10


def test_the_page_states_conventions_and_exclusions(report, evaluation):
    page = unescape(report["report"].read_text(encoding="utf-8"))
    for remark in evaluation.remarks:
        assert remark.text in page
    for words in ("Table 2. Separability, paper mode", "Table 2, corrected mode", "trapezoid", "published: Hauptvogel"):
        assert words in page
    f1 = evaluation.inputs["clear"].macro["all"]["f1"]
    assert f"{f1.value:.3f} ({f1.low:.3f} to {f1.high:.3f})" in page
    assert "28.79" in page and "0.642" in page


def test_logarithmic_axes_have_plain_numbers():
    figure = drawing.new(5, 3)
    axes = figure.subplots()
    axes.set_xscale("log")
    drawing.plain_log_ticks(axes, 0.2, 6)
    axes.set_xlim(0.2, 6)
    figure.canvas.draw()
    labels = [label.get_text() for label in axes.get_xticklabels(which="both") if label.get_text()]
    assert {"0.2", "0.5", "1", "2", "5"} <= set(labels)
    assert all(float(label) > 0 for label in labels)


def test_the_number_of_bins_grows_with_the_number_of_patches():
    values = [np.random.default_rng(0).normal(size=4000)]
    assert [len(drawing.edges(values, False, count)) - 1 for count in (10, 120, 4000)] == [12, 16, 40]


def test_names_from_the_table_are_escaped_in_the_page(columns):
    columns["classes"] = np.array([f"<b>{index}</b>" for index in range(10)])
    page = render(evaluate(make_table(columns), replicates=10, modes=("paper",)), {}, {})
    assert "<b>3</b>" not in page
    assert "&lt;b&gt;3&lt;/b&gt;" in page


def test_the_csv_has_every_number_once_with_all_digits(evaluation, tmp_path):
    paths = write_numbers(numbers(evaluation), tmp_path)
    with paths["numbers"].open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == HEADER
    assert len(rows) == len(numbers(evaluation)) > 1000
    keys = [tuple(row[:5]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in paths.values()) == 2 * len(rows)
    by_key = dict(zip(keys, rows, strict=True))
    found = by_key["overall", "", "removed", "mean over supported classes", "macro_f1"]
    assert float(found[5]) == evaluation.inputs["removed"].macro["supported"]["f1"].value
    lost = by_key["by_cover", "paper", "removed", "0–10 %", "f1"]
    assert int(lost[8]) == evaluation.modes["paper"].by_cover.binning.count[0]


def test_a_class_without_support_is_an_empty_cell_in_the_csv(evaluation):
    rows = [number.row() for number in numbers(evaluation)]
    recall = next(row for row in rows if row[:5] == ("per_class", "", "clear", "Snow/Ice", "recall"))
    assert recall[5:] == ("", "", "", "0")


def test_a_folder_that_cannot_be_created_is_refused_by_name(evaluation, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        write_report(evaluation, tmp_path / "file" / "report")


def test_a_cancelled_report_leaves_no_files_and_keeps_an_earlier_one(evaluation, tmp_path):
    def stop_at_the_third():
        calls.append(None)
        if len(calls) == 3:
            raise Cancelled

    calls: list[None] = []
    with pytest.raises(Cancelled):
        write_report(evaluation, tmp_path / "new", stop_at_the_third)
    assert not (tmp_path / "new").exists()
    (tmp_path / "report.html").write_text("earlier")
    calls.clear()
    with pytest.raises(Cancelled):
        write_report(evaluation, tmp_path, stop_at_the_third)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "earlier"


def test_the_command_writes_the_report_and_sends_events(table, tmp_path):
    path = write_table(table, tmp_path / "patches.npz")
    call = [
        "study",
        "downstream",
        "--table",
        path,
        "-o",
        tmp_path / "out",
        "--mode",
        "paper",
        "--replicates",
        20,
        "--events",
    ]
    done = sunbreak(*call)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "result"
    assert events[-1]["layers"]["report"].endswith("report.html")
    assert 0.3 < events[-1]["numbers"]["macro F1 clear"] < 0.9
    assert not (tmp_path / "out" / "figures" / "fig7_by_cover_corrected.png").exists()


def test_the_command_refuses_an_invalid_table_and_writes_nothing(table, tmp_path):
    path = write_table(table, tmp_path / "patches.npz")
    done = sunbreak("study", "downstream", "--table", path, "-o", tmp_path / "out", "--split", "summer")
    assert done.returncode == 2
    assert "no patch is in the split 'summer'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
