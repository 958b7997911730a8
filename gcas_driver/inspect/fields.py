"""Fields of the air and of the ground: initial fields, meteorology, emissions, regions, monthly fields."""

from __future__ import annotations

import numpy as np

from gcas_driver.ancillary import AncillaryStream, lai3g, months
from gcas_driver.errors import GcasError, InputError
from gcas_driver.fluxes.priors.times import record_times
from gcas_driver.fluxes.regions import RegionMap
from gcas_driver.fluxes.units import MOLAR_MASS_CARBON, MOLECULES_CM2, SECONDS_PER_DAY
from gcas_driver.initial import read_field
from gcas_driver.initial.regridding import mean_over_air
from gcas_driver.observations.netcdf_fields import find_variable, open_netcdf, read_numbers
from mozart_coupling.constants import MOLAR_MASS_AIR, MOLAR_MASS_CO2
from mozart_coupling.grids import Grid
from mozart_coupling.met import DayFile

from .findings import Findings, GridPanel, LinePanel
from .glance import Glance
from .settings import directory_of, group_text

EPOCH = np.datetime64("1970-01-01", "s")
ONE_DEGREE = Grid.regular(360, 180, lon_first=-179.5)


def describe_initial(seen: Glance, found: Findings) -> None:
    """CarbonTracker's mole fractions, MOZART's fields: the first record, its mean and its profile."""
    found.setting = group_text("initial", file=str(seen.path.resolve()))
    field = read_field(seen.path, EPOCH, mw_air=MOLAR_MASS_AIR, mw_co2=MOLAR_MASS_CO2)
    times = _dates(seen)
    if times is not None:
        found.set_span(times)
        found.facts["records"] = str(times.size)
    found.facts["field"] = field.text
    found.add_range("mole fraction", 1e6 * field.values, "ppm")
    ppm = 1e6 * field.values
    if field.interfaces is not None:
        found.add_range("surface pressure", field.interfaces[-1], "Pa")
        found.facts["mean over all air"] = f"{1e6 * mean_over_air(field.values, field.interfaces, field.grid):.3f} ppm"
    if field.grid is None:
        return
    weights = field.grid.area / field.grid.area.sum()
    north, south = field.grid.lat > 30.0, field.grid.lat < -30.0
    middle = _middles(field, weights)
    lines = {name: ((ppm[:, rows] * weights[rows]).sum(axis=(1, 2)) / weights[rows].sum(), middle)
             for name, rows in (("north of 30 N", north), ("30 S to 30 N", ~(north | south)), ("south of 30 S", south))}
    found.panels += [GridPanel(f"lowest level, {field.time or 'no date'}", ppm[-1], field.grid, "ppm"),
                     LinePanel("profiles", lines, "ppm", "hPa" if field.interfaces is not None else "level", field.interfaces is not None)]


def _middles(field, weights: np.ndarray) -> np.ndarray:
    """Mean pressure of the levels [hPa], or their numbers."""
    if field.interfaces is None:
        return np.arange(1.0, len(field.values) + 1.0)
    return 0.005 * ((field.interfaces[1:] + field.interfaces[:-1]) * weights).sum(axis=(1, 2))


def _dates(seen: Glance) -> np.ndarray | None:
    with open_netcdf(seen.path) as dataset:
        date, seconds = (find_variable(dataset, (name,)) for name in ("date", "datesec"))
        if date is None or seconds is None:
            try:
                return record_times(dataset, seen.path)
            except GcasError:
                return None
        days = np.ravel(read_numbers(date, date.shape)).astype(int)
        texts = [f"{d // 10000:04d}-{d // 100 % 100:02d}-{d % 100:02d}" for d in days]
        try:
            return np.array(texts, dtype="datetime64[s]") + np.ravel(read_numbers(seconds, seconds.shape)).astype("timedelta64[s]")
        except ValueError:
            return None


