"""Bad sources: each gets an error that names what, where and when, and no file that looks complete."""

from __future__ import annotations

import builtins
import shutil

import numpy as np
import pytest
import xarray as xr
from generators import met_files as world

from gcas_driver.cli import main
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid
from mozart_coupling.reanalysis import files as files_module
from mozart_coupling.reanalysis.convert import convert_reanalysis

pytestmark = pytest.mark.slow  # damaged files now and then bring the HDF5 library down, and with it the whole run

START, END = np.datetime64("2010-06-02"), np.datetime64("2010-06-03")
SIX = world.times("2010-06-02", "2010-06-03T18", 6)
HOURLY = world.times("2010-06-01T21", "2010-06-03T22", 1)
FORECAST = world.times("2010-06-01T15", "2010-06-03T21", 3)
BAD_TIME = np.datetime64("2010-06-03T06")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    return {"pressure": world.new_store_pressure(folder / "pressure", SIX, HOURLY),
            "interim": world.era_interim(folder / "interim", SIX, FORECAST)}


def _convert(files, out, product="era5", levels=None, **options):
    levels = hybrid_levels(5) if levels is None else levels
    return convert_reanalysis(product, files, out, "m_", Grid.regular(8, 6), levels, START, END, **options)


def _changed(tmp_path, files, index, change):
    """The same files with one of them changed; `change` takes and gives a dataset."""
    with xr.open_dataset(files[index]) as data:
        data = change(data.load())
    for name in data.variables:
        data[name].encoding = {}
    path = tmp_path / files[index].name
    data.to_netcdf(path)
    return [path if k == index else other for k, other in enumerate(files)]


def _at(name, value, level=None):
    def change(data):
        place = {"valid_time": data.valid_time.values.tolist().index(BAD_TIME.astype("datetime64[ns]").astype(int))}
        if level is not None:
            place["pressure_level"] = level
        data[name][{**place, "latitude": 3, "longitude": 4}] = value
        return data
    return change


def _drop_time(name):
    return lambda data: data.sel({name: data[name] != BAD_TIME})


