"""Whether met files look like the earth's atmosphere: climate of the winds, extremes, Courant numbers, the fixer's work."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mozart_coupling.constants import EARTH_RADIUS_M, GRAVITY
from mozart_coupling.embedded.core import TransportCore
from mozart_coupling.embedded.levels import level_pressure, mid_coefficients
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.errors import MetError
from mozart_coupling.grids import Grid

STEP_S = 1800.0  # for Courant numbers and the fixer
FIXER_SAMPLES = 8
STRATOSPHERE_HPA = 70.0  # above it winds may be faster than the limit below
LIMITS = {"U": (-120.0, 120.0), "PS": (4.5e4, 1.09e5), "T": (160.0, 340.0), "Q": (0.0, 0.05), "PBLH": (0.0, 6000.0)}
MEAN_PRESSURE = (9.75e4, 9.95e4)  # Pa, global mean; 98550 in Trenberth and Smith (2005)
OVERTURNING = (3.0e10, 3.0e11)  # kg/s, the tropics' strongest cell in a mean over days
LARGEST_MISMATCH = 300.0  # Pa in STEP_S

FieldsAt = Callable[[np.datetime64], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Climate:
    """Means, variances and extremes over some times.

    Attributes
    ----------
    u, t, stream, v_transient, v_standing
        (nlev, nlat): zonal means [m s-1], [K], overturning downward from the top [kg s-1], eddies [m s-1 rms].
    ps, ps_transient
        (nlat, nlon) [Pa].
    layers
        Boundary-layer height [m] by the hour of its first record; empty without PBLH.
    courant_x, courant_y
        Largest of each row at STEP_S (nlat,).
    extremes
        Field → (lowest, highest, when lowest, when highest).
    mean_pressure
        Global mean of PS [Pa], lowest and highest.
    mismatch
        Largest column mismatch that the fixer removes in STEP_S [Pa], by time.
    """

    grid: Grid
    pressure: np.ndarray
    times: np.ndarray
    u: np.ndarray
    t: np.ndarray
    stream: np.ndarray
    v_transient: np.ndarray
    v_standing: np.ndarray
    ps: np.ndarray
    ps_transient: np.ndarray
    layers: dict[int, np.ndarray]
    courant_x: np.ndarray
    courant_y: np.ndarray
    extremes: dict[str, tuple[float, float, np.datetime64, np.datetime64]]
    mean_pressure: tuple[float, float]
    mismatch: dict[np.datetime64, float]


def days_of(directory: Path, prefix: str, date_format: str = "yyyymmdd") -> tuple[str, np.ndarray]:
    """Prefix and days (n,) of the met files in a directory; an empty prefix is guessed if only one fits.

    Raises
    ------
    MetError
        No files, or files of several prefixes.
    """
    date = re.escape(date_format).replace("yyyy", r"(?P<y>\d{4})", 1).replace("mm", r"(?P<m>\d\d)", 1).replace("dd", r"(?P<d>\d\d)", 1)
    pattern = re.compile(rf"(?P<prefix>{re.escape(prefix) if prefix else '.*?'}){date}\.nc")
    matches = [match for path in sorted(directory.glob("*.nc")) if (match := pattern.fullmatch(path.name))]
    prefixes = sorted({match["prefix"] for match in matches})
    if len(prefixes) != 1:
        if prefixes:
            raise MetError("meteorology files of several prefixes", directory, ", ".join(prefixes), "one", "Name it with --prefix.")
        raise MetError("no meteorology files", directory, "none", f"{prefix or '<prefix>'}{date_format}.nc")
    return prefixes[0], np.array(sorted(f"{match['y']}-{match['m']}-{match['d']}" for match in matches), dtype="datetime64[D]")


def measure(grid: Grid, levels: tuple[np.ndarray, np.ndarray], fields_at: FieldsAt, times: np.ndarray) -> Climate:
    """Read all times once; the fixer is tried at up to eight of those whose successor is there."""
    hyai, hybi = levels
    sums = {name: 0.0 for name in ("u", "v", "t", "ps", "v_square", "ps_square", "flux")}
    courant_x, courant_y = np.zeros(grid.nlat), np.zeros(grid.nlat)
    spacing_x = EARTH_RADIUS_M * np.cos(np.deg2rad(grid.lat)) * 2.0 * np.pi / grid.nlon
    spacing_x = np.maximum(spacing_x, spacing_x.max() * 1.0e-3)  # pole points stand for caps
    spacing_y = EARTH_RADIUS_M * np.deg2rad(np.diff(grid.lat_edges))
    pressure = 0.01 * level_pressure(*mid_coefficients(hyai, hybi), 1.0e5)
    extremes: dict[str, tuple[float, float, np.datetime64, np.datetime64]] = {}
    layers: dict[int, np.ndarray] = {}
    means = []
    for time in times:
        fields = fields_at(time)
        thickness = np.diff(level_pressure(hyai, hybi, fields["PS"]), axis=0)
        u, v, ps = fields["U"], fields["V"], fields["PS"]
        for name, values in (("u", u), ("v", v), ("t", fields["T"]), ("ps", ps), ("v_square", v**2), ("ps_square", ps**2),
                             ("flux", thickness * v)):
            sums[name] = sums[name] + values / times.size
        courant_x = np.maximum(courant_x, np.abs(u).max(axis=(0, 2)) * STEP_S / spacing_x)
        courant_y = np.maximum(courant_y, np.abs(v).max(axis=(0, 2)) * STEP_S / spacing_y)
        _extend(extremes, {**fields, "U": u[pressure > STRATOSPHERE_HPA]}, time)
        means.append(float((ps * grid.area).sum() / grid.area.sum()))
        hour = int((time - time.astype("datetime64[D]")) / np.timedelta64(3600, "s"))
        if hour % 12 == 0 and "PBLH" in fields:
            layers.setdefault(hour, fields["PBLH"].copy())
    circle = 2.0 * np.pi * EARTH_RADIUS_M * np.cos(np.deg2rad(grid.lat)) / GRAVITY
    return Climate(
        grid, pressure, times, sums["u"].mean(axis=2), sums["t"].mean(axis=2), np.cumsum(sums["flux"].mean(axis=2), axis=0) * circle,
        np.sqrt(np.maximum((sums["v_square"] - sums["v"] ** 2).mean(axis=2), 0.0)),
        np.sqrt(np.maximum((sums["v"] ** 2).mean(axis=2) - sums["v"].mean(axis=2) ** 2, 0.0)), sums["ps"],
        np.sqrt(np.maximum(sums["ps_square"] - sums["ps"] ** 2, 0.0)), layers, courant_x, courant_y, extremes,
        (min(means), max(means)), fixer_mismatch(grid, levels, fields_at, times))


def fixer_mismatch(grid: Grid, levels: tuple[np.ndarray, np.ndarray], fields_at: FieldsAt, times: np.ndarray) -> dict[np.datetime64, float]:
    """Largest difference, over the globe, between the change of surface pressure in STEP_S and what the winds converge [Pa]."""
    core = TransportCore(grid, *levels, 1, threads=1, boundary_layer=False, convection=False)
    step = np.timedelta64(int(STEP_S), "s")
    found = {}
    for time in spread(times[:-1], FIXER_SAMPLES):
        before, middle, after = (fields_at(time + half * step // 2) for half in range(3))
        core.set_state(np.ones((1, core.nlev, *grid.shape)), before["PS"])
        core.step(StepMet(u=middle["U"], v=middle["V"], ps_start=before["PS"], ps_end=after["PS"]), STEP_S)
        found[time] = float(core.fixer_mismatch)
    return found


def _extend(extremes: dict[str, tuple[float, float, np.datetime64, np.datetime64]], fields: dict[str, np.ndarray],
            time: np.datetime64) -> None:
    for name in LIMITS:
        if name in fields and fields[name].size:
            low, high = float(fields[name].min()), float(fields[name].max())
            old = extremes.get(name, (np.inf, -np.inf, time, time))
            extremes[name] = (min(low, old[0]), max(high, old[1]), time if low < old[0] else old[2], time if high > old[1] else old[3])


def warnings_of(climate: Climate) -> list[str]:
    """What does not look like the earth's atmosphere."""
    found = []
    what = {"U": f"zonal wind below {STRATOSPHERE_HPA:g} hPa (m/s)", "PS": "surface pressure (Pa)", "T": "temperature (K)",
            "Q": "specific humidity (kg/kg)", "PBLH": "boundary layer (m)"}
    for name, (low, high, when_low, when_high) in climate.extremes.items():
        if low < LIMITS[name][0]:
            found.append(f"{what[name]}: {low:.6g} at {when_low}, below {LIMITS[name][0]:g}")
        if high > LIMITS[name][1]:
            found.append(f"{what[name]}: {high:.6g} at {when_high}, above {LIMITS[name][1]:g}")
    for mean in climate.mean_pressure:
        if not MEAN_PRESSURE[0] <= mean <= MEAN_PRESSURE[1]:
            found.append(f"global mean surface pressure {mean:.6g} Pa, outside {MEAN_PRESSURE[0]:g} … {MEAN_PRESSURE[1]:g}")
            break
    strongest = _strongest_cell(climate)
    if not OVERTURNING[0] <= strongest <= OVERTURNING[1]:
        found.append(f"tropical overturning {strongest:.2g} kg/s, outside {OVERTURNING[0]:g} … {OVERTURNING[1]:g}")
    worst = max(climate.mismatch, key=climate.mismatch.get, default=None)
    if worst is not None and climate.mismatch[worst] > LARGEST_MISMATCH:
        found.append(f"winds and surface pressure disagree by {climate.mismatch[worst]:.0f} Pa in {STEP_S / 60:.0f} min at {worst}: "
                     "the fixer changes the winds much")
    return found


