"""Writing synthetic soundings as ACOS Lite files, v7.3 style."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.observations.table import ColumnOperator
from mozart_coupling.netcdf import new_netcdf4

MISSING = -999999.0
NAME = "acos_LtCO2_{day}_v000000_B7310A_synthetic.nc4"
LEVELS_TEXT = "Defined on layer boundaries. These are oriented space-to-surface"


def write_lite_file(path: Path, *, time: np.ndarray, lon: np.ndarray, lat: np.ndarray, xco2: np.ndarray, error: np.ndarray,
                    quality: np.ndarray, warn_level: np.ndarray, zenith: np.ndarray, land: np.ndarray, identifier: np.ndarray,
                    operator: ColumnOperator) -> None:
    """Write one day's soundings.

    Parameters
    ----------
    path : Path
    time, lon, lat, zenith : ndarray (n,)
        Seconds since 1970, degrees.
    xco2, error : ndarray (n,)
        Retrieved value and its stated uncertainty [ppm].
    quality, warn_level, land : ndarray of int or bool (n,)
    identifier : ndarray of str (n,)
        Decimal digits.
    operator : ColumnOperator
        Top first, Pa and mol mol-1; written in hPa and ppm.
    """
    with new_netcdf4(path) as dataset:
        dataset.setncatts({"BuildId": "B7.3.10A", "Platform": "GOSAT", "Sensor": "TANSO-FTS", "title": "synthetic soundings of GCAS",
                           "filter_function": "synthetic", "warn_level_function": "synthetic"})
        dataset.createDimension("sounding_id", len(time))
        dataset.createDimension("levels", operator.retrieval_pressure.shape[1])
        _write(dataset, "sounding_id", "i8", identifier.astype(np.int64))
        _write(dataset, "time", "f8", time, "seconds since 1970-01-01 00:00:00")
        _write(dataset, "latitude", "f4", lat, "degrees_north")
        _write(dataset, "longitude", "f4", lon, "degrees_east")
        _write(dataset, "xco2", "f4", xco2, "ppm")
        _write(dataset, "xco2_uncertainty", "f4", error, "ppm")
        _write(dataset, "xco2_apriori", "f4", operator.prior_xco2, "ppm")
        _write(dataset, "xco2_quality_flag", "i1", quality)
        _write(dataset, "warn_level", "i1", warn_level)
        _write(dataset, "solar_zenith_angle", "f4", zenith, "degrees")
        _write(dataset, "pressure_levels", "f4", operator.retrieval_pressure / 100.0, "hPa", LEVELS_TEXT)
        _write(dataset, "pressure_weight", "f4", operator.pressure_weight, "1")
        _write(dataset, "xco2_averaging_kernel", "f4", operator.averaging_kernel, "1")
        _write(dataset, "co2_profile_apriori", "f4", 1.0e6 * operator.prior_profile, "ppm")
        retrieval, sounding = dataset.createGroup("Retrieval"), dataset.createGroup("Sounding")
        _write(retrieval, "psurf", "f4", operator.retrieval_pressure[:, -1] / 100.0, "hPa")
        _write(retrieval, "surface_type", "i1", np.asarray(land, dtype=np.int8))
        _write(sounding, "gain", "S1", np.full(len(time), b"H", dtype="S1"))


def _write(place, name: str, kind: str, values: np.ndarray, units: str = "", comment: str = "") -> None:
    variable = place.createVariable(name, kind, ("sounding_id", "levels")[: values.ndim], zlib=kind != "S1", complevel=1)
    if kind.startswith("f"):
        variable.missing_value = np.asarray(MISSING, dtype=kind)[()]
    if units:
        variable.units = units
    if comment:
        variable.comment = comment
    variable[...] = values