# (store, which file, change, what the error must say)
FAULTS = {
    "a variable is missing": ("pressure", 0, lambda d: d.drop_vars("q"), ["missing: Q", "Q: q on levels", "blh"]),
    "two are missing": ("pressure", 1, lambda d: d.drop_vars(["sp", "z"]), ["PS, PHIS", "sp or lnsp", "PHIS: z"]),
    "a gap": ("pressure", 0, _drop_time("valid_time"), ["gap", "levels.nc, t", "2010-06-03T06", "1 times missing"]),
    "a gap in what could be left out": ("pressure", 1, lambda d: d.assign(blh=d.blh.isel(valid_time=slice(3, None))).dropna(
        "valid_time", subset=["blh"]), ["2010-06-02T00", "stepType-instant.nc"]),
    "no records": ("pressure", 1, lambda d: d.isel(valid_time=slice(0, 0)), ["no records", "stepType-instant.nc"]),
    "hours of fluxes are missing": ("pressure", 2, lambda d: d.isel(valid_time=slice(0, 12)),
                                    ["ewss", "2010-06-02T12", "can be done without"]),
    "wrong dates": ("pressure", 0, lambda d: d.assign_coords(valid_time=d.valid_time + np.timedelta64(365, "D")),
                    ["does not cover", "2011-06-02T00", "from 2010-06-02"]),
    "NaN winds": ("pressure", 0, _at("u", np.nan, 10), ["NaN", "levels.nc, u, 2010-06-03T06", "1 of", "45N 60E"]),
    "NaN surface": ("pressure", 1, _at("blh", np.nan), ["NaN", "blh, 2010-06-03T06"]),
    "infinite winds": ("pressure", 0, _at("v", np.inf, 20), ["NaN", "v, 2010-06-03T06"]),
    "hurricane": ("pressure", 0, _at("u", 9.0e3, 10), ["not physical", "u, 2010-06-03T06", "-300 … 300"]),
    "upside down": ("interim", 0, lambda d: d.assign_coords(level=d.level.values[::-1]), ["upside down", "q, 2010-06-02T00"]),
    "levels are missing": ("interim", 0, lambda d: d.isel(level=slice(0, 50)), ["levels are missing", "without 51, 52", "down to 60"]),
    "a level twice": ("interim", 0, lambda d: d.assign_coords(level=np.r_[1:60, 59]), ["given twice"]),
    "coefficients not monotone": ("interim", 0, lambda d: d.assign(
        hyai=("ilev", np.r_[np.linspace(0, 3e4, 40), np.linspace(1e4, 0, 21)]), hybi=("ilev", np.linspace(0, 1, 61) ** 4)),
        ["not monotone", "hyai and hybi", "layer 40"]),
    "coefficients not finite": ("interim", 0, lambda d: d.assign(
        hyai=("ilev", np.full(61, np.nan)), hybi=("ilev", np.linspace(0, 1, 61))), ["not finite", "levels.nc"]),
    "a part of the globe": ("pressure", 0, lambda d: d.isel(longitude=slice(0, 9)), ["not a global", "levels.nc, t", "whole globe"]),
    "two grids": ("pressure", 1, lambda d: d.isel(longitude=slice(0, 24, 2)), ["different grids", "sp", "12x13", "24x13"]),
    "two sets of levels": ("pressure", 0, lambda d: xr.merge([
        d.drop_vars("q"), d[["q"]].rename(pressure_level="level").isel(level=slice(3, 24))]), ["different levels", "q", "21 levels"]),
    "ensemble members": ("pressure", 0, lambda d: d.drop_vars("number").expand_dims(number=[0, 1]), ["several ensemble members", "number"]),
    "degrees Celsius": ("pressure", 0, lambda d: d.assign(t=(d.t - 273.15).assign_attrs(units="degC")),
                        ["other units", "'degC'", "levels.nc, t"]),
    "sea-level pressure": ("pressure", 1, lambda d: d.assign(sp=(d.sp * 1.03).assign_attrs(units="Pa")),
                           ["not the earth's", "sea level", "sp"]),
    "times without dates": ("pressure", 0, lambda d: d.assign_coords(valid_time=("valid_time", np.arange(8.0))),
                            ["times cannot", "valid_time"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_have_names(tmp_path, store, fault):
    kind, index, change, says = FAULTS[fault]
    files = _changed(tmp_path, store[kind], index, change)
    with pytest.raises(MetError) as error:
        _convert(files, tmp_path / "out", "era-interim" if kind == "interim" else "era5")
    for text in says:
        assert text in str(error.value), str(error.value)
    written = sorted(path.name for path in (tmp_path / "out").glob("*"))
    assert written in ([], ["m_20100602.nc"])  # a day is there whole, or not at all


def test_pressure_in_hectopascals_is_understood(tmp_path, store):
    files = _changed(tmp_path, store["pressure"], 1, lambda d: d.assign(sp=(0.01 * d.sp).assign_attrs(units="hPa")))
    assert len(_convert(files, tmp_path / "out").paths) == 2


def test_the_same_time_twice(tmp_path, store):
    copy = tmp_path / "again.nc"
    shutil.copy(store["pressure"][0], copy)
    with pytest.raises(MetError, match="given twice") as error:
        _convert([*store["pressure"], copy], tmp_path / "out")
    assert "again.nc" in str(error.value) and "levels.nc" in str(error.value)


@pytest.mark.parametrize(("content", "says"), [(b"PK\x03\x04....", "zip archive"), (b"<html>", "neither NetCDF nor GRIB"), (b"", "neither"),
                                               (None, "cannot be read")])
def test_files_that_are_none(tmp_path, content, says):
    path = tmp_path / "download.nc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MetError, match=says) as error:
        _convert([path], tmp_path / "out")
    assert "download.nc" in str(error.value)


def test_truncated_files(tmp_path, store):
    whole = store["pressure"][0].read_bytes()
    path = tmp_path / "levels.nc"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MetError, match="cannot be opened|truncated") as error:
        _convert([path, *store["pressure"][1:]], tmp_path / "out")
    assert str(path) in str(error.value)


def test_a_file_that_fails_leaves_no_other_open(tmp_path, store, monkeypatch):
    opened, real = [], files_module._open

    def noted(path):
        found = real(path)
        opened.extend(found)
        return found

    monkeypatch.setattr(files_module, "_open", noted)
    path = tmp_path / "z.nc"
    path.write_bytes(store["pressure"][0].read_bytes()[:2000])
    closed = []
    monkeypatch.setattr(xr.Dataset, "close", lambda data: closed.append(data))
    with pytest.raises(MetError):
        files_module.open_files([*store["pressure"], path])
    assert len(opened) == len(closed) == 3 and all(a is b for a, b in zip(opened, closed, strict=True))
    monkeypatch.undo()
    for data in opened:
        data.close()


def test_grib_without_its_packages(tmp_path, monkeypatch):
    path = tmp_path / "era5.grib"
    path.write_bytes(b"GRIB....")
    real = builtins.__import__

    def without(name, *rest, **options):
        if name == "cfgrib":
            raise ImportError("No module named 'cfgrib'")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MetError, match="needs the packages") as error:
        _convert([path], tmp_path / "out")
    assert "gcas[grib]" in str(error.value)


def test_broken_grib(tmp_path):
    pytest.importorskip("cfgrib", reason="GRIB needs `pip install gcas[grib]`", exc_type=ImportError)
    path = tmp_path / "era5.grib"
    path.write_bytes(b"GRIB\x00\x00\x10\x01" + bytes(40))
    with pytest.raises(MetError, match="GRIB|no variables|missing") as error:
        _convert([path], tmp_path / "out")
    assert "era5.grib" in str(error.value) or "FILES" in str(error.value)


def test_pressure_levels_have_no_own_levels(tmp_path, store):
    with pytest.raises(MetError, match="no hybrid levels of its own"):
        convert_reanalysis("era5", store["pressure"], tmp_path, "m_", Grid.regular(8, 6), None, START, END)


def test_wishes_that_cannot_be(tmp_path, store):
    with pytest.raises(MetError, match="3- or 6-hourly"):
        _convert(store["pressure"], tmp_path, hours=4)
    with pytest.raises(MetError, match="gap|cover"):
        _convert(store["pressure"], tmp_path, hours=3)
    with pytest.raises(MetError, match="end is not after"):
        convert_reanalysis("era5", store["pressure"], tmp_path, "m_", Grid.regular(8, 6), hybrid_levels(5), END, START)
    with pytest.raises(MetError, match="no files"):
        _convert([], tmp_path)


def test_missing_values_below_the_ground(tmp_path, store):
    """Some stores leave pressure levels below the ground empty: the value above holds there, but nothing may lack above the ground."""
    with xr.open_dataset(store["pressure"][1]) as data:
        sp = data["sp"].load()

    def below(margin):
        def change(data):
            for name in ("t", "u", "v", "q"):
                data[name] = data[name].where(100.0 * data.pressure_level < sp + margin)
            return data
        return change

    assert len(_convert(_changed(tmp_path, store["pressure"], 0, below(0.0)), tmp_path / "out").paths) == 2
    with pytest.raises(MetError, match="NaN"):
        _convert(_changed(tmp_path, store["pressure"], 0, below(-5000.0)), tmp_path / "none")


def test_the_command_says_it_and_exits_with_two(tmp_path, store, capsys):
    files = [str(path) for path in store["pressure"]]
    call = ["met", "era5", *files, str(tmp_path / "met"), "--start", "2010-06-02", "--end", "2010-06-03", "--grid", "16x8", "--levels", "6"]
    assert main(call) == 0
    told = capsys.readouterr().out
    assert "2 met files, era5_20100602.nc" in told and "met_directory" in told and "2010-06-01" in told and "CMFMC" in told
    assert main([*call[:2], files[0], *call[6 - 1:]]) == 2
    assert "missing: PS, PHIS" in capsys.readouterr().err
    assert main(["met", "check", str(tmp_path / "met")]) == 0
    told = capsys.readouterr().out
    assert "overturning" in told and "warning: tropical overturning" in told
    assert (tmp_path / "met" / "era5_check.png").stat().st_size > 20_000
    with xr.open_dataset(tmp_path / "met" / "era5_20100603.nc", decode_times=False) as data:
        spoilt = data.load()
    spoilt["U"][2] = np.nan
    spoilt.to_netcdf(tmp_path / "met" / "era5_20100603.nc", format="NETCDF3_64BIT")
    assert main(["met", "check", str(tmp_path / "met")]) == 2
    assert "NaN" in capsys.readouterr().out
    assert main(["met", "check", str(tmp_path)]) == 2
