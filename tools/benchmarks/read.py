"""Reading a week of OCO-2 Lite: `read-oco2-week` is seven files of 200,000 soundings, some 60 MB each, averaged in 1 degree cells.

The files are made first, as the tests make theirs, with numbers that compress as little as real ones. `read-oco2-week-single` keeps every
good sounding; `check-oco2-week` is what `gcas check` does with them. `limit_seconds` is the time in which the NetCDF library alone unpacks
the variables that are needed, whole.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import netCDF4
import numpy as np

from gcas_driver.observations import SatelliteStream, check_streams, read_streams

from .common import Row, add_patience, build_text, peak_mib, time_runs

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from formats.lite import DIALECTS, write_week

START = np.datetime64("2016-04-04")
DIALECT = "oco2_lite_v112"
NEEDED = ("time", "latitude", "longitude", "xco2", "xco2_uncertainty", "xco2_apriori", "xco2_quality_flag", "sounding_id",
          "pressure_levels", "pressure_weight", "xco2_averaging_kernel", "co2_profile_apriori")


def add_arguments(parser) -> None:
    """Size of a day."""
    add_patience(parser)
    parser.add_argument("--soundings", type=int, default=200000, help="a day")
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--directory", type=Path, help="make the files here and leave them, or use those that are here")


def measure(options) -> list[Row]:
    """All rows; the readers use one thread whatever is asked for."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = options.directory or Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        if not any(directory.iterdir()):
            write_week(directory, START, options.days, options.soundings, DIALECT)
        size = sum(path.stat().st_size for path in directory.iterdir()) / 1e6
        print(f"{options.days} files, {size:.0f} MB", file=sys.stderr)
        end = START + options.days
        averaged = SatelliteStream("oco2", directory, "oco2_lite", DIALECTS[DIALECT].file)
        single = SatelliteStream("oco2", directory, "oco2_lite", averaged.file_pattern, cell_degrees=0.0)
        limit = time_runs(lambda: _unpack(directory), options).seconds
        for case, call in (("read-oco2-week", lambda: read_streams([averaged], START, end)),
                           ("read-oco2-week-single", lambda: read_streams([single], START, end)),
                           ("check-oco2-week", lambda: check_streams([averaged], START, end))):
            timing = time_runs(call, options)
            rows.append(Row(case, 1, "double", timing.seconds, timing.cpu_seconds, limit, peak_mib(call, ()), build_text()))
    return rows


def _unpack(directory: Path) -> None:
    for path in sorted(directory.iterdir()):
        with netCDF4.Dataset(path) as dataset:
            dataset.set_auto_maskandscale(False)
            for name in NEEDED:
                dataset[name][...]
