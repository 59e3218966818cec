"""pyland new --station: weather and a case of the record of a logger."""

from site_files import write_station_record


def test_new_from_the_record_of_a_station(command, tmp_path):
    record = write_station_record(tmp_path / "record.dat")
    place = ("--set", "latitude=38.2346", "--set", "longitude=-97.571", "--set", "elevation=455")
    code, _, err = command("new", tmp_path / "case", "--station", record, *place)
    assert code == 2 and "does not say its height; add --set height=VALUE" in err
    settings = (*place, "--set", "height=2.5", "--set", "utc_offset=-6", "--set", "longest_gap={wind_speed: 30 h}")
    assert command("new", tmp_path / "case", "--station", record, *settings)[0] == 0
    assert sorted(path.name for path in (tmp_path / "case").iterdir()) == ["case.yaml", "forcing.nc"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case", "record.dat"]
    text = (tmp_path / "case/case.yaml").read_text()
    assert 'path: "forcing.nc"' in text and "height: 2.5" in text and "start: 2022-06-01T06:00:00" in text
    assert command("check", tmp_path / "case")[0] == 0
    for extra, message in ((("--set", "hight=2"), "did you mean 'height'"), (("--site", "a.nc"), "got several"),
                           (("--set", "interval=soon"), "such as '30 h'")):
        code, _, err = command("new", tmp_path / "other", "--station", record, *settings, *extra)
        assert code == 2 and message in err
    code, _, err = command("new", tmp_path / "other", "--set", "height=2")
    assert code == 2 and "--set belongs to --station" in err


def test_a_place_beyond_the_globe_is_refused_before_the_record_is_read(command, tmp_path):
    code, _, err = command("new", tmp_path / "case", "--station", tmp_path / "none.dat", "--set", "latitude=95")
    assert code == 2 and "latitude must lie within -90 to 90 degrees, got 95." in err
