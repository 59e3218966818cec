"""Section ``ensemble``: members and what makes them differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import field_validator, model_validator

from pyland.base.text import one_of, shown
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.other_names import meant_parameter
from pyland.config.surface import RETENTION_PARAMETERS

KINDS = ("multiply_lognormal", "add_normal")
TEXTURE_NAMES = ("sand", "clay", "organic")
PLANT_NAMES = ("leaf_area_index", "vcmax25_top", "stomatal_slope")
PARAMETER_NAMES = (*TEXTURE_NAMES, *dict.fromkeys(sum(RETENTION_PARAMETERS.values(), ())), *PLANT_NAMES)
STATE_NAMES = ("soil_water", "soil_temperature", "pressure_head")
FORCING_NAMES = ("precipitation", "shortwave", "longwave", "temperature")


class ForcingNoiseSection(Section):
    """Noise of one weather variable."""

    std: float = key(
        0.0,
        "standard deviation: relative [1] for precipitation and shortwave, W m-2 for longwave, K for temperature",
        unit="1",
        at_least=0,
    )


class LongwaveNoiseSection(Section):
    """Noise of longwave radiation."""

    std: float = key(0.0, "standard deviation of the shift", unit="W m-2", at_least=0, at_most=200)


class TemperatureNoiseSection(Section):
    """Noise of air temperature."""

    std: float = key(0.0, "standard deviation of the shift", unit="delta_degC", at_least=0, at_most=20)


class PerturbForcingSection(Section):
    """Perturbation of the weather of each member; variables without a key stay as they are."""

    precipitation: ForcingNoiseSection | None = key(None, "log-normal factor of rain and snow")
    shortwave: ForcingNoiseSection | None = key(None, "log-normal factor of shortwave radiation")
    longwave: LongwaveNoiseSection | None = key(None, "normal shift of longwave radiation")
    temperature: TemperatureNoiseSection | None = key(None, "normal shift of air temperature")
    correlation: list[list[float]] | None = key(
        None, "4 x 4 correlation of precipitation, shortwave, longwave, temperature; null is that of Han et al. (2014)"
    )
    time_scale: float = key(86400.0, "time after which the correlation has fallen to 1/e", unit="s", above=0)
    length_scale: float = key(0.0, "correlation length in space; 0 makes cells independent", unit="m", at_least=0)
    truncation: float | None = key(2.5, "cut of the noise in standard deviations; null for none", unit="1", at_least=1)

    @field_validator("correlation", mode="before")
    @classmethod
    def _correlation(cls, value: Any) -> Any:
        if value is None:
            return None
        size = len(FORCING_NAMES)
        rows = value if isinstance(value, list) else []
        numbers = [x for row in rows if isinstance(row, list) for x in row]
        if (
            len(rows) != size
            or len(numbers) != size**2
            or any(len(row) != size for row in rows)
            or not all(isinstance(x, (int, float)) and not isinstance(x, bool) and -1 <= x <= 1 for x in numbers)
        ):
            raise ValueError(f"expected {size} rows of {size} numbers from -1 to 1, got {shown(value)}")
        return [[float(x) for x in row] for row in rows]

    @model_validator(mode="after")
    def _check(self) -> PerturbForcingSection:
        matrix = self.correlation
        if matrix is None:
            return self
        array = np.array(matrix)
        if not np.array_equal(array, array.T) or not np.array_equal(np.diag(array), np.ones(len(array))):
            raise Problems([("correlation", "expected a symmetric matrix with ones on the diagonal", ("correlation",))])
        smallest = float(np.linalg.eigvalsh(array)[0])
        if smallest <= 0:
            raise Problems(
                [
                    (
                        "correlation",
                        f"expected a positive definite matrix, got a smallest eigenvalue of {smallest:.3g}",
                        ("correlation",),
                    )
                ]
            )
        return self


class NoiseSection(Section):
    """Noise of one parameter or state, the same in all layers."""

    kind: str = key("multiply_lognormal", "factor of mean 1, or shift of mean 0", choices=KINDS)
    std: float = key(
        0.0,
        "standard deviation: relative [1] for multiply_lognormal, unit of the variable for add_normal",
        unit="1",
        at_least=0,
    )
    length_scale: float = key(0.0, "correlation length in space; 0 makes cells independent", unit="m", at_least=0)
    truncation: float | None = key(2.5, "cut of the noise in standard deviations; null for none", unit="1", at_least=1)
    minimum: float | None = key(None, "lower bound of the result; null is that of the variable", unit="1")
    maximum: float | None = key(None, "upper bound of the result; null is that of the variable", unit="1")


class PerturbSection(Section):
    """What differs between members."""

    forcing: PerturbForcingSection = key(PerturbForcingSection, "weather", factory=True)
    parameters: dict[str, NoiseSection] = key(
        dict, "soil and plant parameters by registry id; leaf_area_index: a factor on the leaf area of all patches",
        factory=True)
    pedotransfer: bool = key(
        False, "whether hydraulic parameters follow the texture of a member where they come from texture; else it "
        "changes the flow of heat alone", kind="switch")
    initial: dict[str, NoiseSection] = key(dict, "initial state by registry id", factory=True)

    @field_validator("parameters", "initial", mode="before")
    @classmethod
    def _names(cls, value: Any, info: Any) -> Any:
        known = PARAMETER_NAMES if info.field_name == "parameters" else STATE_NAMES
        for name in value if isinstance(value, dict) else ():
            if name not in known:
                raise ValueError(f"expected one of {one_of(known)}, got '{name}'{meant_parameter(str(name), known)}")
        return value


class EnsembleSection(Section):
    """Members of the ensemble."""

    size: int = key(1, "number of members", kind="integer", at_least=1, at_most=100000)
    seed: int = key(1, "seed of all random numbers of the ensemble", kind="integer", at_least=0, at_most=2**32 - 1)
    control: bool = key(False, "leave member 0 unperturbed", kind="switch")
    parameters_file: str | None = key(
        None, "netCDF file with parameters of the members by registry id, such as posterior.nc of `pyland calibrate`; "
        "member i takes row i", kind="path")
    perturb: PerturbSection = key(PerturbSection, "what differs between members", factory=True)

    @model_validator(mode="after")
    def _check(self) -> EnsembleSection:
        problems: list[Problem] = []
        leaves = self.perturb.parameters.get("leaf_area_index")
        if leaves is not None and leaves.kind != "multiply_lognormal":
            path = "perturb.parameters.leaf_area_index"
            problems.append((f"{path}.kind", f"expected multiply_lognormal with leaf_area_index, got {leaves.kind}",
                             (f"{path}.kind",)))
        hydraulic = [name for name in self.perturb.parameters if name not in (*TEXTURE_NAMES, *PLANT_NAMES)]
        if self.perturb.pedotransfer and not hydraulic and not set(TEXTURE_NAMES) & set(self.perturb.parameters):
            problems.append(("perturb.pedotransfer", f"expected one of {one_of(TEXTURE_NAMES)} under "
                             "perturb.parameters with pedotransfer: true, got none",
                             ("perturb.pedotransfer", "perturb.parameters")))
        if self.perturb.pedotransfer and hydraulic:
            problems.append(("perturb.pedotransfer", "expected false with a hydraulic parameter under "
                             f"perturb.parameters, got true and {hydraulic[0]}",
                             ("perturb.pedotransfer", "perturb.parameters")))
        for section in ("parameters", "initial"):
            for name, noise in getattr(self.perturb, section).items():
                if None not in (noise.minimum, noise.maximum) and noise.minimum >= noise.maximum:
                    path = f"perturb.{section}.{name}.maximum"
                    problems.append(
                        (
                            path,
                            f"expected a number above minimum ({noise.minimum:g}), got {noise.maximum:g}",
                            (f"perturb.{section}.{name}",),
                        )
                    )
        if problems:
            raise Problems(problems)
        return self

    def forcing_settings(self) -> dict[str, Any]:
        """Return the weather perturbation as ``ForcingPerturbation`` takes it; empty if nothing is perturbed."""
        settings = self.perturb.forcing.model_dump()
        active = {name: settings[name] for name in FORCING_NAMES if settings[name] is not None}
        if not active:
            return {}
        rest = {name: settings[name] for name in ("time_scale", "length_scale", "truncation")}
        if settings["correlation"] is not None:
            rest["correlation"] = settings["correlation"]
        return active | rest | {"control": self.control}

    def noise_settings(self, section: str) -> dict[str, dict[str, Any]]:
        """Return ``parameters`` or ``initial`` as ``perturb_parameters`` and ``perturb_initial`` take them."""
        return {
            name: {
                entry: value
                for entry, value in noise.model_dump().items()
                if value is not None or entry == "truncation"
            }
            for name, noise in getattr(self.perturb, section).items()
        }
