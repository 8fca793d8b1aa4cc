"""What the backend's search found, and what is ticked in it."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from finding import RADAR, content, radar_id, scene_id

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


@pytest.fixture
def found(plugin_folder):
    from sunbreak.plugin.found import parse_found

    return parse_found(content())


@pytest.fixture
def ticks(found):
    from sunbreak.plugin.ticks import Ticks

    return Ticks(found)


def test_scenes_are_read_with_clouds_as_shares(found):
    scene = found.scene(scene_id("20210605"))
    assert scene.acquired == datetime(2021, 6, 5, 10, 20, 31, tzinfo=timezone.utc)
    assert (scene.platform, scene.tiles, scene.level, scene.days) == ("Sentinel-2A", ("32UPV",), "L2A", 2)
    assert (scene.area_cloud, scene.tile_cloud) == (0.38, pytest.approx(0.412))
    unknown = found.scene(scene_id("20210615"))
    assert unknown.area_cloud is None
    assert unknown.cloud == pytest.approx(0.412)  # that of the tile, where the area's is not known
    assert found.catalogue == "Microsoft Planetary Computer"


def test_dates_of_any_form_are_utc(plugin_folder):
    from sunbreak.plugin.found import parse_found

    given = json.loads(content())
    for text in ("2021-06-05T12:20:31+02:00", "2021-06-05T10:20:31.5Z", "2021-06-05T10:20:31"):
        given["scenes"][0]["datetime"] = text
        dates = {scene.id: scene.acquired for scene in parse_found(json.dumps(given)).scenes}
        assert dates[scene_id("20210506")] == datetime(2021, 6, 5, 10, 20, 31, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scenes": [{}], "radar": [], "date": "2021-06-03", "days": 3}'])
def test_what_is_no_result_is_refused(plugin_folder, text):
    from sunbreak.plugin.found import parse_found

    with pytest.raises(ValueError, match=r"\w"):
        parse_found(text)


def test_what_is_proposed_is_ticked(ticks):
    from sunbreak.plugin.bridge.catalogue import Choice

    assert ticks.choice() == Choice(
        scene_id("20210605"),
        radar_id("20210604"),
        (scene_id("20210506"), scene_id("20210620")),
        (radar_id("20210508"),),
    )


def test_another_scene_takes_the_place_of_the_first_and_gets_whole_radar(ticks):
    ticks.take_scene(scene_id("20210531"))
    choice = ticks.choice()
    assert choice.scene == scene_id("20210531")
    assert choice.radar == radar_id("20210530")  # nearest of those that cover the whole area
    assert ticks.use(scene_id("20210605")) == ""


def test_the_scene_is_no_other_date_of_itself(ticks):
    ticks.take_other(scene_id("20210605"), True)
    assert scene_id("20210605") not in ticks.choice().others
    ticks.take_scene(scene_id("20210620"))
    assert ticks.choice().others == (scene_id("20210506"),)


def test_a_date_far_from_all_radar_gets_none(ticks):
    ticks.take_other(scene_id("20210620"), False)
    ticks.take_scene(scene_id("20210620"))
    assert ticks.choice().radar == ""
    assert "none" in ticks.choice().options()


def test_radar_that_is_ticked_off_is_none_and_says_so_to_the_backend(ticks):
    ticks.take_radar(scene_id("20210605"), "")
    options = ticks.choice().options()
    assert options[options.index("--radar") + 1] == "none"
    assert not ticks.takes_radar(radar_id("20210604"))
    assert ticks.takes_radar(radar_id("20210508"))


def test_radar_of_a_date_lists_the_proposed_one_first_then_the_whole_ones(found):
    scene = found.scene(scene_id("20210605"))
    listed = [one.acquired.strftime("%Y%m%d") for one in found.radar_near(scene)]
    assert listed == ["20210604", "20210530", "20210607"]
    assert len(RADAR) == 4  # that of May is too far away


def test_a_query_is_one_command_line(plugin_folder, tmp_path):
    from sunbreak.plugin.bridge.catalogue import Query, find_arguments, get_arguments

    query = Query((-3.5, 40.0, -3.25, 40.125), "2021-06-03", 20, 80, "L1C", "earth-search")
    assert find_arguments(query, thumbnails=tmp_path) == [
        "find", "--bbox=-3.500000,40.000000,-3.250000,40.125000", "--date", "2021-06-03", "--days", "20", "--profile",
        "earth-search", "--max-cloud", "80", "--level", "L1C", "--json", "--thumbnails", str(tmp_path),
    ]  # fmt: skip
    usual = get_arguments(Query(query.bbox, query.date, 20, 100, "", "cdse"), tmp_path)
    assert "--max-cloud" not in usual
    assert "--level" not in usual
    assert usual[-2:] == ["-o", str(tmp_path)]


def test_percentages_do_not_round_to_nothing_or_to_all(plugin_folder):
    from sunbreak.plugin.found_texts import days_text, percent

    shares = (0.0, 0.004, 0.01, 0.376, 0.995, 1.0, None)
    assert [percent(share) for share in shares] == ["0 %", "< 1 %", "1 %", "38 %", "> 99 %", "100 %", "unknown"]
    assert [days_text(days) for days in (0, 1, -28)] == ["same day", "+1 day", "\N{MINUS SIGN}28 days"]


def test_the_page_holds_pictures_and_reasons_and_no_markup_of_others(plugin_folder, tmp_path):
    from sunbreak.plugin.found import parse_found
    from sunbreak.plugin.found_page import as_page

    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    text = content(thumbnails={"20210605": str(tmp_path / "a.png")}, warnings=["<b>old</b>"])
    page = as_page(parse_found(text.replace("sentinel-2a", "<i>x</i>")))
    assert "data:image/png;base64,iVBORw==" in page
    assert "scene: nearest to the date" in page
    assert "&lt;b&gt;old" in page
    assert "<i>" not in page.lower()
