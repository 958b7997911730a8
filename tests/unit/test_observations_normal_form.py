"""One normal form: the same soundings, however a file arranges them, become the same rows; memory and work follow the window."""

import tracemalloc

import netCDF4
import numpy as np
import pytest
from formats import columns_mapped, lite, mip
from formats.reading import rows
from formats.sounding_numbers import make_soundings, take
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcas_driver.observations import SatelliteStream, read_streams, soundings, xco2_operator

DAY = lite.DAY
NAME = lite.DIALECTS["oco2_lite_v10r"].name()
KINDS = {"xco2": ("ppm", "micromol mol-1", "mol mol-1"), "co2_profile_apriori": ("ppm", "1e-6", "mol mol-1"),
         "pressure_levels": ("hPa", "Pa", "kPa")}
EPOCHS = ("seconds since 1970-01-01 00:00:00", "days since 2000-01-01", "hours since 2015-12-31T12:00:00Z")
FACTORS = {"ppm": 1.0, "micromol mol-1": 1.0, "1e-6": 1.0, "mol mol-1": 1e-6, "hPa": 1.0, "Pa": 100.0, "kPa": 0.1}
RENAMED = {"pressure_weight": "pressure_weights", "xco2_averaging_kernel": "averaging_kernel", "xco2_quality_flag": "quality_flag",
           "latitude": "lat", "longitude": "lon"}


def read(directory, **changes):
    return rows(read_streams([lite.stream_of(directory, "oco2_lite_v10r", **changes)], DAY, DAY + 1))


def rewritten(path, draw) -> None:
    """The same file with rows shuffled, levels turned, names, units, types, dimensions and longitudes of other customs."""
    n = 25
    order = draw(st.permutations(range(n)))
    flip = draw(st.booleans())
    names = {old: draw(st.sampled_from([old, new])) for old, new in RENAMED.items()}
    transposed, doubled = draw(st.booleans()), draw(st.booleans())
    units = {name: draw(st.sampled_from(choices)) for name, choices in KINDS.items()}
    east, epoch = draw(st.booleans()), draw(st.sampled_from(EPOCHS))
    source = path.with_suffix(".whole")
    with netCDF4.Dataset(source) as old, netCDF4.Dataset(path, "w") as new:
        old.set_auto_maskandscale(False)
        new.setncatts({key: old.getncattr(key) for key in old.ncattrs()})
        new.createDimension("soundings", n)
        new.createDimension("z", 20)
        for place, group in (("", old), ("Sounding/", old["Sounding"]), ("Retrieval/", old["Retrieval"])):
            for name, variable in group.variables.items():
                if variable.dimensions not in (("sounding_id",), ("sounding_id", "levels")):
                    continue
                values = np.asarray(variable[...])[list(order)]
                if name == "longitude" and east:
                    values = values.astype("f8") % 360.0
                if name in units:
                    values = values.astype("f8") * FACTORS[units[name]]
                if name == "time" and not epoch.startswith("seconds"):
                    step, first = (86400.0, "2000-01-01") if epoch.startswith("days") else (3600.0, "2015-12-31T12:00")
                    values = (values - np.datetime64(first, "s").astype(int)) / step
                two = variable.ndim == 2
                values = values[:, ::-1] if two and flip else values
                kind = "f8" if doubled and values.dtype.kind == "f" else values.dtype
                dims = ("z", "soundings") if two and transposed else ("soundings", "z")[: values.ndim]
                fill = -999999.0 if values.dtype.kind == "f" else None
                made = new.createVariable(place + names.get(name, name), kind, dims, fill_value=fill)
                made[...] = values.T if two and transposed else values
                if name in units or hasattr(variable, "units"):
                    made.units = epoch if name == "time" else units.get(name, getattr(variable, "units", ""))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_arrangement_of_a_file_does_not_matter(tmp_path, data):
    path = tmp_path / NAME
    s = make_soundings(25, str(DAY), seed=3)
    s.xco2[4], s.quality[7] = np.nan, 1
    lite.write_lite(path, s, "oco2_lite_v10r")
    plain = read(tmp_path)
    path.rename(path.with_suffix(".whole"))
    rewritten(path, data.draw)
    other = read(tmp_path)
    assert sorted(plain["row"]) == sorted(other["row"]) and len(plain["row"]) == 23
    first, second = np.argsort(plain["time"]), np.argsort(other["time"])
    for name in plain:
        if plain[name].dtype.kind == "f":
            np.testing.assert_allclose(other[name][second], plain[name][first], rtol=1e-6, atol=1e-12, err_msg=name)
    assert (np.diff(other["retrieval_pressure"], axis=1) > 0).all() and (other["retrieval_pressure"][:, -1] > 5e4).all()
    assert (other["lon"] >= -180).all() and (other["lon"] < 180).all() and (other["prior_profile"] < 1e-3).all()


