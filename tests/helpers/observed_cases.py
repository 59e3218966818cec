"""Cases that observe more than soil moisture."""

from __future__ import annotations

from updated_cases import FACTOR, WINTER

from cases import TWIN, changed


def seen(kind: str, error: float, **more: object) -> dict[str, object]:
    """Return an entry of observations, a twin each 12 h."""
    return {"name": kind, "type": kind, "error": error, "every": "12 h", "quality": {"max_innovation": None},
            "twin": {"seed": 77}} | more


EVERY_TYPE = changed(WINTER, {
    "observations": [
        seen("lst", 1.0, operator={"emissivity": 0.97}),
        seen("lst", 1.0, name="two sources", operator={"method": "two_source", "incidence_angle": 40}),
        seen("snow_cover", 0.1, operator={"method": "niu_yang", "range": [0.0, 1.0]}),
        seen("snow_water", 2.0), seen("snow_depth", 0.02), seen("lai", 0.3), seen("sif", 0.1),
        seen("sif", 0.1, name="sif of a product", operator={"sif_yield": 2e7}),
        seen("crns", 10.0, operator={"n": 400.0, "lattice_water": 0.03}),
        seen("tws", 5.0, footprint="3 km", operator={"baseline_start": "2020-01-10", "baseline_end": "2020-01-12"}),
        seen("discharge", 0.05, twin={"seed": 77, "locations": [{"name": "outlet", "x": 0, "y": 0}]}),
    ],
    "rivers": {"scheme": "linear"},
    "assimilation.update": ["soil_water", "soil_temperature", "snow_mass"],
    "assimilation.parameters": {"leaf_area_index": {}},
    "ensemble.perturb.parameters": {"leaf_area_index": FACTOR},
    "output.variables": ["soil_water", "snow_mass", "terrestrial_water_storage", "leaf_area_index",
                         "radiative_temperature", "discharge"],
    "output.members": ["snow_mass"],
})
"""Two days of snow and frost, seen by ten types of observations at once."""

MICROWAVE = changed(TWIN, {
    "time.end": "2020-05-02", "assimilation.open_loop": False,
    "observations": [
        seen("brightness_temperature", 2.0, name=f"radiometer {one}", operator={
            "polarisation": one, "incidence_angle": 40, "dielectric": dielectric, "atmosphere": air},
            footprint="2.5 km", footprint_weights="gaussian") for one, dielectric, air in (
                ("H", "mironov2009", "none"), ("V", "wang_schmugge1980", "pellarin2003"))] + [
        seen("backscatter", 0.5, operator={"volume": 0.0012, "attenuation": 0.09}),
        seen("crns", 10.0, operator={"n": 400.0}),
    ],
})
"""A warm day, seen by microwaves and neutrons."""
