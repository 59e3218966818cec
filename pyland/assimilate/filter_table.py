"""The filters by name: what each is, and which function has it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from pyland.base.errors import InputError, UnavailableError


@dataclass(frozen=True)
class FilterInfo:
    """A filter.

    Attributes
    ----------
    name : str
        Name of the method.
    is_local : bool
        Whether it belongs to ``analyse_local``; else to ``analyse``.
    family : {"kalman", "weights", "serial", "covariance", "particle", "variational"}
        How it is computed: in the space of members by functions of a Gram matrix, by a matrix of weights, one
        observation after the other, with localised covariances, by particles, by a minimiser.
    kernel : str
        The filter that each domain uses, or the filter itself.
    is_deterministic : bool
        Whether it draws no random numbers (without ``rotation``).
    about, reference : str
        In words, and where it comes from.
    """

    name: str
    is_local: bool
    family: str
    kernel: str
    is_deterministic: bool
    about: str
    reference: str


_REFERENCES = {
    "enkf": "Burgers et al. 1998; Evensen 2003",
    "etkf": "Bishop et al. 2001; Hunt et al. 2007",
    "estkf": "Nerger et al. 2012",
    "seik": "Pham 1998; Nerger et al. 2005",
    "denkf": "Sakov and Oke 2008",
    "ensrf": "Whitaker and Hamill 2002",
    "eakf": "Anderson 2001, 2003",
    "rhf": "Anderson 2010, 2020",
    "netf": "Toedter and Ahrens 2015",
    "knetf": "Nerger 2022",
    "pf": "Gordon et al. 1993; Kitagawa 1996",
    "3dvar": "Lorenc 1986; Bannister 2017",
    "3denvar": "Liu et al. 2008; Bannister 2017",
    "hybrid3dvar": "Hamill and Snyder 2000; Bannister 2017",
    "lenkf": "Houtekamer and Mitchell 2001",
}
_GLOBAL = (
    ("enkf", "kalman", False, "perturbed observations"),
    ("etkf", "kalman", True, "symmetric square root"),
    ("estkf", "kalman", True, "error subspace transform: the members of the ETKF"),
    ("seik", "weights", True, "mean and covariance of the ETKF, other members"),
    ("denkf", "kalman", True, "half the gain for the anomalies"),
    ("ensrf", "serial", True, "square root, one observation after the other"),
    ("eakf", "serial", True, "adjustment and regression: the members of the EnSRF"),
    ("rhf", "serial", True, "rank histogram, for bounded and skewed quantities"),
    ("netf", "weights", True, "weights of particles, second moments exact"),
    ("knetf", "weights", True, "hybrid of ETKF and NETF"),
    ("pf", "particle", False, "particles, resampled"),
    ("3dvar", "variational", True, "static covariance"),
    ("3denvar", "variational", True, "covariance of the ensemble"),
    ("hybrid3dvar", "variational", True, "static covariance and that of the ensemble"),
)
_LOCAL = (
    ("letkf", "kalman", "etkf", True, "ETKF of each domain"),
    ("lestkf", "kalman", "estkf", True, "ESTKF of each domain: the members of the LETKF"),
    ("lseik", "weights", "seik", True, "SEIK of each domain"),
    ("ldenkf", "kalman", "denkf", True, "DEnKF of each domain"),
    ("lenkf", "covariance", "enkf", False, "perturbed observations, localised covariances or error variances"),
    ("lensrf", "serial", "ensrf", True, "EnSRF with localised regression"),
    ("leakf", "serial", "eakf", True, "EAKF with localised regression: the members of the LEnSRF"),
    ("lrhf", "serial", "rhf", True, "rank histogram filter with localised regression"),
    ("lnetf", "weights", "netf", True, "NETF of each domain"),
    ("lknetf", "weights", "knetf", True, "hybrid of LETKF and LNETF"),
)

FILTERS: MappingProxyType[str, FilterInfo] = MappingProxyType({
    **{name: FilterInfo(name, False, family, name, exact, about, _REFERENCES[name])
       for name, family, exact, about in _GLOBAL},
    **{name: FilterInfo(name, True, family, kernel, exact, about, _REFERENCES.get(name, _REFERENCES[kernel]))
       for name, family, kernel, exact, about in _LOCAL},
})
"""Every filter by name."""

GLOBAL_FILTERS = tuple(name for name, one in FILTERS.items() if not one.is_local and one.family != "variational")
LOCAL_FILTERS = tuple(name for name, one in FILTERS.items() if one.is_local)
VARIATIONAL = tuple(name for name, one in FILTERS.items() if one.family == "variational")

_ELSEWHERE = {
    **dict.fromkeys(VARIATIONAL, "variational"),
    "enks": "LaggedSmoother", "etks": "LaggedSmoother", "letks": "LaggedSmoother",
    "esmda": "esmda", "ies": "ies", "ienks": "IterativeSmoother",
}  # fmt: skip
_ABSENT = ("seek", "genobs", "4dvar", "ekf", "ukf")


def find_filter(method: str, *, is_local: bool) -> FilterInfo:
    """Return a filter of ``analyse`` or ``analyse_local``.

    Raises
    ------
    InputError
        If there is no such filter, or another function has it.
    UnavailableError
        If it is a known method that pyland does not have.
    """
    name = str(method).lower()
    here = f"global (analyse): {', '.join(GLOBAL_FILTERS)}; local (analyse_local): {', '.join(LOCAL_FILTERS)}"
    found = FILTERS.get(name)
    if found is not None and found.family != "variational":
        if found.is_local == is_local:
            return found
        other = "analyse_local" if found.is_local else "analyse"
        raise InputError(f"method '{method}' belongs to {other}; available are {here}")
    if name in _ELSEWHERE:
        raise InputError(f"method '{method}' belongs to pyland.assimilate.{_ELSEWHERE[name]}; available are {here}")
    if name in _ABSENT:
        raise UnavailableError(f"method '{method}' is not available in pyland; available are {here}")
    raise InputError(f"unknown method '{method}'; available are {here}")


__all__ = ["FILTERS", "GLOBAL_FILTERS", "LOCAL_FILTERS", "VARIATIONAL", "FilterInfo", "find_filter"]
