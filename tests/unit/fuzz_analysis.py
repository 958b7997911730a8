"""Random calls of the analysis, many of them wrong: each must end in a finite result or an error with a name.

Run as a program with the number of calls, and a seed if another than 0; prints how many gave results and how many were refused.
"""

import sys
import warnings

import numpy as np

from gcas_driver.analysis import Localization, ensrf, letkf
from gcas_driver.errors import GcasError
from gcas_driver.observations.operator import super_observe, xco2_operator

NUMBERS = [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-320, 1e-160, 1e-30, 1e30, 1e140, 1e155, 1.7e308]
THINGS = [None, "words", [], [[1], [2, 3]], {}, 1 + 1j, b"bytes", np.array("x"), object(), np.ma.masked, True, -1, 0, 3, 10**400, 0.5,
          *NUMBERS]


def pick(rng, values):
    """One of a list of anything."""
    return values[rng.integers(len(values))]


def array(rng, shape, *, low=-2.0, high=2.0):
    """Mostly a plain array; now and then spoilt."""
    values = rng.uniform(low, high, shape)
    kind = rng.uniform()
    if kind < 0.06 and values.size:
        values.flat[rng.integers(values.size)] = pick(rng, NUMBERS)
    elif kind < 0.08:
        values = values * pick(rng, NUMBERS)
    elif kind < 0.10 and values.ndim:
        values[...] = values.flat[0] if values.size else 0.0
    elif kind < 0.12:
        values = np.asfortranarray(values.astype(pick(rng, [np.float32, np.int8, np.float16, bool, ">f8", np.longdouble])))
    elif kind < 0.13:
        return pick(rng, THINGS)
    elif kind < 0.14:
        return rng.uniform(size=tuple(n + int(rng.integers(-1, 2)) if n else 0 for n in shape))
    elif kind < 0.15:
        return np.ma.masked_greater(values, 1.5)
    elif kind < 0.16:
        return np.repeat(values, 3, axis=-1)[..., ::3]
    return values


def localization(rng, n, p):
    """None, weights or bands."""
    kind = rng.uniform()
    if kind < 0.2:
        return None
    if kind < 0.4:
        return array(rng, (n, p), low=0.0, high=1.0), array(rng, (p, p), low=0.0, high=1.0)
    rule = dict(near_km=pick(rng, [0.0, 500.0, 500.0, 4000.0]), far_km=pick(rng, [1e-9, 3000.0, 3000.0, 9000.0, 1e300]),
                p_value=pick(rng, [None, 0.05, 1e-300, 0.99]), sign=pick(rng, [True, False]), taper=pick(rng, [None, "gaspari-cohn"]),
                max_observations=pick(rng, [None, None, 1, 5, 10**20]), max_observations_by=pick(rng, ["nearest", "correlated"]))
    if rng.uniform() < 0.2:
        rule["parameter_sign"] = rng.integers(-1, 2, n)
    if rng.uniform() < 0.2:
        rule["far_km"] = array(rng, (p,), low=4000.0, high=9000.0)
    if rng.uniform() < 0.1:
        rule[pick(rng, sorted(rule))] = pick(rng, THINGS)
    places = [array(rng, (size,), low=-scale, high=scale) for size in (n, p) for scale in (180.0, 90.0)]
    if rng.uniform() < 0.2:
        places = [np.round(place / 45.0) * 45.0 if getattr(place, "dtype", None) == np.float64 else place for place in places]
    return Localization(*places, **rule)


def options(rng, p):
    """Options of a filter."""
    result = {}
    for name, values in dict(inflation=[0.5, 1.1, 1e-160, 1e100], rtpp=[0.3, 1.0], rtps=[0.3, 1.0], gross=[1e-3, 2.0], huber=[1e-3, 1.0],
                             threads=[1, 2, 3, 1000], precision=["single", "double"], overwrite_x=[True]).items():
        if rng.uniform() < 0.25:
            result[name] = pick(rng, THINGS) if rng.uniform() < 0.1 else pick(rng, values)
    if rng.uniform() < 0.3:
        size = int(rng.integers(0, min(p, 5) + 1))
        root = rng.standard_normal((size, size))
        matrix = root @ root.T + pick(rng, [0.0, 1.0, 1e-200, 1e200]) * np.eye(size)
        index = rng.permutation(p)[:size] if rng.uniform() < 0.9 else rng.integers(-1, p + 1, size)
        result["r_blocks"] = [(index, matrix)] * pick(rng, [1, 1, 1, 2]) if rng.uniform() < 0.9 else pick(rng, THINGS)
    return result


def one_call(rng):
    """Call something; the arrays that come back."""
    kind = rng.uniform()
    if kind < 0.1:
        n, members, levels, retrieval = rng.integers(0, 5, 4)
        method = pick(rng, ["linear", "layers"])
        pressures = [np.sort(rng.uniform(1.0, 1e5, (n, k)), axis=1) for k in (levels + (method == "layers"), retrieval)]
        pressures = [p * pick(rng, NUMBERS) if rng.uniform() < 0.1 else p for p in pressures]
        rest = [array(rng, (n, retrieval)) for _ in range(3)]
        threads = pick(rng, [None, 1, 2])
        return (xco2_operator(array(rng, (n, members, levels)), *pressures, *rest, array(rng, (n,)), method, threads=threads),)
    if kind < 0.2:
        n = int(rng.integers(0, 7))
        group = rng.integers(0, max(n // 2, 1), n) if rng.uniform() < 0.9 else pick(rng, THINGS)
        return super_observe(array(rng, (n,)), array(rng, (n,), low=0.1), array(rng, (n, 3)), group,
                             floor=pick(rng, [0.0, 1.0, *NUMBERS]), correlation=pick(rng, [0.0, 0.5, 1.0, *NUMBERS]))
    n, p = (int(pick(rng, [0, 1, 3, 17, 40])) for _ in range(2))
    members = int(pick(rng, [0, 1, 2, 3, 9, 20]))
    x, hx = array(rng, (n, members)), array(rng, (p, members))
    if rng.uniform() < 0.2 and isinstance(x, np.ndarray) and x.ndim == 2 and n >= p:
        hx = x[:p]
    y, r = array(rng, (p,)), array(rng, (p,), low=0.1)
    if rng.uniform() < 0.1:
        r = np.full(p, pick(rng, [5e-324, 1e-300, 1e300, 1e-20]))
    words = options(rng, p)
    method = ensrf if rng.uniform() < 0.5 else letkf
    if method is ensrf and rng.uniform() < 0.4:
        words["order"] = pick(rng, ["greedy", "given", rng.permutation(p), rng.integers(0, p + 1, p), pick(rng, THINGS)])
    result = method(x, hx, y, r, localization=localization(rng, n, p), **words)
    return result.x, result.hx, result.mean


def main() -> None:
    """As many calls as asked for."""
    warnings.simplefilter("ignore")
    results = refusals = 0
    start = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for seed in range(start, start + int(sys.argv[1])):
        try:
            arrays = one_call(np.random.default_rng(seed))
        except GcasError:
            refusals += 1
            continue
        except Exception as error:
            raise SystemExit(f"seed {seed}: {type(error).__name__}: {error}") from error
        results += 1
        if not all(np.isfinite(values).all() for values in arrays):
            raise SystemExit(f"seed {seed}: a result that is not finite")
    print(results, refusals)


if __name__ == "__main__":
    main()
