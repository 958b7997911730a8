"""The days of a run as met files, from the records of a reanalysis."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mozart_coupling.embedded.levels import P0, check_coefficients
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.land import land_fraction
from mozart_coupling.met_format import MET_FIELDS, NOT_USED, met_file_name, write_met_file
from mozart_coupling.reanalysis.catalogue import LAYERED, Catalogue
from mozart_coupling.reanalysis.columns import STATE, Structure, Terms, state_columns, structure_of, surface
from mozart_coupling.reanalysis.names import PRODUCTS, Product
from mozart_coupling.reanalysis.timing import HOUR, Interval, Series, mean_about

MEAN_PRESSURE = 98550.0  # Pa, total, global and annual mean: Trenberth and Smith (2005), J. Climate 18, 864
STATIC = ("PHIS", "land", "land ice")
DAY = np.timedelta64(1, "D")


@dataclass
class Conversion:
    """What was made: the files, and sentences on what they are made of."""

    paths: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def convert_reanalysis(
    product: str,
    files: Iterable[str | Path],
    directory: str | Path,
    prefix: str,
    grid: Grid,
    levels: tuple[np.ndarray, np.ndarray] | None,
    start: np.datetime64,
    end: np.datetime64,
    hours: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    mean_pressure: float | None = MEAN_PRESSURE,
) -> Conversion:
    """Write met files for a run over [start, end]: whole days from the day of `start` to that of `end`, and the day before if it is there.

    Everything that can be known from coordinates (names, grids, levels, times) is checked before the first file is written.

    Parameters
    ----------
    product
        "era5", "era-interim" or "geos".
    files
        NetCDF or GRIB, in any order, any variables in any of them.
    grid, levels
        Of the model; `levels` (hyai, hybi) or None for the source's own.
    hours
        Between two records, 3 or 6; None: 3 where the source has them.
    progress
        Called with (days done, days in all).
    mean_pressure
        Global mean of PS in every record [Pa]; None: as the source has it.

    Raises
    ------
    MetError
        Everything that is wrong with the files, with file, variable and time.
    """
    if hours not in (None, 3, 6):
        raise MetError("met files are 3- or 6-hourly", "convert_reanalysis", f"hours={hours}", "3 or 6")
    first_day, last_day = (np.datetime64(time, "D") for time in (start, end))
    if last_day <= first_day:
        raise MetError("the end is not after the start", "convert_reanalysis", f"{first_day} … {last_day}")
    catalogue = Catalogue(files)
    try:
        work = _Work(catalogue, PRODUCTS[product], grid, levels, hours, mean_pressure)
        work.require(np.arange(first_day, last_day + DAY))
        before = np.arange(first_day - DAY, first_day)
        result = Conversion(notes=work.notes())
        days = np.arange(first_day, last_day + DAY)
        if work.missing(before) is None:
            days = np.append(before, days)
        else:
            result.notes.append(f"{before[0]}, the day before the start, is not complete in the source: no file (the embedded model can do "
                                "without, MOZART-4 cannot)")
        for done, day in enumerate(days, start=1):
            path = Path(directory) / met_file_name(prefix, "yyyymmdd", day)
            work.write(path, day)
            result.paths.append(path)
            if progress is not None:
                progress(done, days.size)
        if mean_pressure is not None:
            result.notes.append(f"surface pressure shifted uniformly, to a global mean of {mean_pressure:g} Pa, "
                                f"by {min(work.shifts):.1f} … {max(work.shifts):.1f} Pa")
        return result
    finally:
        catalogue.close()


class _Work:
    """The chosen variables of a source, the model's grid and levels, and what does not change with time."""

    def __init__(self, catalogue: Catalogue, product: Product, grid: Grid, levels: tuple[np.ndarray, np.ndarray] | None,
                 hours: int | None, mean_pressure: float | None) -> None:
        self.product = product
        self.grid = grid
        self.series = catalogue.choose(product)
        self.mean_pressure = mean_pressure
        self.shifts: list[float] = []
        self._check_shapes()
        self.structure: Structure = structure_of(catalogue, product, self.series)
        self.levels = levels if levels is not None else self._own_levels()
        check_coefficients(*self.levels, "the model's levels")
        self._intervals: dict[str, list[Interval]] = {
            name: series.intervals(product) for name, series in self.series.items() if name not in STATIC and self._is_mean(series)}
        wind = self.series["U"].times
        self.hours = hours or (3 if wind.size > 1 and np.diff(wind).min() <= 3 * HOUR else 6)
        self._static = self._static_fields()

    def _is_mean(self, series: Series) -> bool:
        return series.is_centred if self.product.centred else series.option.kind in ("accumulated", "mean")

    def _check_shapes(self) -> None:
        """The state's variables stand on one grid and the same levels."""
        first = self.series["T"].first
        for name in (*STATE, "PS", "DELP"):
            if name in self.series:
                part = self.series[name].first
                if part.grid != first.grid:
                    raise MetError("fields of the state are on different grids", part.where, part.grid.name,
                                   f"{first.grid.name} as {first.where}")
                if name in LAYERED and (part.n_levels != first.n_levels or not np.array_equal(_level_values(part), _level_values(first))):
                    raise MetError("fields of the state are on different levels", part.where, f"{part.n_levels} levels",
                                   f"the {first.n_levels} of {first.where}")

    def _own_levels(self) -> tuple[np.ndarray, np.ndarray]:
        if not self.structure.a.size:
            raise MetError("the source has no hybrid levels of its own", self.series["T"].first.where, self.structure.text,
                           "a number of levels")
        return self.structure.a / P0, self.structure.b

    def notes(self) -> list[str]:
        """What is made of what."""
        made = ", ".join(f"{name} of {series.first.name}" for name, series in self.series.items() if name in MET_FIELDS)
        absent = [name for name, about in MET_FIELDS.items()
                  if name not in self.series and not about.required and name not in NOT_USED | {"ORO"}]
        lines = [f"{self.product.title}, {self.series['T'].first.grid.name}, {self.structure.text} → {self.grid.name}, "
                 f"{self.levels[0].size - 1} levels, every {self.hours} h", f"made of: {made}"]
        if absent:
            lines.append(f"not in the source, left out: {', '.join(absent)} (the embedded model diagnoses them)")
        if "land" not in self.series:
            lines.append("no land mask in the source: ORO is the package global-land-mask's")
        return lines

    def _times(self, day: np.datetime64) -> np.ndarray:
        return day.astype("datetime64[s]") + np.arange(24 // self.hours) * self.hours * HOUR

    def _terms(self, name: str, time: np.datetime64) -> Terms | None:
        if name in self._intervals:
            return mean_about(self._intervals[name], time, self.hours * HOUR)
        return self.series[name].at(time)

    def missing(self, days: np.ndarray) -> tuple[str, list[np.datetime64]] | None:
        """The first variable that lacks times of these days, and the times."""
        for name in self.series:
            if name not in STATIC:
                lacking = [time for day in days for time in self._times(day) if self._terms(name, time) is None]
                if lacking:
                    return name, lacking
        return None

    def require(self, days: np.ndarray) -> None:
        """Raise unless every variable has all times of these days."""
        problem = self.missing(days)
        if problem is None:
            return
        name, lacking = problem
        series = self.series[name]
        covers = f"{series.times[0]} … {series.times[-1]}" if series.times.size else "no times"
        files = series.first.path if len(series.parts) == 1 else f"{series.first.path} and {len(series.parts) - 1} more files"
        outside = not series.times.size or lacking[0] > series.times[-1] or lacking[-1] < series.times[0]
        what = "the source does not cover the days wanted" if outside else "a gap between the source's records"
        required = name in MET_FIELDS and MET_FIELDS[name].required or name == "DELP"
        raise MetError(what, f"{files}, {series.first.name}", f"{len(lacking)} times missing, the first {lacking[0]}; there is {covers}",
                       f"every {self.hours} h from {days[0]} 00:00 to {days[-1]} {24 - self.hours:02d}:00",
                       "Fetch whole days from the day before the start to the day of the end." if required else
                       f"Fetch them, or leave out the files with {series.first.name}: {name} can be done without.")

    def _static_fields(self) -> dict[str, np.ndarray]:
        fields = {}
        for name in STATIC:
            if name in self.series:
                series = self.series[name]
                fields[name] = self._regridded(name, surface(series, (series.static,), name))
        land = fields.pop("land", None)
        ice = fields.pop("land ice", 0.0)
        fields["land"] = land_fraction(self.grid) if land is None else land + ice
        return fields

    def _regridded(self, name: str, values: np.ndarray) -> np.ndarray:
        return regrid(values, self.series[name].first.grid, self.grid)

    def write(self, path: Path, day: np.datetime64) -> None:
        """The file of one day."""
        times = self._times(day)
        records = [self._record(time) for time in times]
        fields = {name: np.array([record[name] for record in records], dtype=np.float32) for name in records[0]}
        own = ", ".join(f"{name}: {series.first.name}" for name, series in self.series.items() if name in MET_FIELDS)
        write_met_file(path, self.grid, *self.levels, times, fields,
                       {"title": f"{self.product.title} for transport", "source": f"{self.structure.text}; {own}"})

    def _record(self, time: np.datetime64) -> dict[str, np.ndarray]:
        terms = {name: self._terms(name, time) for name in self.series if name not in STATIC}
        columns = state_columns(self.structure, self.series, terms, self.grid, self.levels, self.mean_pressure)
        self.shifts.append(columns.shift)
        record = {**columns.fields, "PS": columns.ps, "PHIS": self._static["PHIS"], "ORO": np.where(self._static["land"] >= 0.5, 1.0, 0.0)}
        for name in terms:
            if name not in record and name not in LAYERED and name in MET_FIELDS:
                record[name] = self._regridded(name, surface(self.series[name], terms[name], name))
        if "sea ice" in terms:
            ice = self._regridded("sea ice", surface(self.series["sea ice"], terms["sea ice"], "sea ice"))
            record["ORO"] = np.where((record["ORO"] == 0.0) & (ice >= 0.5), 2.0, record["ORO"])
        for name, values in record.items():
            self._check_range(name, values, time)
        return record

    def _check_range(self, name: str, values: np.ndarray, time: np.datetime64) -> None:
        about = MET_FIELDS[name]
        low, high = float(values.min()), float(values.max())
        if name in NOT_USED or (low >= about.low and high <= about.high):
            return
        source = self.series.get(name, self.series["T"]).first
        raise MetError("values are not physical", f"{source.where}, {time}, as {name}", f"{low:.6g} … {high:.6g}",
                       f"{about.low:g} … {about.high:g} {about.units}", "Other units, another variable, or damaged data.")


def _level_values(part: object) -> np.ndarray:
    """What tells a variable's levels: pressures, or numbers."""
    return part.level_numbers if part.pressure_levels is None else part.pressure_levels
