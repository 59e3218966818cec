"""What the model says against observations, used or kept for the test of the analysis."""

from types import SimpleNamespace

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.observation_reasons import QUALITY, USED, WITHHELD
from pyland.base.parallel import Communicator
from pyland.driver.analysis.state_quality import StateQuality, StateRules
from pyland.observe import ObservationSet


def test_what_cannot_be_assimilated_does_not_judge_either():
    """Frozen ground hides water from a withheld observation as from a used one; other reasons stay."""
    ncell = 6
    flags = np.array([USED, WITHHELD, USED, WITHHELD, QUALITY, USED], np.int8)
    one = ObservationSet("satellite", "soil_moisture", np.datetime64("2018-01-01", "s"), np.full(ncell, 0.2), 1e-3,
                         np.arange(ncell) * 1e3, np.zeros(ncell), np.arange(ncell)[:, None], np.ones((ncell, 1)), 0.0,
                         0.05, flags=flags)
    ranks = CellRanks(Communicator(), Communicator(), 2, np.arange(ncell))
    quality = StateQuality({"satellite": StateRules(frozen=273.35, snow=1e-4)}, SimpleNamespace(ranks=ranks))
    assert quality.needs([one]) == ("soil_temperature", "snow_mass")
    warm = np.array([270.0, 270.0, 280.0, 280.0, 270.0, 280.0])
    fields = {"soil_temperature": np.stack([warm, warm])[:, None] + np.array([-1.0, 1.0])[None, :, None],
              "snow_mass": np.tile([0.0, 0, 0, 0, 0, 5.0], (2, 1))}
    quality.reject([one], fields, [np.full((2, ncell), 0.2)])
    assert one.reasons() == ["frozen_ground", "frozen_ground", "used", "withheld", "rejected_by_quality_flag",
                             "snow_covered"]


def test_a_range_of_what_can_be_learned_does_not_touch_withheld_observations():
    one = ObservationSet("modis", "snow_cover", np.datetime64("2018-01-01", "s"), [0.5, 1.0, 1.0], 1e-2, np.zeros(3),
                         np.zeros(3), np.arange(3)[:, None], np.ones((3, 1)), np.nan, np.nan,
                         flags=np.array([USED, USED, WITHHELD], np.int8))
    ranks = CellRanks(Communicator(), Communicator(), 2, np.arange(3))
    quality = StateQuality({"modis": StateRules(between=(0.05, 0.95))}, SimpleNamespace(ranks=ranks))
    quality.reject([one], {}, [np.full((2, 3), 0.5)])
    assert one.reasons() == ["used", "rejected_by_quality_flag", "withheld"]
