"""Open loops that observe as they run: predictions, scaling of biased sensors, kill and resume."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from observed_cases import seen

from cases import TWIN, arrays, assert_same_run, changed, differences, write_case
from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, NO_CLIMATOLOGY
from pyland.base.parallel import Communicator
from pyland.config import load_case
from pyland.driver.analysis.open_loop_observer import OpenLoopObserver, by_analysis, seen_of_run, with_prediction
from pyland.driver.rivers.given_stages import GivenStages
from pyland.driver.run import kind_of_run, run_case
from pyland.observe import ObservationSet, read_table, sets_between

TRUE = {"brightness_temperature": (2.0, "3 h", {"albedo": 0.3, "incidence_angle": 40}),
        "backscatter": (0.5, "6 h", {"volume": 0.0012, "attenuation": 0.09, "rms_height": 0.02}),
        "crns": (10.0, "60 min", {"n": 500.0})}
"""Error, interval and true radiative transfer, or true calibration."""

BELIEVED = {"brightness_temperature": {"incidence_angle": 40}, "backscatter": {"volume": 0.0012, "attenuation": 0.09},
            "crns": {"n": 400.0}}
"""What the assimilation takes them for: a lower albedo, smoother ground, another N."""

SCALED = {"brightness_temperature": "mean", "backscatter": "mean_std", "crns": "cdf"}

WARM = 287.0
"""Some nights of the case have colder ground [K]."""

STREAMS = [*SCALED, "warm days"]


@pytest.fixture(scope="module")
def biased(tmp_path_factory):
    """Observations of a truth whose sensors are others than those that the assimilation believes in."""
    folder = tmp_path_factory.mktemp("biased")
    twin = changed(TWIN, {
        "time.end": "2020-05-05T12:00", "domain.nx": 2, "domain.ny": 1, "assimilation.open_loop": False,
        "output.restart_every": "30 h", "observations": [
            seen(kind, error, operator=operator) | {"every": every}
            for kind, (error, every, operator) in TRUE.items()]})
    run_case(load_case(write_case(folder / "twin", twin)))
    entries = [{
        "name": kind, "type": kind, "error": error, "every": every, "operator": BELIEVED[kind], "reader": "table",
        "file": str(folder / "twin" / "run" / f"observed_{kind}.nc"), "scaling": SCALED[kind],
        "quality": {"max_innovation": None}, "table_error": False} for kind, (error, every, _) in TRUE.items()]
    entries.append(entries[0] | {"name": "warm days", "quality": {"frozen": WARM, "max_innovation": None}})
    case = changed(twin, {"assimilation.open_loop": True, "observations": entries})
    run_case(load_case(write_case(folder / "scaled", case)))
    return folder, case


def of(found, name):
    """Return the rows of a stream."""
    mine = found["stream"] == STREAMS.index(name)
    return {key: values[mine] for key, values in found.items() if values.shape[:1] == mine.shape}


def test_scaling_takes_the_bias_of_a_sensor_away(biased):
    folder, _ = biased
    predicted = arrays(folder / "scaled" / "run" / "open_loop" / "predicted.nc")
    analysis = arrays(folder / "scaled" / "run" / "analysis.nc")
    for kind in SCALED:
        table = read_table(folder / "twin" / "run" / f"observed_{kind}.nc")
        bias = table.value.mean() - of(predicted, kind)["prediction"].mean()
        one = of(analysis, kind)
        assert abs(bias) > 3.0 * TRUE[kind][0] and (one["used"] == 1).all(), kind
        assert abs(one["innovation"].mean()) < 0.02 * abs(bias), kind


def test_rescaled_values_have_the_statistics_of_the_predictions(biased):
    """At each place: the mean, mean and standard deviation, or every tenth of the distribution."""
    folder, _ = biased
    predicted = arrays(folder / "scaled" / "run" / "open_loop" / "predicted.nc")
    analysis = arrays(folder / "scaled" / "run" / "analysis.nc")
    for kind in SCALED:
        shown, values = of(predicted, kind), of(analysis, kind)
        for place in np.unique(shown["place"]):
            model = shown["prediction"][shown["place"] == place]
            seen_values = values["value"][values["place"] == place]
            assert seen_values.mean() == pytest.approx(model.mean(), rel=1e-9 if kind != "crns" else 2e-3)
            if kind == "backscatter":
                assert seen_values.std() == pytest.approx(model.std(), rel=1e-9)
            if kind == "crns":
                tenths = np.arange(10, 100, 10)
                assert np.percentile(seen_values, tenths) == pytest.approx(np.percentile(model, tenths), rel=1e-2)


def test_the_open_loop_predicts_what_the_filter_predicts(biased):
    """Until the first analysis both ensembles are the same."""
    folder, _ = biased
    predicted = arrays(folder / "scaled" / "run" / "open_loop" / "predicted.nc")
    analysis = arrays(folder / "scaled" / "run" / "analysis.nc")
    first = predicted["observation_time"][0]
    shown = predicted["prediction"][predicted["observation_time"] == first]
    prior = analysis["prior_mean"][analysis["observation_time"] == first]
    assert shown.size == 2 and shown == pytest.approx(prior, rel=1e-14)
    assert np.array_equal(predicted["observation_time"], analysis["observation_time"])


def test_what_the_open_loop_rejects_has_no_climatology(biased):
    """The mean is that of the times at which the ground is warm, and others are not used."""
    folder, _ = biased
    shown = of(arrays(folder / "scaled" / "run" / "open_loop" / "predicted.nc"), "warm days")["prediction"]
    one = of(arrays(folder / "scaled" / "run" / "analysis.nc"), "warm days")
    lost = np.isnan(shown)
    assert 0.1 < lost.mean() < 0.9
    assert (one["rejection"][lost] == NO_CLIMATOLOGY).all()
    assert np.isin(one["rejection"][~lost], [0, FROZEN]).all() and (one["rejection"][~lost] == 0).mean() > 0.9
    assert one["value"][~lost].mean() == pytest.approx(shown[~lost].mean(), rel=1e-9)


def test_a_killed_open_loop_goes_on_with_the_same_bits(biased, tmp_path, monkeypatch):
    """Killed between restarts and resumed; once more when all is done, which changes nothing."""
    folder, case = biased
    update, calls = OpenLoopObserver.update, []

    def killed(self, time, model):
        calls.append(time)
        if len(calls) == 50:
            raise KeyboardInterrupt
        update(self, time, model)

    parts = write_case(tmp_path / "parts", case)
    with monkeypatch.context() as patch:
        patch.setattr(OpenLoopObserver, "update", killed)
        with pytest.raises(KeyboardInterrupt):
            run_case(load_case(parts))
    assert not (parts / "run" / "open_loop" / "predicted.nc").exists()
    for _ in range(2):
        run_case(load_case(parts), resume=True)
    whole = folder / "scaled" / "run"
    assert_same_run(whole, parts / "run")
    assert not differences(whole / "open_loop" / "predicted.nc", parts / "run" / "open_loop" / "predicted.nc")


def test_an_open_loop_of_another_run_has_not_predicted(biased, tmp_path):
    """A run that is given one computes its own where it needs predictions, and leaves the given one alone."""
    folder, case = biased
    given = folder / "scaled" / "run" / "open_loop"
    before = (given / "history.nc").read_bytes()
    config = load_case(changed(case, {"time.end": "2020-05-02T12:00", "observations": case["observations"][:1]}))
    sets = kind_of_run(config)(config, tmp_path, Communicator(), False, lambda done, text: None).read_observations()
    run_case(config, output=tmp_path / "run", given=GivenStages(sets, None, given))
    shown = arrays(tmp_path / "run" / "open_loop" / "predicted.nc")["prediction"]
    whole = of(arrays(given / "predicted.nc"), "brightness_temperature")["prediction"]
    assert shown.size == 24 and np.array_equal(shown, whole[:24])
    assert (given / "history.nc").read_bytes() == before


def test_predictions_of_other_observations_are_refused(biased, tmp_path):
    folder, _ = biased
    shutil.copy(folder / "scaled" / "run" / "open_loop" / "predicted.nc", tmp_path)
    start, end = np.datetime64("2020-05-01"), np.datetime64("2020-05-05T12")
    other = a_set("2020-05-01T06", 5)
    with pytest.raises(InputError, match=r"expected predictions of 5 observations 'one' .*belongs to others"):
        seen_of_run(tmp_path, [other], start, end, 3600.0)
    with pytest.raises(InputError, match=r"predicted.nc: the file is missing"):
        seen_of_run(tmp_path / "nowhere", [other], start, end, 3600.0)


def a_set(time, count, values=1.0):
    return ObservationSet("one", "crns", time, np.full(count, values), 1.0, np.zeros(count), np.zeros(count),
                          np.zeros((count, 1), int), np.ones((count, 1)))


def test_sets_belong_to_the_analysis_that_takes_them():
    """The same sets as an analysis takes at each time of its clock; what comes after the last one is left out."""
    start, end, every = np.datetime64("2020-05-01", "s"), np.datetime64("2020-05-02T05", "s"), 6 * 3600
    times = start + np.random.default_rng(3).integers(1, 30 * 3600, 200).astype("timedelta64[s]")
    sets = [a_set(time, 1) for time in [*times, start + np.timedelta64(6, "h"), start]]
    found = by_analysis(sets, start, end, every)
    width = np.timedelta64(every, "s")
    assert list(found) == [start + width * step for step in range(1, 5)]
    for time, due in found.items():
        assert [id(one) for one in due] == [id(one) for one in sets_between(sets, time - width, time)]


def test_a_place_with_too_few_predictions_is_not_used():
    """Two places, twelve times: the second is predicted nine times, one less than a mean needs."""
    sets = [a_set(f"2020-05-{day:02d}", 2) for day in range(1, 13)]
    seen_values = [np.array([1.0, np.nan if number < 3 else 1.0]) for number in range(12)]
    flags = np.array([one.flags for one in with_prediction(sets, seen_values)])
    assert (flags[:, 0] == 0).all() and (flags[:, 1] == NO_CLIMATOLOGY).all()
    seen_values[2][1] = 1.0
    flags = np.array([one.flags for one in with_prediction(sets, seen_values)])
    assert flags[:, 1].tolist() == [NO_CLIMATOLOGY] * 2 + [0] * 10
