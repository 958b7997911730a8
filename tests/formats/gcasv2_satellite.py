"""Writer of GCASv2's own satellite files out of numbers that a test chooses; `gcasv2.py` has the specimens."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from .sounding_numbers import N_LEVELS, Soundings


def write_gcasv2_satellite(path: Path, s: Soundings, flip: bool = False, leave_out: tuple[str, ...] = ()) -> Path:
    """A daily satellite file of GCASv2: NETCDF3, no attributes, decimal hours, longitude 0..360."""
    order = slice(None, None, -1) if flip else slice(None)
    day = np.floor(s.time / 86400.0).astype(np.int64)
    dates = np.array([int(np.datetime64(int(d), "D").item().strftime("%Y%m%d")) for d in day])
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        dataset.createDimension("nSamples", len(s.time))
        dataset.createDimension("Level", N_LEVELS)
        for name, kind, values in (
                ("date", "i4", dates), ("time", "f4", (s.time - 86400.0 * day) / 3600.0), ("latitude", "f4", s.lat),
                ("longitude", "f4", s.lon % 360.0), ("surfacepressure", "f4", s.pressure[:, -1]), ("pressure", "f4", s.pressure[:, order]),
                ("xco2", "f4", s.xco2), ("xco2unc", "f4", s.error), ("constraintvector", "f4", s.prior[:, order]),
                ("axco2", "f4", s.prior_xco2), ("averagingKernel", "f4", s.kernel[:, order]),
                ("weightingfunction", "f4", s.weight[:, order]), ("opmode", "i4", s.mode)):
            if name not in leave_out:
                dataset.createVariable(name, kind, ("nSamples", "Level")[: values.ndim])[...] = values
    return path
