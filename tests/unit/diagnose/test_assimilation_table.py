"""The short tables of an assimilation."""

from __future__ import annotations

from pyland.diagnose.assimilation_table import assimilation_table

NAN = float("nan")


def group(chi2):
    return {"departures": {"n": 12, "innovation_mean": -0.00123, "innovation_std": 0.0345,
                           "expected_innovation_std": 0.03, "chi2": chi2},
            "spread_error": {"total_ratio": 0.9}, "crps": {"normal": 0.01}}


SECTION = {
    "departures": {"satellite": {"n": 20, "n_used": 12, "rejected": {"frozen": 5, "withheld": 3}}},
    "observation_scores": {
        "all": {"satellite": {"type": "soil_moisture", "units": "m3 m-3", "assimilated": group(1.25),
                              "independent": group(NAN)}},
        "hills": {"satellite": {"type": "soil_moisture", "units": "m3 m-3"}}},
}


def rows(text, title):
    """Return the cells of the table with a title, split where two blanks are."""
    part = next(one for one in text.split("\n\n") if one.startswith(title))
    return [[cell for cell in line.split("  ") if cell.strip()] for line in part.splitlines()]


def test_each_region_and_group_has_a_row():
    text = assimilation_table(SECTION)
    head, *found = rows(text, "observations")
    cells = [[cell.strip() for cell in row] for row in found]
    assert cells[0] == ["satellite, assimilated", "12", "-0.00123", "0.0345", "0.03", "1.25", "0.90", "-", "-",
                        "m3 m-3"]
    assert cells[1][0] == "satellite, independent" and cells[1][5] == "-"
    assert cells[2] == ["satellite in hills, none used", "0", *["-"] * 7, "m3 m-3"]
    assert "satellite: 12 of 20 used; 5 frozen, 3 withheld" in text
    assert "RMSE" not in text and "nan" not in text and len(head) == len(cells[0])


def test_columns_stand_below_each_other():
    lines = assimilation_table(SECTION).split("\n\n")[0].splitlines()
    assert len({line.index("m3 m-3") for line in lines[1:]}) == 1


def test_errors_against_the_truth_and_of_parameters():
    error = {"rmse_open_loop": 0.04, "rmse_analysis": 0.01, "reduction": 0.75}
    wet = {"scale": "log10", "units": "decades", "rmse_start": 0.8, "rmse_end": 0.2, "reduction": 0.75,
           "correlation_start": NAN, "correlation_end": 0.97, "spread_error_ratio_start": 0.6,
           "spread_error_ratio_end": 1.3}
    text = assimilation_table(SECTION | {
        "error_reduction": {"0-0.05 m": error}, "error_reduction_water_table": error,
        "error_reduction_discharge": {"total": error | {"reduction": -0.04}},
        "parameters": {"saturated_conductivity": wet, "porosity": {"not_judged": "history.nc does not hold it"}},
        "skill_change": {"daily": {"Qle": error | {"r_open_loop": 0.5, "r_analysis": 0.7}}}})
    cells = [[cell.strip() for cell in row] for row in rows(text, "RMSE against the truth")[1:]]
    assert cells[0] == ["soil_water 0-0.05 m", "0.04", "0.01", "75 %", "-", "-", "m3 m-3"]
    assert [row[0] for row in cells[1:]] == ["water_table_depth", "discharge total"] and cells[2][3] == "-4 %"
    parameter = [cell.strip() for cell in rows(text, "parameter, RMSE")[1]]
    assert parameter == ["saturated_conductivity, log10", "0.8", "0.2", "75 %", "0.97", "-", "1.30", "0.60", "decades"]
    assert "porosity: not judged: history.nc does not hold it" in text
    assert [cell.strip() for cell in rows(text, "RMSE against the station")[1]] == [
        "Qle", "0.04", "0.01", "75 %", "0.70", "0.50"]
