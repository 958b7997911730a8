"""Inventories of fossil fuel and fires: GFED4.1s, ODIAC, CDIAC."""

from __future__ import annotations

import gzip
from pathlib import Path

import netCDF4
import numpy as np

from .flux_common import flux_specimen, one_stream

SHAPE = (18, 36)  # of specimens; the real ones have a degree (ODIAC) and a quarter of one (GFED)
KINDS = ("SAVA", "BORF", "TEMF", "DEFO", "PEAT", "AGRI")


def smooth(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A positive field (nlat, nlon), south first and from 0 E, nothing south of 60 S, as emissions are."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, 4)
    lat = np.deg2rad(-90 + (np.arange(shape[0]) + 0.5) * 180 / shape[0])[:, None]
    lon = np.deg2rad((np.arange(shape[1]) + 0.5) * 360 / shape[1])
    field = 1 + 0.5 * np.sin(3 * lat + phase[0]) * np.cos(2 * lon + phase[1])
    field = field + 0.4 * np.cos(5 * lon + phase[2]) * np.sin(4 * lat + phase[3])
    return np.where(lat < np.deg2rad(-60), 0.0, np.maximum(field, 0.0))


def from_north_and_west(field: np.ndarray) -> np.ndarray:
    """South-first fields from 0 E as files hold them that begin at 90 N, 180 W."""
    return np.roll(field, field.shape[-1] // 2, axis=-1)[..., ::-1, :]


def gfed_carbon(month: int) -> np.ndarray:
    """(18, 36) gC m-2 month-1, south first, from 0 E; half of the cells never burn."""
    field = smooth(SHAPE, month)
    return np.where(field > 1.0, 20.0 * (field - 1.0), 0.0)


def gfed_shares(month: int, n_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Daily (n_days,) and three-hourly (8,) shares, the same everywhere here."""
    generator = np.random.default_rng(month)
    return generator.dirichlet(np.ones(n_days)), generator.dirichlet(np.ones(8))


def write_gfed(directory: Path, *, year: int = 2010, shares_of: tuple[int, ...] = (6,), full: tuple[int, ...] = (6,),
               omit: tuple[str, ...] = (), beta: str = "") -> Path:
    """GFED4.1s' yearly file; months in `full` have fires, those in `shares_of` shares; fields in `omit` are left out."""
    path = directory / f"GFED4.1s_{year}{beta}.hdf5"
    directory.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("phony_dim_0", SHAPE[0])
        file.createDimension("phony_dim_1", SHAPE[1])

        def put(group, name, values):
            if f"{group.path}/{name}" in omit:
                return
            variable = group.createVariable(name, "f4", ("phony_dim_0", "phony_dim_1"), zlib=True, fill_value=False)
            variable[:] = values

        put(file, "lat", np.broadcast_to((85.0 - 10 * np.arange(18))[:, None], SHAPE))
        put(file, "lon", np.broadcast_to(-175.0 + 10 * np.arange(36), SHAPE))
        for month in range(1, 13):
            group = file.createGroup(f"emissions/{month:02d}")
            carbon = gfed_carbon(month) if month in full else np.zeros(SHAPE)
            put(group, "C", from_north_and_west(carbon))
            put(group, "DM", from_north_and_west(carbon / 480.0))
            if month not in shares_of:
                continue
            n_days = int((np.datetime64(f"{year}-{month:02d}") + 1).astype("datetime64[D]").astype(int)
                         - np.datetime64(f"{year}-{month:02d}-01").astype(int))
            by_day, by_hour = gfed_shares(month, n_days)
            burns = from_north_and_west(carbon) > 0
            for i, share in enumerate(by_day):
                put(group.createGroup("daily_fraction"), f"day_{i + 1}", np.where(burns, share, 0.0))
            for i, share in enumerate(by_hour):
                put(group.createGroup("diurnal_cycle"), f"UTC_{3 * i}-{3 * i + 3}h", np.where(burns, share, 0.0))
            for i, kind in enumerate(KINDS):
                put(group.createGroup("partitioning"), f"DM_{kind}", np.where(burns, (i + 1) / 21, 0.0))
    return path


def odiac_fields() -> tuple[np.ndarray, np.ndarray]:
    """Land and bunker (12, 18, 36) gC m-2 d-1, south first, from 0 E."""
    season = (1 + 0.1 * np.cos(2 * np.pi * np.arange(12) / 12))[:, None, None]
    return 0.1 * smooth(SHAPE) * season, 0.02 * smooth(SHAPE, 1) * season


def write_odiac(directory: Path, year: int = 2010) -> Path:
    """ODIAC on one degree: `month` 1 to 12 and no year, from 180 W."""
    path = directory / f"odiac2016_1x1d_{year}.nc"
    directory.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        for name, numbers, units in (("lat", np.arange(-85.0, 90, 10), "degrees_north"),
                                     ("lon", np.arange(-175.0, 180, 10), "degrees_east"), ("month", np.arange(1, 13), "month")):
            file.createDimension(name, numbers.size)
            variable = file.createVariable(name, "f4", (name,))
            variable.units = units
            variable[:] = numbers
        for name, values in zip(("land", "intl_bunker"), odiac_fields(), strict=True):
            variable = file.createVariable(name, "f4", ("month", "lat", "lon"))
            variable.units = "gC/m2/d"
            variable[:] = np.roll(values, 18, axis=-1)
    return path


def cdiac_field() -> np.ndarray:
    """(180, 360) Gg C per cell and month, south first, from 0 E."""
    return np.round(10.0 * smooth((180, 360), 2), 5)


def write_cdiac(directory: Path, *, name: str = "gridcar.201006", values: np.ndarray | None = None, per_line: int = 360) -> Path:
    """CDIAC's grid of numbers; `per_line` of them a line, since only their order counts."""
    path = directory / name
    directory.mkdir(parents=True, exist_ok=True)
    numbers = from_north_and_west(cdiac_field() if values is None else values).ravel()
    text = "\n".join(" ".join(f"{x:.5f}" for x in numbers[i:i + per_line]) for i in range(0, numbers.size, per_line)) + "\n"
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if name.endswith(".gz") else text.encode())
    return path


SPECIMENS = [
    flux_specimen("flux_gfed", "hdf5", write_gfed, one_stream("fire", "gfed")),
    flux_specimen("flux_gfed_dry_matter", "hdf5", write_gfed, one_stream("fire", "gfed", variable="DM")),
    flux_specimen("flux_gfed_monthly", "hdf5", lambda directory: write_gfed(directory, shares_of=()), one_stream("fire", "gfed")),
    flux_specimen("flux_odiac", "netcdf3", write_odiac, one_stream("fossil", "odiac")),
    flux_specimen("flux_cdiac", "text", write_cdiac, one_stream("fossil", "cdiac")),
]
