"""No array of parameters x observations, nor of observations x observations, exists anywhere: the peak memory of the process says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, sys
import numpy as np
from gcas_driver.analysis import Localization, ensrf, letkf

n_parameters, n_observations, members, filter_name, options = json.loads(sys.argv[1])
rng = np.random.default_rng(1)
filters = {"ensrf": ensrf, "letkf": letkf}

def memory(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(what)) / 1024

def problem(n, p):
    places = rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    seen = rng.uniform(-180, 180, p), np.degrees(np.arcsin(rng.uniform(-1, 1, p)))
    hx = rng.standard_normal((p, members))
    rule = options | {"far_km": rng.choice(options["far_km"], p)}
    return (rng.standard_normal((n, members)), hx, hx.mean(axis=1), np.ones(p)), Localization(*places, *seen, **rule)

small, localization = problem(100, 100)
filters[filter_name](*small, localization=localization)
arrays, localization = problem(n_parameters, n_observations)
inputs = sum(a.nbytes for a in arrays) / 2**20
before = memory("VmRSS")
result = filters[filter_name](*arrays, localization=localization, threads=2, overwrite_x=True)
print(json.dumps([memory("VmHWM") - before, inputs, result.n_pairs]))
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory is read from /proc")


def peak_mib(filter_name, options):
    """Memory above the inputs at the peak, that of the inputs, both MiB, and the pairs within reach."""
    arguments = json.dumps([200_000, 20_000, 10, filter_name, options])
    run = subprocess.run([sys.executable, "-c", PROGRAM, arguments], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


OPTIONS = {"test": dict(near_km=50.0, far_km=[200.0]),
           "taper": dict(near_km=0.0, far_km=[200.0], taper="gaspari-cohn", p_value=None, sign=False),
           "nearest": dict(near_km=50.0, far_km=[200.0], max_observations=5),
           "correlated": dict(near_km=50.0, far_km=[200.0], max_observations=5, max_observations_by="correlated"),
           "radii of their own": dict(near_km=0.0, far_km=[1e-3, 50.0, 200.0]), "zero radius": dict(near_km=0.0, far_km=[1e-3])}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("filter_name", ["ensrf", "letkf"])
def test_many_parameters_and_many_observations(filter_name, options):
    """One byte a pair would be 3.7 GiB, one byte a pair of observations 381 MiB."""
    peak, inputs, n_pairs = peak_mib(filter_name, options)
    print(f"{filter_name} {options}: {peak:.0f} MiB above the inputs' {inputs:.0f} MiB, {n_pairs} pairs")
    assert peak < 60.0
    assert n_pairs == 0 if options["far_km"] == [1e-3] else n_pairs > 300_000

