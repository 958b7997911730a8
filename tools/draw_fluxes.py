#!/usr/bin/env python3
"""Draw the synthetic prior fluxes of a week and the errors of their truth, to look at.

    tools/draw_fluxes.py OUTPUT_DIRECTORY [--start 2010-06-07] [--seed 1] [--truth-seed 1]

Writes `prior.png` (the week's mean of every component), `truth.png` (truth minus prior), `hours.png` (BIO at four hours of
a day) and `seasons.png` (monthly totals of a year).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from gcas_driver.fluxes.components import COMPONENTS
from gcas_driver.fluxes.units import MOLAR_MASS_CARBON, PGC_PER_YEAR, SECONDS_PER_DAY
from gcas_driver.osse.priors import GRID, SyntheticPriors
from gcas_driver.osse.truth import SIZES, FluxErrors
from mozart_coupling.land import land_fraction

GRAMS_PER_DAY = MOLAR_MASS_CARBON * SECONDS_PER_DAY  # gC m-2 day-1 in one mol m-2 s-1


def draw_map(axes: plt.Axes, flux: np.ndarray, title: str, limit: float | None = None, unit: str = "gC m$^{-2}$ day$^{-1}$") -> None:
    """One map with coastlines, colours centred on zero; flux (nlat, nlon)."""
    shown = np.roll(flux, GRID.nlon // 2, axis=1)
    coast = np.roll(land_fraction(GRID), GRID.nlon // 2, axis=1)
    limit = limit or float(np.quantile(np.abs(flux[flux != 0]), 0.98))
    image = axes.imshow(shown, origin="lower", extent=(-180, 180, -90, 90), cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.contour(np.arange(-179.5, 180), GRID.lat, coast, [0.5], colors="k", linewidths=0.4)
    axes.set_title(title, fontsize=9)
    plt.colorbar(image, ax=axes, shrink=0.7, label=unit)


def total(flux: np.ndarray) -> float:
    """PgC yr-1 of (nlat, nlon) [mol m-2 s-1]."""
    return float((flux * GRID.area).sum() * PGC_PER_YEAR)


def main() -> None:
    """Make the four pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--start", default="2010-06-07")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--truth-seed", type=int, default=1)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    priors = SyntheticPriors(options.seed)
    days = np.datetime64(options.start) + np.arange(7)
    week = {c: np.stack([priors.day(c, day) for day in days]) for c in COMPONENTS}

    figure, axes = plt.subplots(2, 2, figsize=(14, 7.5), layout="constrained")
    for panel, component in zip(axes.flat, COMPONENTS, strict=True):
        mean = week[component].mean(axis=(0, 1))
        draw_map(panel, mean * GRAMS_PER_DAY, f"{component.upper()}, week of {options.start}: {total(mean):.2f} PgC/yr")
    figure.savefig(options.output / "prior.png", dpi=90)

    figure, axes = plt.subplots(2, 2, figsize=(14, 7.5), layout="constrained")
    for row, component in zip(axes, SIZES, strict=True):
        errors = FluxErrors(component, options.truth_seed)
        change = np.mean([errors.true_day(d, f).mean(axis=0) - f.mean(axis=0) for d, f in zip(days, week[component], strict=True)], axis=0)
        mean = week[component].mean(axis=(0, 1))
        draw_map(row[0], change * GRAMS_PER_DAY, f"{component.upper()}: truth - prior, {total(change):.2f} PgC/yr")
        ratio = np.where(np.abs(mean) > 0.02 * np.abs(mean).max(), change / np.where(mean == 0, 1, mean), 0.0)
        draw_map(row[1], ratio, f"{component.upper()}: (truth - prior) / prior", 1.5, "1")
    figure.savefig(options.output / "truth.png", dpi=90)

    figure, axes = plt.subplots(2, 2, figsize=(14, 7.5), layout="constrained")
    for panel, step in zip(axes.flat, (0, 2, 4, 6), strict=True):
        draw_map(panel, week["bio"][0, step] * 1e6, f"BIO {3 * step:02d}-{3 * step + 3:02d} UTC", 25.0, "µmol m$^{-2}$ s$^{-1}$")
    figure.savefig(options.output / "hours.png", dpi=90)

    figure, axes = plt.subplots(1, 1, figsize=(8, 4), layout="constrained")
    for component in COMPONENTS:
        middle = [np.datetime64(f"{options.start[:4]}-{month:02d}-01") + np.arange(2, 29, 5) for month in range(1, 13)]
        axes.plot(range(1, 13), [np.mean([total(priors.day(component, d).mean(axis=0)) for d in group]) for group in middle],
                  label=component.upper())
    axes.set(xlabel="month", ylabel="PgC/yr", title="Monthly global totals")
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.legend()
    figure.savefig(options.output / "seasons.png", dpi=90)


if __name__ == "__main__":
    main()
