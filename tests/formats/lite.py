"""ACOS Lite files of GOSAT, and OCO-2's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from generators.observation_files import make_soundings, write_lite

from gcas_driver.observations import acos_lite
from gcas_driver.observations.streams import SatelliteStream

from . import Specimen
from .reading import rows

DAY = "2015-07-11"
START, END = np.datetime64(DAY, "s"), np.datetime64("2015-07-12", "s")
N = 12


def _writer(name: str, **options) -> Callable[[Path], Path]:
    def write(directory: Path) -> Path:
        path = directory / name
        soundings = make_soundings(N, DAY, seed=7)
        soundings.time = np.round(soundings.time)
        soundings.quality[4] = 1
        write_lite(path, soundings, **options)
        return path
    return write


def _read(path: Path) -> dict[str, np.ndarray]:
    stream = SatelliteStream("lite", path.parent, cell_degrees=0.0, missing_days=False)
    return rows(acos_lite.read(stream, START, END))


SPECIMENS = [
    Specimen("gosat_lite_v7.3", "netcdf4", _writer("acos_LtCO2_150711_v201201_B7310A_161107201902s.nc4"), _read),
    Specimen("oco2_lite_v11", "netcdf4", _writer("oco2_LtCO2_150711_B11014Ar_220801000000s.nc4", fill="_FillValue", warn_level=False,
                                                 oco=True, build="B11.0.14"), _read),
]
