"""Monthly climatologies of air-sea exchange, with gaps: Takahashi's table in two dialects, NetCDF in two, and gaps filled from a model.

On 20 x 20 degrees, where the real ones have 4 x 5: `FOUR_BY_FIVE`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.fluxes.priors import PriorStream
from mozart_coupling.grids import Grid

from .flux_common import DAY, flux_specimen, one_stream, write_cf

GRID = Grid.regular(18, 9, lon_first=10.0)
FOUR_BY_FIVE = Grid.regular(72, 45, lon_first=2.5)
UNITS = "gC m-2 month-1"


def sea(grid: Grid = GRID) -> np.ndarray:
    """(nlat, nlon) bool: cells that the climatology covers; continents, ice and marginal seas are not."""
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    return (np.abs(lat) < 70) & ~((lon > 250) & (lon < 310)) & ~((lon > 10) & (lon < 140) & (lat > 10))


def carbon(grid: Grid = GRID) -> np.ndarray:
    """(12, nlat, nlon) gC m-2 month-1."""
    lat = np.deg2rad(grid.lat)[:, None]
    season = np.cos(2 * np.pi * np.arange(12) / 12)[:, None, None]
    return np.round((2.0 * np.cos(3 * lat) + season * np.sin(lat)) * (1 + 0.2 * np.cos(np.deg2rad(grid.lon))), 3)


def write_table(directory: Path, *, comma: bool = False, area: bool = False, grid: Grid = GRID) -> Path:
    """LDEO's table: a title, a line of names, a line a month and cell; seas only."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / ("air_sea_co2flux_5d.csv" if comma else "takahashi_sumflux.txt")
    names = ["LAT", "LON", "MONTH", "PCO2_SW", "FLUX"] + (["AREA"] if area else [])
    lines = ["Climatological air-sea flux of CO2", (", " if comma else "  ").join(names)]
    for month, field in enumerate(carbon(grid), 1):
        for j, i in zip(*np.nonzero(sea(grid)), strict=True):
            row = [f"{grid.lat[j]:.0f}", f"{grid.lon[i]:.1f}", f"{month}", "355.1", f"{field[j, i]:.3f}"]
            row += [f"{0.8e-12 * grid.area[j, i]:.3f}"] if area else []
            lines.append(("," if comma else "  ").join(row))
    path.write_text("\n".join(lines) + "\n")
    return path


def with_gaps() -> np.ma.MaskedArray:
    """The climatology with its land masked."""
    return np.ma.array(carbon(), mask=np.broadcast_to(~sea(), (12, *GRID.shape)))


def write_climatology(directory: Path) -> Path:
    """NetCDF: twelve months of year 1, declared missing over land."""
    return write_cf(directory / "ocn_climatology.nc", "ocn_flux", with_gaps(), units=UNITS, lat=GRID.lat, lon=GRID.lon, fill=-1e34,
                    time=(15.5 + 30.4 * np.arange(12), "days since 0001-01-01"), calendar="noleap")


def write_data_library(directory: Path) -> Path:
    """As the IRI data library gives it: T in months of a calendar of 30 days, X, Y, north first, NaN over land."""
    return write_cf(directory / "ocn_ingrid.nc", "flux", with_gaps()[:, ::-1], units=UNITS, lat=GRID.lat[::-1], lon=GRID.lon, fill=np.nan,
                    time=(0.5 + np.arange(12), "months since 1960-01-01"), calendar="360", names=("T", "Y", "X"))


def write_with_model(directory: Path) -> Path:
    """The climatology beside an ocean model's fluxes, three-hourly on 10 degrees, that fill its gaps."""
    values = 3e-9 * np.ones((8, 18, 36)) * np.linspace(0.5, 1.5, 18)[:, None]
    write_cf(directory / "model" / "ocn_model.nc", "ocn", values, time=(1.5 + 3 * np.arange(8), f"hours since {DAY} 00:00:00"))
    return write_table(directory)


def filled(path: Path) -> list[PriorStream]:
    """The climatology, and the model that only fills its gaps."""
    return [PriorStream("ocn", "takahashi", path.parent, units=UNITS, gaps_from="model"),
            PriorStream("ocn", "cf", path.parent / "model", name="model", counts=False)]


SPECIMENS = [
    flux_specimen("flux_takahashi_text", "text", write_table, one_stream("ocn", "takahashi", units=UNITS)),
    flux_specimen("flux_takahashi_csv", "text", lambda directory: write_table(directory, comma=True, area=True),
                  one_stream("ocn", "takahashi", units=UNITS)),
    flux_specimen("flux_climatology", "netcdf4", write_climatology, one_stream("ocn", "climatology")),
    flux_specimen("flux_climatology_ingrid", "netcdf4", write_data_library, one_stream("ocn", "climatology")),
    flux_specimen("flux_takahashi_filled", "text", write_with_model, filled),
]