def describe_met(seen: Glance, found: Findings) -> None:
    """A day of meteorology in the contract's form."""
    file = DayFile(seen.path)
    try:
        found.set_span(file.times.astype("datetime64[s]"))
        found.facts["grid"] = f"{file.grid.name}, {file.coefficients[0].size - 1} levels, {file.times.size} records"
        lacking = [n for n in ("T", "U", "V", "Q", "PS") if n not in file.names]
        if lacking:
            found.problems.append(f"variables are missing: {', '.join(lacking)}")
        for name in file.names:
            found.add_range(name, file.values(name, 0), seen.variables[name].units if name in seen.variables else "")
        ps, u = file.values("PS", 0), file.values("U", 0)
        found.panels.append(GridPanel(f"surface pressure, {file.times[0].astype('datetime64[s]')}", 0.01 * ps, file.grid, "hPa"))
        pressure = 0.5 * (file.coefficients[0][1:] + file.coefficients[0][:-1] + file.coefficients[1][1:] + file.coefficients[1][:-1])
        found.panels.append(LinePanel("zonal-mean u", {f"{lat:.0f}°": (u[:, np.abs(file.grid.lat - lat).argmin()].mean(axis=-1),
                                                                        1000.0 * pressure) for lat in (-45, 0, 45)}, "m/s", "hPa", True))
    finally:
        file.close()
    name = seen.path.name
    stem = name.removesuffix(".nc")
    prefix = stem[:-8] if stem[-8:].isdigit() else stem.rstrip("0123456789-")
    found.setting = group_text("transport", met_directory=directory_of(seen.path), met_prefix=prefix)


def describe_emissions(seen: Glance, found: Findings) -> None:
    """Surface fluxes of one tracer as the transport model reads them."""
    with open_netcdf(seen.path) as dataset:
        flux = find_variable(dataset, ("CO2",))
        lat, lon = (np.ravel(read_numbers(v, v.shape)) for v in (find_variable(dataset, ("lat",)), find_variable(dataset, ("lon",))))
        values = read_numbers(flux, flux.shape)
    grid = Grid.from_centres(lon, lat)
    found.set_span(_dates(seen))
    found.facts["records"] = str(len(values))
    found.add_range("flux", values, "molecules/cm2/s")
    grams = values.mean(axis=0) * MOLECULES_CM2 * MOLAR_MASS_CARBON * SECONDS_PER_DAY
    found.panels.append(GridPanel("mean flux", grams, grid, "gC m⁻² d⁻¹", True))
    found.facts["use"] = "made by GCAS for the transport model; not an input of GCAS"


def describe_regions(seen: Glance, found: Findings) -> None:
    """A mask or polygons: areas of the regions."""
    regions = RegionMap.load(seen.path, ONE_DEGREE)
    found.setting = group_text("regions", file=str(seen.path.resolve()))
    areas = (regions.fraction * ONE_DEGREE.area).sum(axis=(1, 2)) / 1e12
    found.facts["regions"] = f"{len(regions.names) - 1}" + (", TransCom's" if regions.is_transcom else "")
    for name, area in zip(regions.names, areas, strict=True):
        found.facts[name] = f"{area:.2f} million km2"
    shown = np.where(regions.fraction[:-1].sum(axis=0) > 0.5, regions.fraction[:-1].argmax(axis=0) + 1.0, np.nan)
    found.panels.append(GridPanel(f"{len(regions.names) - 1} regions", shown, ONE_DEGREE, "region"))


def describe_ancillary(format: str):
    """A monthly field: its first month."""
    def run(seen: Glance, found: Findings) -> None:
        found.setting = group_text("ancillary", format=format, directory=directory_of(seen.path),
                                   file_pattern=None if format == "lai3g" else seen.path.name)
        first, last = _months(seen, format)
        found.span = (str(first), str(last))
        found.facts["months"] = str(int((last - first).astype(int)) + 1)
        stream = AncillaryStream(format, format, seen.path.parent, seen.path.name, measure="mean")
        month = next(months(stream, first, first), None)
        if month is None:
            raise InputError("no month can be read", str(seen.path))
        found.add_range(f"values of {month.month}", month.values, month.units)
        found.facts["grid"] = month.grid.name
        amount, share = month.coarse()
        shown = np.where(share > 0.5, amount / np.where(share > 0.5, share, 1.0), np.nan)
        found.panels.append(GridPanel(f"{seen.path.name}, {month.month}", shown, ONE_DEGREE, month.units, format == "spei"))
    return run


def _months(seen: Glance, format: str) -> tuple[np.datetime64, np.datetime64]:
    if format == "lai3g":
        return (lai3g.month_of(seen.path),) * 2
    with open_netcdf(seen.path) as dataset:
        times = record_times(dataset, seen.path)
    if times is None or not times.size:
        raise InputError("no time that can be read", str(seen.path), ", ".join(seen.variables))
    stamps = times.astype("datetime64[M]")
    return stamps.min(), stamps.max()
