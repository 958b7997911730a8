"""Ways to spoil the files of a small site of the transport model, its command on them, and what must hold after any failure."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from netCDF4 import Dataset
from transport_site import Site, make_site

from mozart_coupling.embedded.main import main
from mozart_coupling.grids import Grid
from mozart_coupling.namelist import write_simulation_data

Spoil = Callable[[Site], object]


@pytest.fixture(scope="session")
def good_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Two days on 16x8 cells; nobody writes into it."""
    return make_site(tmp_path_factory.mktemp("good") / "data", days=2, grid=Grid.regular(16, 8))


@pytest.fixture
def own_site(good_site: Site, tmp_path: Path) -> Site:
    """A copy that a test may spoil."""
    shutil.copytree(good_site.data, tmp_path / "data")
    return dataclasses.replace(good_site, data=tmp_path / "data")


# --- Ways to spoil a file ---------------------------------------------------------------------------------------------


def edit(names: str | list[str], change: Callable[[Dataset], object]) -> Spoil:
    def spoil(site: Site) -> None:
        for name in [names] if isinstance(names, str) else names:
            with Dataset(site.data / name, "r+") as data:
                data.set_auto_mask(False)
                change(data)
    return spoil


def put(names: str | list[str], variable: str, where: object, value: object) -> Spoil:
    return edit(names, lambda data: data[variable].__setitem__(where, value))


def scaled(names: str | list[str], variables: tuple[str, ...], factor: float, offset: float = 0.0) -> Spoil:
    return edit(names, lambda data: [data[v].__setitem__(slice(None), data[v][:] * factor + offset) for v in variables])


def flipped(names: str | list[str], variables: tuple[str, ...], axis: int) -> Spoil:
    return edit(names, lambda data: [data[v].__setitem__(slice(None), np.flip(data[v][:], axis)) for v in variables])


def renamed(names: str | list[str], variable: str) -> Spoil:
    return edit(names, lambda data: data.renameVariable(variable, f"not_{variable}"))


def attribute(name: str, key: str, value: str | None) -> Spoil:
    return edit(name, lambda data: data.delncattr(key) if value is None else data.setncattr(key, value))


def units(name: str, variable: str, value: str) -> Spoil:
    return edit(name, lambda data: data[variable].setncattr("units", value))


def cut(name: str, keep: float) -> Spoil:
    """Leave a share of the file."""
    return lambda site: os.truncate(site.data / name, int((site.data / name).stat().st_size * keep))


def replaced(name: str, text: str) -> Spoil:
    return lambda site: (site.data / name).write_text(text)


def removed(name: str) -> Spoil:
    return lambda site: (site.data / name).unlink()


def records(name: str, n: int) -> Spoil:
    """Keep only the first records."""
    def spoil(site: Site) -> None:
        path = site.data / name
        with Dataset(path) as old, Dataset(path.with_suffix(".new"), "w", format="NETCDF3_CLASSIC") as new:
            old.set_auto_mask(False)
            for key, dimension in old.dimensions.items():
                new.createDimension(key, None if dimension.isunlimited() else dimension.size)
            for key, variable in old.variables.items():
                copy = new.createVariable(key, variable.dtype, variable.dimensions)
                copy.setncatts({a: variable.getncattr(a) for a in variable.ncattrs()})
                copy[...] = variable[:n] if variable.dimensions[:1] == ("time",) else variable[...]
        os.replace(path.with_suffix(".new"), path)
    return spoil


def both(*spoils: Spoil) -> Spoil:
    return lambda site: [spoil(site) for spoil in spoils]


# --- Running, and what must hold after any failure --------------------------------------------------------------------


def run(site: Site, directory: Path, capsys: pytest.CaptureFixture[str], own: str | None = None, replace: tuple[str, str] = ("", ""),
        **changes: str) -> tuple[int, str]:
    """(exit code, what was said on standard error) of the command in a directory of its own."""
    directory.mkdir(exist_ok=True)
    write_simulation_data(directory / "mz4.dat", site.tracers)
    values = {"sim_duration": "'2d'", "timestep": "'3h'", **changes}
    text = site.namelist(own=own and own.format(data=site.data), **values).replace(*replace)
    (directory / "long.nml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("OMP_NUM_THREADS", "1")
        code = main(["long.nml"])
    return code, capsys.readouterr().err


def output(directory: Path) -> list[str]:
    """History, restart, sample and half-written files."""
    kinds = ("hist/*", "rest/*", "*-rpntr", "samples.nc", "**/.*.part")
    return sorted(str(path.relative_to(directory)) for kind in kinds for path in directory.glob(kind))


def require_message(text: str, words: str) -> None:
    assert text.startswith("gcas-transport: ") and "Traceback" not in text and "Warning" not in text, text
    assert "  where: " in text and ("  found: " in text or "  expected: " in text), text
    for word in words.split(" & "):
        assert re.search(word, text), f"{word!r} is not in:\n{text}"
