"""GCASv2's own daily files of soundings and surface samples; `flux_common.py` and its like have the fluxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from generators import gcasv2_directory as made

from gcas_driver.observations import gcasv2_satellite, gcasv2_surface
from gcas_driver.observations.streams import SatelliteStream, SurfaceStream

from . import Specimen
from .reading import rows

DAY = np.datetime64("2014-09-06")
START, END = DAY.astype("datetime64[s]"), (DAY + 1).astype("datetime64[s]")


def _write_soundings(directory: Path) -> Path:
    path = directory / "oco2_v11_20140906.nc"
    made.write_soundings(path, DAY, 13, seed=3)
    return path


def _read_soundings(path: Path) -> dict[str, np.ndarray]:
    stream = SatelliteStream("oco2", path.parent, "gcasv2_satellite", cell_degrees=0.0, missing_days=False)
    return rows(gcasv2_satellite.READER.read(stream, START, END))


def _write_surface(directory: Path) -> Path:
    path = directory / "srf_20140906"
    made.write_surface(path, DAY, 397.25)
    return path


def _read_surface(path: Path) -> dict[str, np.ndarray]:
    stream = SurfaceStream("srf", path.parent, "gcasv2_surface", missing_days=False)
    return rows(gcasv2_surface.read(stream, START, END))


SPECIMENS = [Specimen("gcasv2_satellite", "netcdf3", _write_soundings, _read_soundings),
             Specimen("gcasv2_surface", "text", _write_surface, _read_surface)]
