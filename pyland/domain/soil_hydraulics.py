"""Hydraulic parameters of soil layers from texture and organic matter, for either retention curve.

References
----------
.. [1] Cosby, B. J., et al. (1984). A statistical exploration of the relationships of soil moisture characteristics to
   the physical properties of soils. Water Resour. Res. 20, 682-690.
.. [2] Lenhard, R. J., Parker, J. C., Mishra, S. (1989). On the correspondence between Brooks-Corey and van Genuchten
   models. J. Irrig. Drain. Eng. 115, 744-751.
.. [3] Lawrence, D. M., et al. (2018). Technical description of version 5.0 of the Community Land Model, section 7.3.1
   (organic soil, after Letts et al. 2000 and Lawrence and Slater 2008).
"""

from __future__ import annotations

import numpy as np

from pyland.config.surface import RETENTION_PARAMETERS

_MILLIMETRE = 1e-3  # [m]

SAPRIC_DEPTH = 0.5
"""Depth at which peat is fully decomposed [m], [3]_."""

PERCOLATION_THRESHOLD = 0.5
"""Organic share above which connected organic paths conduct water [1], [3]_."""

PERCOLATION_EXPONENT = 0.139
"""Exponent of the percolating share [1], [3]_."""


def hydraulic_parameters(
    retention: str, pedotransfer: str, sand: np.ndarray, clay: np.ndarray, organic: np.ndarray, node_depth: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the parameters of a retention curve.

    Parameters
    ----------
    retention : str
        ``van_genuchten`` or ``clapp_hornberger``.
    pedotransfer : str
        ``cosby`` or ``rosetta``.
    sand, clay : numpy.ndarray, shape (layer, cell)
        Share of the mineral soil [%].
    organic : numpy.ndarray, shape (layer, cell)
        Organic share of the solids [1].
    node_depth : numpy.ndarray, shape (layer,)
        Depth of the layer centres [m].

    Returns
    -------
    dict of str to numpy.ndarray
        The registry ids of ``RETENTION_PARAMETERS[retention]``, each of shape ``(layer, cell)``.

    Notes
    -----
    A pedotransfer of the other curve is converted with alpha = 1/abs(psi_s) and n = 1 + 1/b, residual water 0 [2]_.
    Organic matter mixes porosity, air-entry head and b linearly, conductivity through percolating and non-percolating
    paths [3]_. Van Genuchten soils mix the same quantities, 1/alpha for the head and 1/(n - 1) for b, and their
    residual water with that of peat, 0: both curves see one soil. Layers without organic matter keep their parameters
    bit for bit.
    """
    native = "clapp_hornberger" if pedotransfer == "cosby" else "van_genuchten"
    mineral = _pedotransfer(pedotransfer, sand, clay)
    if retention != native:
        mineral = to_van_genuchten(mineral) if retention == "van_genuchten" else to_clapp_hornberger(mineral)
    if organic.any():
        mineral = add_organic_matter(mineral, organic, node_depth)
    return {name: mineral[name] for name in RETENTION_PARAMETERS[retention]}


def _pedotransfer(name: str, sand: np.ndarray, clay: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parameters that belong to a pedotransfer, by registry id: the one place that calls it."""
    from pyland.domain import pedotransfer

    function = pedotransfer.clapp_hornberger_cosby if name == "cosby" else pedotransfer.van_genuchten_rosetta
    return {key: np.asarray(value) for key, value in function(sand, clay).items()}


def to_van_genuchten(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Convert Clapp-Hornberger parameters to van Genuchten's, [2]_."""
    return {
        "porosity": values["porosity"],
        "saturated_conductivity": values["saturated_conductivity"],
        "residual_water": np.zeros_like(values["porosity"]),
        "van_genuchten_alpha": 1.0 / np.abs(values["air_entry_head"]),
        "van_genuchten_n": 1.0 + 1.0 / values["clapp_hornberger_b"],
    }


def to_clapp_hornberger(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Convert van Genuchten parameters to Clapp-Hornberger's, [2]_; the residual water is dropped."""
    return {
        "porosity": values["porosity"],
        "saturated_conductivity": values["saturated_conductivity"],
        "clapp_hornberger_b": 1.0 / (values["van_genuchten_n"] - 1.0),
        "air_entry_head": -1.0 / values["van_genuchten_alpha"],
    }


def peat_parameters(node_depth: np.ndarray, mineral_conductivity: np.ndarray) -> dict[str, np.ndarray]:
    """Return Clapp-Hornberger parameters of pure peat [3]_, shape ``(layer, cell)``.

    From fibric at the surface to sapric at 0.5 m; the conductivity does not fall below that of the mineral soil.
    """
    share = (node_depth / SAPRIC_DEPTH)[:, None] + np.zeros_like(mineral_conductivity)
    return {
        "porosity": np.maximum(0.93 - 0.1 * share, 0.83),
        "clapp_hornberger_b": np.minimum(2.7 + 9.3 * share, 12.0),
        "air_entry_head": -np.minimum(10.3 - 0.2 * np.minimum(share, 1.0), 10.1) * _MILLIMETRE,
        "saturated_conductivity": np.maximum((0.28 - 0.2799 * share) * _MILLIMETRE, mineral_conductivity),
    }


def add_organic_matter(
    mineral: dict[str, np.ndarray], organic: np.ndarray, node_depth: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the parameters of mineral soil with organic matter, for either curve.

    Parameters
    ----------
    mineral : dict of str to numpy.ndarray, shape (layer, cell)
        Parameters of one curve by registry id, without organic matter.
    organic : numpy.ndarray, shape (layer, cell)
        Organic share of the solids [1].
    node_depth : numpy.ndarray, shape (layer,)
        Depth of the layer centres [m].
    """
    is_van_genuchten = "van_genuchten_n" in mineral
    soil = to_clapp_hornberger(mineral) if is_van_genuchten else mineral
    mixed = mix_organic(soil, peat_parameters(node_depth, soil["saturated_conductivity"]), organic)
    if is_van_genuchten:
        mixed = to_van_genuchten(mixed) | {"residual_water": (1.0 - organic) * mineral["residual_water"]}
    return {name: np.where(organic > 0.0, mixed[name], value) for name, value in mineral.items()}


def mix_organic(
    mineral: dict[str, np.ndarray], peat: dict[str, np.ndarray], organic: np.ndarray
) -> dict[str, np.ndarray]:
    """Mix the Clapp-Hornberger parameters of mineral soil and peat by the organic share [1], [3]_."""
    name = "saturated_conductivity"
    mixed = {key: (1.0 - organic) * value + organic * peat[key] for key, value in mineral.items() if key != name}
    scale = (1.0 - PERCOLATION_THRESHOLD) ** -PERCOLATION_EXPONENT
    above = np.maximum(organic - PERCOLATION_THRESHOLD, 0.0)
    percolating = np.where(above > 0, scale * above**PERCOLATION_EXPONENT * organic, 0.0)
    rest = 1.0 - percolating
    resistance = (1.0 - organic) / mineral[name] + (organic - percolating) / peat[name]
    # where everything percolates, no path crosses mineral soil
    series = np.divide(rest, resistance, out=np.zeros_like(rest), where=resistance > 0)
    return mixed | {name: rest * series + percolating * peat[name]}
