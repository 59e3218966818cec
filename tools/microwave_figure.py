"""Draw docs/figures/microwave.png: brightness temperature against soil moisture, and over a dry skin of some depth.

Usage: microwave_figure.py [FILE]
"""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
import numpy as np

from pyland.observe.microwave import (
    DIELECTRICS,
    brightness_temperature,
    layered_weights,
    soil_permittivity,
)

TEMPERATURE = 293.15
"""Of ground and vegetation [K]."""


def draw_models(axes: plt.Axes) -> None:
    """Bare ground of each dielectric model, and vegetated ground."""
    water = np.linspace(0.02, 0.45, 100)
    for name in DIELECTRICS:
        if name == "peplinski1995":  # less than 0.1 K from dobson1985 here
            continue
        found = brightness_temperature(water, TEMPERATURE, 0.2, sand=0.4, dielectric=name, polarisation="h")
        axes.plot(water, found, "--" if name == "mironov2013" else "-", label=name)
    canopy = {"albedo": 0.05, "roughness": 0.15, "polarisation": "h"}
    for depth in (0.24, 0.5, 1.0):
        found = brightness_temperature(water, TEMPERATURE, 0.2, optical_depth=depth, **canopy)
        axes.plot(water, found, "k:", linewidth=0.9)
        axes.annotate(f"tau {depth:g}", (water[-1], found[-1]), ha="right", va="bottom", fontsize=8)
    axes.set(xlabel="soil moisture [m3 m-3]", ylabel="brightness temperature H, 40 degrees [K]")
    axes.legend(fontsize=8, title="bare, 1.41 GHz, clay 20 %", title_fontsize=8)


def draw_skin(axes: plt.Axes) -> None:
    """Dry skin on wet ground: a step, a gradual change, and the mean of the upper 5 cm."""
    depth, thin = np.linspace(0.02, 0.12, 201), np.full(250, 0.001)
    place = np.cumsum(thin) - 0.0005
    for width, label in ((1e-6, "step"), (0.01, "change over 1 cm"), (0.03, "change over 3 cm")):
        water = np.stack([np.interp(place, [d - width / 2, d + width / 2], [0.10, 0.30]) for d in depth], axis=1)
        weight = layered_weights(soil_permittivity(water, 0.2), thin, 40.0)[0].sum(axis=0)
        axes.plot(100 * depth, TEMPERATURE * weight, label=label)
    mean = np.clip(depth / 0.05, 0, 1) * 0.10 + np.clip(1 - depth / 0.05, 0, 1) * 0.30
    axes.plot(100 * depth, brightness_temperature(mean, TEMPERATURE, 0.2, polarisation="h"), "k--",
              label="homogeneous, mean of 5 cm")
    axes.set(xlabel="depth of a skin of 0.10 on ground of 0.30 m3 m-3 [cm]", ylabel="brightness temperature H [K]")
    axes.legend(fontsize=8)


def main() -> None:
    """Draw both panels."""
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
    draw_models(axes[0])
    draw_skin(axes[1])
    figure.savefig(sys.argv[1] if len(sys.argv) > 1 else "docs/figures/microwave.png", dpi=110)


if __name__ == "__main__":
    main()