@pytest.mark.parametrize("cell_degrees", [0.0, 1.0])
def test_blocks_give_what_the_whole_gives(tmp_path, cell_degrees, monkeypatch):
    s = make_soundings(500, str(DAY))
    s.lon, s.lat = s.lon / 60.0, s.lat / 30.0
    lite.write_lite(tmp_path / NAME, s, "oco2_lite_v10r", chunk=64, level=1)
    whole = read(tmp_path, cell_degrees=cell_degrees)
    for module in ("column_fields.blocks_of", "soundings.blocks_of", "column_fields.BLOCK"):
        blocks = soundings.blocks_of
        value = 50 if module.endswith("BLOCK") else lambda rows, size=50, blocks=blocks: blocks(rows, min(size, 50))
        monkeypatch.setattr(f"gcas_driver.observations.{module}", value)
    parts = read(tmp_path, cell_degrees=cell_degrees)
    for name in whole:
        if whole[name].dtype.kind == "f":
            np.testing.assert_allclose(parts[name], whole[name], rtol=1e-12, err_msg=name)


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Averaged soundings of a window out of 150,000 averages of a whole period: what is in memory is a block and the window's rows."""
    s, a = mip.make_averages(7000)
    s = take(s, np.arange(150000) % 7000)
    s.time = s.time + 7.0 * 86400.0 * (np.arange(150000) // 7000) * 8
    a = mip.Averages(*(np.resize(getattr(a, name), 150000) for name in ("model_error", "flag", "kind")))
    mip.write_mip(tmp_path / mip.DIALECTS["oco2_mip_v10"].file, s, a, "oco2_mip_v10", chunk=20000, level=1)
    tracemalloc.start()
    table = read_streams([mip.stream_of(tmp_path, "oco2_mip_v10", cell_degrees=1.0)], mip.START, mip.END)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 4000 < table.n_read() <= 7000
    assert peak < 50e6 < 150000 * 80 * 8, "all profiles together would be 96 MB"


REAL_MAP = {"latitude": "lat", "longitude": "lon", "pressure_weight": "pressure_weights"}


@pytest.mark.needs_real_data
def test_real_sounding_through_reader_and_operator(real_data):
    """A real averaged OCO-2 v11.2 sounding as it lies on the disk: weights sum to one, the prior gives the prior XCO2, a shifted profile
    shifts XCO2 by the kernel's column."""
    directory = real_data / "oco2"
    stream = SatelliteStream("oco2", directory, "mapped", "oco2-spectrometer_*.nc", column_map=columns_mapped.map_of("texts", **{
        **columns_mapped.PLAIN, **REAL_MAP}))
    table = read_streams([stream], np.datetime64("2015-01-31"), np.datetime64("2015-02-01"))
    assert len(table) == 1 and table.scale == {"oco2": "X2007"} and table.counts() == {}
    with netCDF4.Dataset(next(directory.glob("*.nc"))) as dataset:
        assert table.value[0] == pytest.approx(float(dataset["xco2"][0]), abs=1e-9)
        assert table.error[0] == pytest.approx(float(dataset["xco2_uncertainty"][0]), abs=1e-9)
        operator = table.operators["oco2"]
        for name, variable, factor in (("retrieval_pressure", "pressure_levels", 100.0), ("pressure_weight", "pressure_weights", 1.0),
                                       ("averaging_kernel", "xco2_averaging_kernel", 1.0), ("prior_profile", "co2_profile_apriori", 1e-6)):
            np.testing.assert_allclose(getattr(operator, name)[0], factor * np.asarray(dataset[variable][0], dtype=float), rtol=1e-12)
    h, k, prior = operator.pressure_weight[0], operator.averaging_kernel[0], operator.prior_profile[0]
    assert abs(h.sum() - 1.0) < 2e-6
    assert operator.prior_xco2[0] == pytest.approx(1e6 * (h * prior).sum(), abs=1e-9)
    assert operator.retrieval_pressure[0, 0] == pytest.approx(1e-4 * operator.retrieval_pressure[0, -1], rel=1e-3), "levels are ACOS's"
    same = xco2_operator(prior[None, None], operator.retrieval_pressure, operator.retrieval_pressure, operator.pressure_weight,
                         operator.averaging_kernel, operator.prior_profile, operator.prior_xco2)
    assert same[0, 0] == pytest.approx(operator.prior_xco2[0], abs=1e-9)
    more = xco2_operator(prior[None, None] + 1e-6, operator.retrieval_pressure, operator.retrieval_pressure, operator.pressure_weight,
                         operator.averaging_kernel, operator.prior_profile, operator.prior_xco2)
    assert more[0, 0] - same[0, 0] == pytest.approx((h * k).sum(), rel=1e-9) and 0.8 < (h * k).sum() < 1.2
