"""The file contract in one table: every file's name, dimensions, variables, types and units.

All writers define their files from this table and all readers check against it, so that what one side writes is what
the other expects. Tags: `C` certain, seen in a file or script that drives the real model; `L` likely; `R` our choice
where nothing public says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import netCDF4
import numpy as np

from mozart_coupling.dates import stamp
from mozart_coupling.errors import CouplingError, NamelistError
from mozart_coupling.netcdf import ClassicWriter

RUN_DIRECTORIES = ("hist", "rest", "arch", "temp")
VMR_SUFFIX = "_VMR_avrg"
CASE_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True)
class Variable:
    """One variable of a file; `{tracer}` in the name stands for every tracer."""

    name: str
    dims: tuple[str, ...]
    dtype: str  # NumPy code: i4, f4, f8
    units: str
    text: str = ""
    required: bool = True


@dataclass(frozen=True)
class FileFormat:
    """One kind of file: its name pattern, record dimension, variables and the tag of the whole."""

    key: str
    pattern: str
    tag: str
    text: str
    variables: tuple[Variable, ...]
    record: str | None = None
    attributes: tuple[str, ...] = field(default=())


def _grid(dtype: str) -> tuple[Variable, ...]:
    return (Variable("lat", ("lat",), dtype, "degrees_north", "latitude"),
            Variable("lon", ("lon",), dtype, "degrees_east", "longitude"))


_DATE = (Variable("date", ("time",), "i4", "yyyymmdd", "calendar date"),
         Variable("datesec", ("time",), "i4", "s", "seconds of the day"))
_MID = (Variable("hyam", ("lev",), "f8", "1", "hybrid A at mid-levels"), Variable("hybm", ("lev",), "f8", "1", "hybrid B at mid-levels"))
_FACES = (Variable("hyai", ("ilev",), "f8", "1", "hybrid A at interfaces"),
          Variable("hybi", ("ilev",), "f8", "1", "hybrid B at interfaces"))
_P0 = Variable("P0", (), "f8", "Pa", "reference pressure")
_LEV = Variable("lev", ("lev",), "f8", "hPa", "1000 (hyam + hybm), top first")
_ILEV = Variable("ilev", ("ilev",), "f8", "hPa", "1000 (hyai + hybi), top first")
_CUBE = ("time", "lev", "lat", "lon")
_PLANE = ("time", "lat", "lon")


def _met(names: str, dims: tuple[str, ...], required: bool = True) -> tuple[Variable, ...]:
    units = {"T": "K", "U": "m/s", "V": "m/s", "Q": "kg/kg", "PS": "Pa", "PHIS": "m2/s2", "TS": "K", "TAUX": "N/m2", "TAUY": "N/m2",
             "SHFLX": "W/m2", "QFLX": "kg/m2/s", "FSDS": "W/m2", "ALB": "1", "SNOWH": "m", "SOILW": "1", "ORO": "1", "PBLH": "m",
             "CMFMC": "kg/m2/s"}
    return tuple(Variable(name, dims, "f4", units[name], required=required) for name in names.split())


EMISSIONS = FileFormat("emissions", "emissions.{tracer}.surface.{tag}.nc", "C",
                       "surface flux of one tracer, 8 three-hourly records a day and one more, from 00:00 of the first day",
                       (Variable("CO2", _PLANE, "f4", "molecules/cm2/s", "surface flux into the air"), *_grid("f4"), *_DATE,
                        Variable("time", ("time",), "i4", "1", "record number")), record="time")
COMPONENTS = FileFormat("components", "components.nc", "R", "flux components at the nodes of the time interpolation",
                        (Variable("flux", ("component", "time", "lat", "lon"), "f8", "molecules/cm2/s", "surface flux into the air"),
                         *_grid("f8"), *_DATE), attributes=("components",))
FACTORS = FileFormat("factors", "factors.nc", "R", "what each tracer takes of each component, cell by cell",
                     (Variable("factor", ("tracer", "component", "lat", "lon"), "f8", "1", "factor of the component"), *_grid("f8")),
                     attributes=("tracers", "components"))
HISTORY = FileFormat("history", "hist/{case}.mz4.h0.{stamp}.nc", "C", "averages since the sample before; stamped with the end of the first",
                     (Variable("{tracer}" + VMR_SUFFIX, _CUBE, "f4", "kg/kg", "mixing ratio, average of the steps"),
                      Variable("PS", _PLANE, "f4", "Pa", "surface pressure"),
                      Variable("Q", _CUBE, "f4", "kg/kg", "specific humidity", False),
                      Variable("Zm", _CUBE, "f4", "m", "height above sea at mid-levels", False),
                      Variable("Zi", ("time", "ilev", "lat", "lon"), "f4", "m", "height above sea at interfaces", False),
                      *_grid("f8"), _LEV, _ILEV, *_MID, *_FACES, _P0, *_DATE,
                      Variable("time", ("time",), "f8", "days since 0000-01-01", "proleptic Gregorian; go by date and datesec")),
                     record="time", attributes=("title", "case"))
RESTART = FileFormat("restart", "rest/{case}.mz4.r.{stamp}.nc", "C", "tracers at midnight",
                     (Variable("{tracer}", ("lev", "lat", "lon"), "f8", "kg/kg", "mixing ratio"),
                      Variable("PS", ("lat", "lon"), "f8", "Pa", "surface pressure", False), *_grid("f8"), _LEV, *_MID, _P0,
                      Variable("date", (), "i4", "yyyymmdd"), Variable("datesec", (), "i4", "s")), attributes=("case",))
MASTER_RESTART = FileFormat("master restart", "rest/rstrt-{stamp}", "R",
                            "opaque to everyone but the model that wrote it: the air's own state",
                            (Variable("PS", ("lat", "lon"), "f8", "Pa", "surface pressure"),
                             Variable("mean", ("lev", "lat", "lon"), "f8", "kg/kg", "the tracers' mean, off midnight", False),
                             Variable("anomaly", ("tracer", "lev", "lat", "lon"), "f4", "kg/kg", "and the anomalies from it", False),
                             *_grid("f8"), *_FACES, _P0,
                             Variable("date", (), "i4", "yyyymmdd"), Variable("datesec", (), "i4", "s")),
                            attributes=("case", "restart_file"))
INITIAL = FileFormat("initial", "ic_{date}.nc", "C", "initial condition",
                     (Variable("{tracer}", ("lev", "lat", "lon"), "f4", "kg/kg", "mixing ratio"),
                      Variable("PS", ("lat", "lon"), "f4", "Pa", "surface pressure", False), *_grid("f4"),
                      Variable("lev", ("lev",), "f8", "hPa", "1000 (hyam + hybm), top first", False), *_MID,
                      Variable("P0", (), "f8", "Pa", "reference pressure", False), Variable("date", (), "i4", "yyyymmdd", "", False),
                      Variable("datesec", (), "i4", "s", "", False)))
MET = FileFormat("met", "{prefix}{date}.nc", "C", "meteorology of one day, instantaneous, 3- or 6-hourly from 00:00",
                 (*_met("T U V Q", _CUBE), *_met("PS PHIS TS TAUX TAUY SHFLX QFLX FSDS ALB SNOWH SOILW ORO", _PLANE),
                  *_met("PBLH", _PLANE, False), *_met("CMFMC", ("time", "ilev", "lat", "lon"), False),
                  *_grid("f8"), _LEV, _ILEV, *_MID, *_FACES, *_DATE,
                  Variable("time", ("time",), "f8", "days since 1900-01-01 00:00:00")), record="time")
SAMPLE_REQUEST = FileFormat("sample request", "samples_request.nc", "R", "where and when the model is to be sampled",
                            (Variable("lon", ("sample",), "f8", "degrees_east"), Variable("lat", ("sample",), "f8", "degrees_north"),
                             Variable("time_start", ("sample",), "f8", "seconds since 1970-01-01 00:00:00"),
                             Variable("time_end", ("sample",), "f8", "seconds since 1970-01-01 00:00:00",
                                      "equal to time_start: an instant")))
SAMPLES = FileFormat("samples", "samples.nc", "R", "profiles at the places and times asked for; equal requests share a column",
                     (Variable("column", ("sample",), "i4", "1", "column of the sample, from 0"),
                      Variable("mixing_ratio", ("columns", "tracer", "lev"), "f8", "mol/mol"),
                      Variable("surface_pressure", ("columns",), "f8", "Pa"), Variable("height", ("columns", "lev"), "f8", "m"),
                      Variable("height_interface", ("columns", "ilev"), "f8", "m"),
                      Variable("specific_humidity", ("columns", "lev"), "f8", "kg/kg", required=False), *_MID, *_FACES, _P0,
                      Variable("date", (), "i4", "yyyymmdd", "end of the run"), Variable("datesec", (), "i4", "s")),
                     attributes=("tracers", "case"))

FORMATS = (EMISSIONS, COMPONENTS, FACTORS, HISTORY, RESTART, MASTER_RESTART, INITIAL, MET, SAMPLE_REQUEST, SAMPLES)


def check_case(case: str) -> str:
    """Return a case name that is safe as a file name prefix.

    Raises
    ------
    NamelistError
        If it is empty, too long, or could lead out of its directory.
    """
    if not isinstance(case, str) or not CASE_PATTERN.fullmatch(case) or ".." in case:
        raise NamelistError("a case name is a plain file name prefix", "case", repr(case),
                            "1 to 40 letters, digits, '_', '.' or '-', not starting with '.' or '-', without '..'")
    return case


def history_name(case: str, seconds: int) -> str:
    """Path of a history file, relative to the run directory; `seconds` is the end of its first average."""
    return HISTORY.pattern.format(case=case, stamp=stamp(seconds))


def restart_name(case: str, seconds: int) -> str:
    """Path of the tracer restart, relative to the run directory."""
    return RESTART.pattern.format(case=case, stamp=stamp(seconds))


def master_restart_name(seconds: int) -> str:
    """Path of the master restart, relative to the run directory: what the pointer's one line says."""
    return MASTER_RESTART.pattern.format(stamp=stamp(seconds))


