"""The error of a sample: what the model cannot represent there, and what the measurement itself is uncertain by.

The mismatch comes, in this order, from the site's or data set's own entry in `error_sites`, in `error_table`; from a variable of the
file (`error_variable`); from the entry of the sample's project; from `error_ppm`, unless the file was to give it. Measurement error is
added in quadrature, but not to a mismatch that the file gives, which is meant to be whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import fortranformat
import numpy as np

from gcas_driver.errors import InputError
from gcas_driver.observations.files import while_unchanged
from gcas_driver.observations.streams import SurfaceStream
from gcas_driver.observations.wildcards import matches

if TYPE_CHECKING:
    from gcas_driver.observations.points import PointSamples

SMALLEST_PPM, LARGEST_PPM = 1.0e-3, 200.0
"""A mismatch beyond these is in other units."""


def total_error(samples: PointSamples, stream: SurfaceStream) -> np.ndarray:
    """Standard deviation (n,) [ppm] of each sample's error as the analysis is to use it; NaN where the file was to give it and does not.

    Raises
    ------
    InputError
        For a table that cannot be read.
    """
    tables = [dict(stream.site_error_ppm)]
    if stream.error_table is not None:
        tables.append(_table(stream.error_table, stream.error_table_format))
    kinds, index = np.unique(np.column_stack([samples.site, samples.dataset, samples.project]).astype(str), axis=0, return_inverse=True)
    index = index.reshape(-1)
    own = np.array([_first(tables, *kind[:2]) for kind in kinds], dtype=np.float64)[index]
    of_class = np.array([_first(tables, kind[2]) for kind in kinds], dtype=np.float64)[index]
    otherwise = np.nan if stream.error_variable else stream.error_ppm
    from_file = np.isfinite(samples.mismatch) & (samples.mismatch > 0.0)
    mismatch = np.where(np.isfinite(of_class), of_class, otherwise)
    mismatch = np.where(np.isfinite(own), own, np.where(from_file, samples.mismatch, mismatch))
    uncertainty = np.where(from_file & ~np.isfinite(own), 0.0, samples.uncertainty)
    return stream.error_factor * np.hypot(mismatch, uncertainty)


def _first(tables: list[Mapping[str, float]], *names: str) -> float:
    """The first table's value for the names: an exact entry before a wildcard; NaN where none has one."""
    names = tuple(name.lower() for name in names if name)
    for table in tables:
        lower = {key.lower(): value for key, value in table.items()}
        for name in names:
            if name in lower:
                return lower[name]
        for pattern, value in lower.items():
            if any(matches(pattern, name) for name in names):
                return value
    return np.nan


def _table(path: Path, record_format: str) -> dict[str, float]:
    try:
        return read_table(Path(path), record_format)
    except OSError as error:
        raise InputError("the table of errors cannot be read", str(path), str(error), "a text file: site and ppm",
                         "correct the stream's error_table") from error


@while_unchanged(16)
def read_table(path: Path, record_format: str) -> dict[str, float]:
    """Site, data set or project, and error [ppm], of a text table.

    One entry a line, separated by blanks, commas or semicolons, or in the columns of a Fortran format; `#` starts a comment. Further
    columns are not looked at.

    Raises
    ------
    InputError
        For a line that is not of this form, an error that is not between 0.001 and 200 ppm, two entries of one name, or an empty table.
    """
    reader = fortranformat.FortranRecordReader(record_format) if record_format else None
    table: dict[str, float] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        line = line.split("#")[0].rstrip()
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            parts = reader.read(line) if reader else line.replace(",", " ").replace(";", " ").split()
            name, value = str(parts[0]).strip(), float(parts[1])
        except (ValueError, IndexError, TypeError) as error:
            raise InputError("not an entry of a table of errors", where, f"{line.strip()[:80]} ({error})", "a name and an error in ppm",
                             "separate by blanks or commas, or set error_table_format") from None
        if not SMALLEST_PPM <= value <= LARGEST_PPM:
            raise InputError("error out of range", where, f"{value:g}", f"{SMALLEST_PPM:g} to {LARGEST_PPM:g} ppm", "the table is in ppm")
        if name.lower() in (key.lower() for key in table):
            raise InputError("two entries of one name", where, name, "each name once")
        table[name] = value
    if not table:
        raise InputError("the table of errors is empty", str(path), "no entry", "lines such as `MLO 1.5`")
    return table
