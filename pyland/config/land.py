"""Section ``land``: schemes of the land surface."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problems, Section, key


class LandInitialSection(Section):
    """Initial state of the land."""

    soil_temperature: float | None = key(
        None,
        "temperature of all layers; null is the mean air temperature of the first year of the forcing",
        unit="K",
        at_least=200,
        at_most=340,
    )
    file: str | None = key(
        None,
        "netCDF file with soil_temperature of each cell, (thermal_layer, y, x) or (y, x), instead, and soil_water and "
        "soil_ice (layer, y, x) if it has them, before subsurface.initial; of a series in time the last record, so "
        "history.nc of a run that spun the ground up will do; mode column",
        kind="path",
    )

    @model_validator(mode="after")
    def _check(self) -> LandInitialSection:
        if self.file is not None and self.soil_temperature is not None:
            raise Problems([("file", "expected no file beside soil_temperature; it has the temperature",
                             ("file", "soil_temperature"))])
        return self


class CarbonInitialSection(Section):
    """Carbon at the start, where it is not that of a spun-up equilibrium."""

    litter: list[float] = key(
        lambda: [0.05, 0.2, 0.1],
        "litter: labile, cellulose and lignin",
        unit="kg m-2",
        kind="numbers",
        at_least=0,
        length=3,
        factory=True,
    )
    soil: list[float] = key(
        lambda: [0.2, 4.0, 5.0],
        "soil: active, slow and passive",
        unit="kg m-2",
        kind="numbers",
        at_least=0,
        length=3,
        factory=True,
    )
    plants: float = key(0.5, "leaves and fine roots, per area of vegetated patches", unit="kg m-2", at_least=0)


class SnowSection(Section):
    """The snow pack."""

    layers: int = key(5, "layers that a pack may have", unit="1", at_least=1, at_most=12)
    albedo: str = key("grains", "albedo from the size of grains, or from the age of the surface (BATS)",
                      choices=("grains", "age"))
    dust_darkening: float = key(
        0.0, "loss of visible albedo per day by dust, with grains, scaled with the pressure of the air; 0.2/60 is that "
        "of Col de Porte in Crocus", unit="d-1", at_least=0, at_most=1,
    )
    cover: str = key("swenson_lawrence", "share of the ground that snow covers",
                     choices=("swenson_lawrence", "niu_yang"))
    topography_deviation: float = key(
        0.0, "standard deviation of elevation within a cell, which spreads melt-out (swenson_lawrence)", unit="m",
        at_least=0, at_most=3000,
    )
    fresh_density: str = key("clm5", "density of new snow: with wind and cold (clm5) or without (clm45)",
                             choices=("clm5", "clm45"))
    overburden: str = key("anderson", "settling under the weight of snow", choices=("anderson", "vionnet", "clm5"))
    wind_drift: bool = key(False, "packing of the surface by wind")
    percolation: str = key("bucket", "flow of liquid water through snow", choices=("bucket", "kinematic"))
    holding: float = key(
        0.033, "share of the pores that holds water against gravity", unit="1", at_least=0, at_most=0.2
    )
    conductivity: str = key("sturm", "thermal conductivity of snow", choices=("sturm", "jordan", "calonne"))
    roughness: float = key(0.0024, "roughness length of snow", unit="m", above=0, at_most=0.1)
    emissivity: float = key(0.97, "longwave emissivity of snow", unit="1", above=0.5, at_most=1)


class LandSection(Section):
    """Schemes and constants of the land surface."""

    model: str = key(
        "clm", "the land column, or none: rain falls on the subsurface (subsurface.mode: distributed)",
        choices=("clm", "none"),
    )
    soil_layers: list[float] | None = key(
        None,
        "thickness of the soil layers of the land over the distributed subsurface, from the top, no deeper than it; "
        "null: the layers of the subsurface down to 4 m, two at least",
        unit="m",
        kind="numbers",
        above=0,
    )
    stomata: str = key("medlyn", "stomatal conductance", choices=("medlyn", "ball_berry"))
    soil_evaporation: str = key(
        "dry_surface_layer", "resistance of the soil surface", choices=("dry_surface_layer", "beta")
    )
    water_stress: str = key(
        "soil_water", "what limits root uptake in dry soil", choices=("soil_water", "pressure_head")
    )
    co2: float = key(
        380e-6,
        "carbon dioxide mole fraction of the air, where the forcing has none",
        unit="mol mol-1",
        at_least=100e-6,
        at_most=5000e-6,
    )
    soil_roughness: float = key(0.00085, "roughness length of bare soil", unit="m", above=0, at_most=0.1)
    stability_limit: float = key(0.5, "largest stability parameter of stable air", unit="1", above=0, at_most=10)
    bottom_heat_flux: float = key(
        0.0, "heat into the lowest thermal layer from below", unit="W m-2", at_least=0, at_most=1
    )
    snow: SnowSection = key(SnowSection, "snow pack", factory=True)
    carbon: str = key(
        "none",
        "respiration and net exchange of carbon: none, from pools that stay as they are, or from pools that evolve",
        choices=("none", "prescribed", "evolving"),
    )
    carbon_initial: CarbonInitialSection | None = key(
        None, "carbon at the start; null: in equilibrium with the mean of the last year of the spin-up"
    )
    carbon_sink: float = key(
        0.0,
        "share of the net primary production that the equilibrium keeps; 0 is a mean exchange of 0",
        unit="1",
        at_least=-10,
        below=1,
    )
    sif_yield: float = key(
        2.434e7,
        "sun-induced fluorescence at 740 nm per gross primary production (Guanter et al. 2014)",
        unit="W m-2 um-1 sr-1 / (kg m-2 s-1)",
        at_least=0,
    )
    initial: LandInitialSection = key(LandInitialSection, "initial state", factory=True)