def pointer_name(case: str) -> str:
    """Name of the restart pointer in the run directory."""
    return f"{case}-rpntr"


def emission_name(tracer: str, tag: str) -> str:
    """File name of one tracer's surface flux."""
    return EMISSIONS.pattern.format(tracer=tracer, tag=tag)


def member_names(n: int) -> tuple[str, ...]:
    """`EN001`, `EN002`, … of n tracers."""
    return tuple(f"EN{i:03d}" for i in range(1, n + 1))


def variables_of(kind: FileFormat, tracers: Iterable[str] = ()) -> list[Variable]:
    """The variables of a file, `{tracer}` written out for every tracer."""
    out: list[Variable] = []
    for variable in kind.variables:
        if "{tracer}" not in variable.name:
            out.append(variable)
            continue
        out += [Variable(variable.name.format(tracer=tracer), variable.dims, variable.dtype, variable.units, variable.text,
                         variable.required) for tracer in tracers]
    return out


def define(dataset: ClassicWriter, kind: FileFormat, sizes: Mapping[str, int], tracers: Iterable[str] = (), *,
           leave_out: Iterable[str] = (), dtypes: Mapping[str, str] | None = None, units: Mapping[str, str] | None = None,
           attributes: Mapping[str, object] | None = None) -> None:
    """Define dimensions and variables of a file as the table says.

    Parameters
    ----------
    sizes
        Length of every dimension but the record dimension.
    tracers
        What `{tracer}` stands for.
    leave_out
        Optional variables that this file does not have.
    dtypes, units
        Departures from the table, by the table's variable name (history in double precision, mol/mol instead of kg/kg).
    attributes
        Global attributes.
    """
    variables = [v for v in kind.variables if v.name not in set(leave_out)]
    names = tuple(tracers)
    with dataset.definitions():
        for name in dict.fromkeys(dim for variable in variables for dim in variable.dims):
            dataset.createDimension(name, None if name == kind.record else sizes[name])
        for template in variables:
            _define_variable(dataset, template, names, (dtypes or {}).get(template.name, template.dtype),
                             (units or {}).get(template.name, template.units))
        dataset.setncatts(dict(attributes or {}))


