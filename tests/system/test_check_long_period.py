"""`gcas check` looks at every file of every window: whatever is damaged in the middle of weeks is told by name, all at once."""

from __future__ import annotations

import re
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
from generators import long_period as made

from gcas_driver.cli import main

N_DAYS = 42
MIDDLE = made.FIRST + 20


@pytest.fixture(scope="module")
def period(tmp_path_factory):
    root = tmp_path_factory.mktemp("period")
    return root, made.write(root, N_DAYS)


@pytest.fixture
def damage(period):
    """Takes a file and a function of its path that damages it; everything is put back afterwards."""
    kept = []

    def apply(path, how):
        aside = path.with_name(f".{path.name}.kept")
        path.rename(aside)
        kept.append((path, aside))
        path.write_bytes(aside.read_bytes())
        how(path)

    yield apply
    for path, aside in kept:
        path.unlink(missing_ok=True)
        aside.rename(path)


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _page(path):
    path.write_bytes(b"<html>404</html>")


def _gone(path):
    path.unlink()


def _changed(name, change):
    def how(path):
        with netCDF4.Dataset(path, "a") as data:
            data[name][:] = change(np.asarray(data[name][:]))
    return how


def _renamed(name):
    def how(path):
        with netCDF4.Dataset(path, "a") as data:
            data.renameVariable(name, name + "2")
    return how


def _one_bad_line(path):
    path.write_text(path.read_text().replace("204.4240", "20*.4240"))


def _shifted(path):
    _changed("date", lambda values: values + 10000)(path)


def _prior(days, component="ocn"):
    return lambda root: made.prior_file(root, component, MIDDLE + days)


def _sounding(days):
    return lambda root: made.sounding_file(root, MIDDLE + days)


def _surface(days):
    return lambda root: made.surface_file(root, MIDDLE + days)


def _met(days):
    return lambda root: made.met_file(root, MIDDLE + days)


def _initial(root):
    return root / "initial.nc"


def _regions(root):
    return root / "region.nc"


# what → (file, damage): all of one row at once, in the middle of the period
DAMAGES = {
    "cut in half": [(_prior(0), _cut), (_prior(9, "fire"), _cut), (_sounding(1), _cut), (_sounding(12), _cut), (_met(3), _cut),
                    (_initial, _cut), (_regions, _cut)],
    "another kind of file": [(_prior(1), _page), (_sounding(0), _page), (_surface(2), _page), (_met(4), _page), (_initial, _page),
                             (_regions, _page)],
    "not there": [(_prior(2), _gone), (_sounding(5), _gone), (_met(0), _gone), (_initial, _gone), (_regions, _gone)],
    "a variable renamed": [(_prior(3, "bio"), _renamed("bio")), (_sounding(3), _renamed("averagingKernel")), (_met(2), _renamed("U")),
                           (_initial, _renamed("hyam")), (_regions, _renamed("region"))],
    "numbers that cannot be": [(_prior(4, "fossil"), _changed("fossil", lambda v: v * 1.0e9)),
                               (_sounding(7), _changed("pressure", lambda v: v * 0.01)), (_surface(6), _one_bad_line),
                               (_met(5), _changed("V", lambda v: v * np.nan)), (_initial, _changed("CO2", lambda v: v * 1.0e6))],
    "another day": [(_prior(5, "bio"), _changed("time", lambda v: v + 400.0)), (_sounding(9), _shifted), (_met(6), _shifted)],
}


def test_what_is_whole_passes(period, capsys):
    assert main(["check", str(period[1])]) == 0, capsys.readouterr().out
    assert not re.search(r"[1-9]\d* errors?", capsys.readouterr().out)


@pytest.mark.parametrize("what", DAMAGES)
def test_every_damage_is_told_by_name(period, damage, capsys, what):
    root, namelist = period
    for place, how in DAMAGES[what]:
        damage(place(root), how)
    assert main(["check", str(namelist)]) == 2
    errors = [line for line in capsys.readouterr().out.splitlines() if line.startswith("error")]
    for place, _ in DAMAGES[what]:
        path = place(root)
        day = re.search(r"\d{8}", path.name)
        dated = f"{day[0][:4]}-{day[0][4:6]}-{day[0][6:]}" if day else path.name
        named = [line for line in errors if path.name in line or (str(path.parent) in line and dated in line)]
        assert named, f"{path.name}:\n" + "\n".join(errors)


def test_nothing_begins(period, damage, capsys):
    """A run says the same, ends with 2 and has run nothing."""
    root, namelist = period
    broken = [place(root) for place, _ in DAMAGES["cut in half"]]
    for path in broken:
        damage(path, _cut)
    assert main(["run", str(namelist)]) == 2
    told = capsys.readouterr().err
    assert [path.name for path in broken if path.name not in told] == [], told
    assert not list((root / "long").glob("windows/*")) and not list((root / "long").glob("**/hist/*"))


@pytest.mark.parametrize("days", [7, N_DAYS])
def test_memory_does_not_grow_with_the_period(period, days, record_property, tmp_path):
    """The check of six weeks takes no more memory than that of a week."""
    root, namelist = period
    text = namelist.read_text().replace(f"days = {N_DAYS}", f"days = {days}")
    other = namelist.with_name(f"days{days}.nml")
    other.write_text(text)
    code = "import resource, sys\nfrom gcas_driver.cli import main\ncode = main(['check', sys.argv[1]])\n" \
           "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\nsys.exit(code)"
    done = subprocess.run([sys.executable, "-c", code, str(other)], capture_output=True, text=True, check=True)
    peak = int(done.stdout.split("peak ")[1])
    PEAKS[days] = peak
    if len(PEAKS) == 2:
        assert PEAKS[N_DAYS] < PEAKS[7] + 40_000, f"KiB: {PEAKS}"


PEAKS: dict[int, int] = {}
