"""GRIB files as ECMWF and others produce them, against ecCodes' own reading of the same messages.

The files are the samples in the source distribution of cfgrib (Apache-2.0), `tests/sample-data`; `GCAS_TEST_GRIB` names their
directory, or that of the unpacked distribution. To get them: `pip download --no-binary :all: --no-deps cfgrib==0.9.15.1`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gcas_driver.cli import main
from mozart_coupling.embedded.levels import hybrid_levels
from mozart_coupling.errors import CouplingError, MetError
from mozart_coupling.grids import Grid
from mozart_coupling.reanalysis.catalogue import Catalogue
from mozart_coupling.reanalysis.convert import convert_reanalysis
from mozart_coupling.reanalysis.files import open_files
from mozart_coupling.reanalysis.levels import published_levels
from mozart_coupling.reanalysis.parts import Part

eccodes = pytest.importorskip("eccodes", reason="GRIB needs the packages cfgrib and eccodes: pip install gcas[grib]")
pytest.importorskip("cfgrib", reason="GRIB needs the packages cfgrib and eccodes: pip install gcas[grib]")

#: on global longitude-latitude grids: regular and Gaussian, editions 1 and 2, pressure and model levels, forecasts and analyses, rows
#: from south to north, fields with missing values, two grids in one file
GLOBAL = ("fields_with_missing_values.grib", "hpa_and_pa.grib", "multi_param_on_multi_dims.grib",
          "regular_gg_ml.grib", "regular_gg_ml_g2.grib", "regular_gg_pl.grib", "regular_gg_sfc.grib", "regular_ll_msl.grib",
          "regular_ll_sfc.grib", "scanning_mode_64.grib", "t_analysis_and_fc_0.grib", "t_on_different_level_types.grib",
          "tp_on_different_grid_resolutions.grib", "uv_on_different_levels.grib")
#: what there is wrong with the others, as the reader of a variable says it
REFUSED = {"alternate-scanning.grib": "longitudes are not evenly spaced over 360 degrees",
           "era5-levels-corrupted.grib": "Wrong message length",
           "era5-levels-members.grib": "several ensemble members", "era5-levels-members.nc": "several ensemble members",
           "era5-single-level-scalar-time.grib": "longitudes are not evenly spaced over 360 degrees", "lambert_grid.grib": "lambert",
           "ds.waveh.5.grib": "mercator", "reduced_gg.grib": "reduced_gg", "spherical_harmonics.grib": "sh",
           "single_gridpoint.grib": "not on a longitude-latitude grid", "regular_ll_wrong_increment.grib": "neither regular",
           "regular_gg_wrong_increment.grib": "Grid description is wrong", "forecast_monthly_ukmo.grib": "several ensemble members"}


@pytest.fixture(scope="module")
def samples() -> Path:
    """Their directory."""
    named = os.environ.get("GCAS_TEST_GRIB")
    if not named:
        pytest.skip("real GRIB files are absent: set GCAS_TEST_GRIB to the unpacked source distribution of cfgrib")
    found = [path.parent for path in Path(named).rglob("regular_gg_ml_g2.grib")]
    if not found:
        pytest.skip(f"no regular_gg_ml_g2.grib below GCAS_TEST_GRIB = {named}: is it cfgrib's source distribution?")
    return found[0]


def messages(path: Path) -> Iterator[tuple[dict[str, object], np.ndarray, np.ndarray, np.ndarray]]:
    """Keys, latitudes, longitudes and values of every message, point by point, as ecCodes gives them."""
    with open(path, "rb") as handle:
        while (message := eccodes.codes_grib_new_from_file(handle)) is not None:
            keys = {key: eccodes.codes_get(message, key) for key in
                    ("shortName", "typeOfLevel", "level", "validityDate", "validityTime", "missingValue", "Ni")}
            yield (keys, *(eccodes.codes_get_array(message, name) for name in ("latitudes", "longitudes", "values")))
            eccodes.codes_release(message)


def parts(path: Path) -> list[Part]:
    return [Part(path, dataset, name) for _, dataset in open_files([path]) for name in dataset.data_vars]


def same(part: Part, keys: dict[str, object], lat: np.ndarray, lon: np.ndarray, values: np.ndarray) -> bool:
    """Whether a variable has a message, value by value at its place; False if it is another variable's."""
    array = part._array
    if array.attrs["GRIB_shortName"] != keys["shortName"] or array.attrs["GRIB_typeOfLevel"] != keys["typeOfLevel"] \
            or part.grid.nlon != keys["Ni"]:
        return False
    date, clock = f"{keys['validityDate']:08d}", int(keys["validityTime"])
    valid = np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock // 100:02d}:{clock % 100:02d}:00")
    stamps = [stamp for stamp in part.stamps if stamp.valid == valid]
    if not stamps:
        return False
    assert len(stamps) == 1
    field = part.read(stamps[0])
    if part.n_levels:
        levels = part.level_numbers if part.pressure_levels is None else part.pressure_levels
        wanted = keys["level"] * {"isobaricInhPa": 100.0}.get(str(keys["typeOfLevel"]), 1.0)
        field = field[int(np.flatnonzero(levels == wanted)[0])]
    grid = part.grid
    row = np.abs(grid.lat[:, None] - lat).argmin(axis=0)
    column = np.abs((grid.lon[:, None] - lon + 180.0) % 360.0 - 180.0).argmin(axis=0)
    assert np.abs(grid.lat[row] - lat).max() < 1e-3 and np.abs((grid.lon[column] - lon + 180.0) % 360.0 - 180.0).max() < 1e-3
    assert np.unique(row * grid.nlon + column).size == lat.size == grid.nlat * grid.nlon
    expected = np.where(values == keys["missingValue"], np.nan, values)
    np.testing.assert_allclose(field[row, column], expected, rtol=1e-6, atol=1e-30)  # cfgrib gives single precision
    return True