def _define_variable(dataset: ClassicWriter, template: Variable, tracers: tuple[str, ...], dtype: str, units: str) -> None:
    for name in [template.name.format(tracer=t) for t in tracers] if "{tracer}" in template.name else [template.name]:
        variable = dataset.createVariable(name, dtype, template.dims)
        variable.setncatts({"units": units, **({"long_name": template.text} if template.text else {})})


def check_structure(dataset: netCDF4.Dataset, kind: FileFormat, path: object, error: type[CouplingError],
                    tracers: Iterable[str] = ()) -> None:
    """Check that a file has every required variable on the right dimensions.

    Types of numbers are not compared: readers convert, and files of the field come in float and double. Length-1 `time` dimensions
    in front of scalars and fields without time are let pass, since the field's own tools write both.

    Raises
    ------
    error
        Naming the file, the variable, what was found and what is expected.
    """
    for variable in variables_of(kind, tracers):
        if variable.name not in dataset.variables:
            if variable.required:
                raise error(f"a variable of the {kind.key} file is missing", f"{path}, {variable.name}",
                            "variables " + ", ".join(list(dataset.variables)[:40]), f"{variable.name}{variable.dims}")
            continue
        found = dataset.variables[variable.name]
        if found.dtype is str or found.dtype.kind not in "fiu":
            raise error(f"a variable of the {kind.key} file holds no numbers", f"{path}, {variable.name}", found.dtype, "numbers")
        dims = found.dimensions
        if dims[:1] == ("time",) and "time" not in variable.dims and found.shape[0] == 1:
            dims = dims[1:]
        if dims != variable.dims:
            raise error(f"a variable of the {kind.key} file has the wrong dimensions", f"{path}, {variable.name}",
                        f"{variable.name}{found.dimensions}", f"{variable.name}{variable.dims}")


def value(dataset: netCDF4.Dataset, name: str, ndim: int) -> np.ndarray:
    """A variable as a plain array of `ndim` dimensions (leading length-1 dimensions dropped), masked values as NaN."""
    data = dataset.variables[name][...]
    if np.ma.isMaskedArray(data):
        data = data.filled(np.nan) if data.dtype.kind == "f" else data.filled(0)
    data = np.asarray(data)
    while data.ndim > ndim and data.shape[0] == 1:
        data = data[0]
    return data
