"""Opening what users download: NetCDF of any kind, and GRIB by cfgrib."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from mozart_coupling.classic_header import missing_bytes
from mozart_coupling.errors import MetError

PRESENT = "records_present"
"""Attribute of GRIB datasets: name → (start of forecast, time) of every message, since a block of times × steps may have holes."""

_NETCDF = (b"CDF", b"\x89HDF")


def open_files(paths: Iterable[str | Path]) -> list[tuple[Path, xr.Dataset]]:
    """Open files lazily; GRIB messages that make no common block become several datasets.

    Returns
    -------
    list of (Path, xarray.Dataset)
        Nothing but coordinates has been read.

    Raises
    ------
    MetError
        No files, a file that is missing, truncated, an archive, of another form, or GRIB without cfgrib.
    """
    paths = sorted({Path(path) for path in paths})
    if not paths:
        raise MetError("no files to convert", "FILES", "none", "NetCDF or GRIB files")
    opened: list[tuple[Path, xr.Dataset]] = []
    try:
        for path in paths:
            opened += [(path, dataset) for dataset in _open(path)]
    except MetError:
        # Now: HDF5 was seen to fail, and to crash, where a file is opened again while Python's collector closes a forgotten one.
        for _, dataset in opened:
            dataset.close()
        raise
    return opened


def _open(path: Path) -> list[xr.Dataset]:
    try:
        with open(path, "rb") as handle:
            start = handle.read(4)
    except OSError as error:
        raise MetError("a meteorology source file cannot be read", path, error.strerror or error, "a NetCDF or GRIB file") from None
    if start.startswith(_NETCDF):
        return [_open_netcdf(path)]
    if start == b"GRIB":
        return _open_grib(path)
    if start.startswith(b"PK"):
        raise MetError("a meteorology source file is a zip archive", path, "several files in one", "NetCDF or GRIB files",
                       "Unpack it and give the files in it.")
    raise MetError("a meteorology source file is neither NetCDF nor GRIB", path, f"it begins with {start!r}", "a NetCDF or GRIB file",
                   "A failed download is often a page of text: look into it.")


def _open_netcdf(path: Path) -> xr.Dataset:
    lacking = missing_bytes(path)
    if lacking:
        raise MetError("a meteorology source file is truncated", path, f"{lacking} bytes missing", "a complete NetCDF file",
                       "Fetch it again.")
    try:
        return xr.open_dataset(path, engine="netcdf4", decode_timedelta=False, cache=False)
    except (OSError, RuntimeError, ValueError) as error:
        raise MetError("a meteorology source file cannot be opened", path, str(error).splitlines()[0], "a complete NetCDF file",
                       "Fetch it again, or mend its time units.") from None


def _open_grib(path: Path) -> list[xr.Dataset]:
    try:
        import cfgrib
    except (ImportError, RuntimeError) as error:
        raise MetError("GRIB needs the packages cfgrib and eccodes", path, str(error).splitlines()[0], "both importable",
                       "Say `pip install gcas[grib]`, or ask the data store for NetCDF.") from None
    # It prints the traceback of every fault before it raises it.
    logging.getLogger("cfgrib").setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore", FutureWarning)  # cfgrib's own, about xarray's defaults
        # The index is kept on disk while the file is opened: without, all messages are scanned again for every variable.
        options = {"indexpath": f"{folder}/{{short_hash}}.idx", "read_keys": ["pv"], "errors": "raise"}
        try:
            datasets = cfgrib.open_datasets(str(path), backend_kwargs=options, cache=False)
            if any({"time", "step"} <= set(field.dims) for data in datasets for field in data.data_vars.values()):
                present = _grib_records(path)
                for data in datasets:
                    data.attrs[PRESENT] = present
            return datasets
        except Exception as error:  # eccodes and cfgrib have a class for every fault
            text = str(error).splitlines() or [type(error).__name__]
            raise MetError("a GRIB file cannot be read", path, text[0], "complete GRIB messages on a regular grid",
                           "Fetch it again; with model levels ask for `grid` such as 1.0/1.0.") from None


def _grib_records(path: Path) -> dict[str, set[tuple[np.datetime64, np.datetime64]]]:
    """Of every message: its forecast's start and the time for which it holds, by short name."""
    import eccodes

    records: dict[str, set[tuple[np.datetime64, np.datetime64]]] = {}
    with open(path, "rb") as handle:
        while (message := eccodes.codes_grib_new_from_file(handle, headers_only=True)) is not None:
            name = eccodes.codes_get(message, "shortName")
            stamp = [f"{eccodes.codes_get_long(message, key):0{width}d}" for key, width in
                     (("dataDate", 8), ("dataTime", 4), ("validityDate", 8), ("validityTime", 4))]
            records.setdefault(name, set()).add((_instant(*stamp[:2]), _instant(*stamp[2:])))
            eccodes.codes_release(message)
    return records


def _instant(date: str, clock: str) -> np.datetime64:
    return np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock[:2]}:{clock[2:]}:00", "s")