@pytest.mark.parametrize("name", GLOBAL)
def test_every_value_is_where_eccodes_has_it(samples: Path, name: str) -> None:
    """Levels, times, scanning direction and missing values; a file may hold a variable twice, on other levels or grids."""
    variables, count = parts(samples / name), 0
    for keys, lat, lon, values in messages(samples / name):
        ours = [part for part in variables if part._array.attrs["GRIB_shortName"] == keys["shortName"]]
        assert any(same(part, keys, lat, lon, values) for part in ours), keys
        count += 1
    assert count


def test_rows_from_south_to_north_are_those_from_north_to_south(samples: Path) -> None:
    up, down = (parts(samples / name)[0] for name in ("scanning_mode_64.grib", "regular_ll_sfc.grib"))
    assert up.grid == down.grid
    np.testing.assert_allclose(up.read(up.stamps[0]), down.read(down.stamps[0]), atol=1e-3)
    assert up.grid.lat[0] == -90.0


def test_coefficients_of_the_137_levels_are_the_published_ones(samples: Path) -> None:
    """What ECMWF writes into its messages is the table that files without it are read by."""
    a, b, where = Catalogue([samples / "regular_gg_ml_g2.grib"]).coefficients()
    published = published_levels(137)
    np.testing.assert_allclose(a, published[0], rtol=1e-7, atol=1.01e-6)  # the table has six decimals
    np.testing.assert_allclose(b, published[1], rtol=1e-7, atol=0.51e-6)
    assert "pv of t" in where
    assert Catalogue([samples / "regular_gg_ml.grib"]).coefficients()[0].size == 92  # the 91 levels of 2008


def test_one_member_as_grib_and_as_netcdf(samples: Path, tmp_path: Path) -> None:
    """ERA5 from the store in both forms, one member picked from each by its own tools."""
    import xarray as xr

    with open(samples / "era5-levels-members.grib", "rb") as handle, open(tmp_path / "one.grib", "wb") as out:
        while (message := eccodes.codes_grib_new_from_file(handle)) is not None:
            if eccodes.codes_get(message, "number") == 3:
                eccodes.codes_write(message, out)
            eccodes.codes_release(message)
    with xr.open_dataset(samples / "era5-levels-members.nc") as data:
        data.sel(number=[3]).to_netcdf(tmp_path / "one.nc")
    for name in ("t", "z"):
        grib, netcdf = (next(part for part in parts(tmp_path / f"one.{end}") if part.name == name) for end in ("grib", "nc"))
        assert grib.grid == netcdf.grid and grib.grid.name == "120x61"
        assert [stamp.valid for stamp in grib.stamps] == [stamp.valid for stamp in netcdf.stamps] and len(grib.stamps) == 4
        assert sorted(grib.pressure_levels) == sorted(netcdf.pressure_levels) == [50000.0, 85000.0]
        for one, other in zip(grib.stamps, netcdf.stamps, strict=True):
            packed = np.ptp(netcdf.read(other)) / 2**15  # NetCDF-3 from the store is packed into 16 bits
            for level in (50000.0, 85000.0):
                fields = (part.read(stamp)[int(np.flatnonzero(part.pressure_levels == level)[0])]
                          for part, stamp in ((grib, one), (netcdf, other)))
                np.testing.assert_allclose(*fields, rtol=0, atol=packed)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_by_name(samples: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = samples / name
    with pytest.raises(CouplingError) as caught:
        for part in parts(path):
            assert part.grid and part.stamps
    text = str(caught.value)
    assert REFUSED[name] in text and str(path) in text
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("product", ["era5", pytest.param("era-interim", marks=pytest.mark.slow)])
def test_no_sample_is_converted_and_each_says_what_is_missing(samples: Path, tmp_path: Path, product: str) -> None:
    """None has all that a met file needs; every one ends in the named error, none in another exception or a file."""
    levels = hybrid_levels(5)
    for path in sorted([*samples.glob("*.grib"), *samples.glob("*.nc")]):
        with pytest.raises(MetError) as caught:
            convert_reanalysis(product, [path], tmp_path / "out", "m_", Grid.regular(8, 6), levels, np.datetime64("2017-01-01"),
                               np.datetime64("2017-01-02"))
        assert "are missing" in str(caught.value) or str(path) in str(caught.value), path.name
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_the_command_names_the_missing_fields(samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["met", "era5", str(samples / "multi_param_on_multi_dims.grib"), str(tmp_path), "--grid", "8x6", "--levels", "5",
                 "--start", "2018-04-05", "--end", "2018-04-06"])
    said = "".join(capsys.readouterr())
    assert code == 2 and "V, Q, PS, PHIS" in said and "u, z" in said