def _strongest_cell(climate: Climate) -> float:
    return float(np.abs(climate.stream[:, np.abs(climate.grid.lat) < 35.0]).max())


def report(climate: Climate) -> list[str]:
    """The numbers, one a line."""
    grid, pressure, lat = climate.grid, climate.pressure, climate.grid.lat
    lines = [f"{climate.times.size} records, {climate.times[0]} … {climate.times[-1]}; {grid.name}, {pressure.size} levels, "
             f"lowest {pressure[-1]:.1f}, highest {pressure[0]:.3g} hPa"]
    for name, half in (("north", lat > 15), ("south", lat < -15)):
        part = np.where(half[None, :] & (pressure[:, None] > 100.0), climate.u, -np.inf)
        k, j = np.unravel_index(np.argmax(part), part.shape)
        lines.append(f"jet {name}: {part[k, j]:.1f} m/s at {lat[j]:.0f} deg, {pressure[k]:.0f} hPa")
    low = climate.u[pressure > 900.0]
    lines.append(f"trades {_extreme(low, np.abs(lat) < 30, np.min):.1f} m/s, surface westerlies "
                 f"{_extreme(low, lat > 30, np.max):.1f} N, {_extreme(low, lat < -30, np.max):.1f} S")
    tropics = np.abs(lat) < 35
    lines.append(f"overturning {climate.stream[:, tropics].min() / 1e9:.0f} … {climate.stream[:, tropics].max() / 1e9:.0f} 1e9 kg/s; "
                 f"through the equator {np.abs(climate.stream[:, grid.nlat // 2]).max() / 1e9:.0f}")
    aloft, ground = int(np.argmin(np.abs(pressure - 250))), int(np.argmin(np.abs(pressure - 900)))
    for name, k in (("250 hPa", aloft), ("900 hPa", ground)):
        parts = [f"{where} {_mean(climate.v_transient[k], rows):.1f}, {_mean(climate.v_standing[k], rows):.1f}" for where, rows in
                 (("45N", np.abs(lat - 45) < 8), ("45S", np.abs(lat + 45) < 8), ("equator", np.abs(lat) < 8))]
        lines.append(f"v eddies {name}, transient and standing, m/s: " + "; ".join(parts))
    lines.append(f"ps {0.01 * climate.extremes['PS'][0]:.0f} … {0.01 * climate.extremes['PS'][1]:.0f} hPa, global mean "
                 f"{0.01 * climate.mean_pressure[0]:.2f} … {0.01 * climate.mean_pressure[1]:.2f}, transients "
                 f"{0.01 * climate.ps_transient.max():.1f} at most")
    lines.append(f"T {climate.extremes['T'][0]:.0f} … {climate.extremes['T'][1]:.0f} K"
                 + (f"; q {climate.extremes['Q'][0]:.2g} … {climate.extremes['Q'][1]:.2g} kg/kg" if "Q" in climate.extremes else ""))
    beyond = np.abs(lat[climate.courant_x > 1.0])
    lines.append(f"at {STEP_S / 60:.0f} min: max Cy {climate.courant_y.max():.2f}; |Cx| > 1 from "
                 f"{beyond.min() if beyond.size else 90:.1f} deg, max Cx {climate.courant_x.max():.2f}")
    if climate.mismatch:
        sizes = list(climate.mismatch.values())
        lines.append(f"winds against surface pressure: the fixer removes up to {min(sizes):.1f} … {max(sizes):.1f} Pa in "
                     f"{STEP_S / 60:.0f} min ({len(sizes)} steps tried)")
    return lines


def _extreme(values: np.ndarray, rows: np.ndarray, choose: Callable[[np.ndarray], float]) -> float:
    part = values[:, rows]
    return float(choose(part)) if part.size else float("nan")


def _mean(values: np.ndarray, rows: np.ndarray) -> float:
    return float(values[rows].mean()) if rows.any() else float("nan")


def spread(times: Sequence[np.datetime64] | np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the times, evenly, the number of hours between them no divisor of a day where some are left out."""
    times = np.asarray(times)
    stride = -(-times.size // most)
    return times[:: stride + (stride > 1 and stride % 2 == 0)]
