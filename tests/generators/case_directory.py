"""Makes small case directories as `gcas run` leaves them, without a run: for tests of everything that reads output files.

The files go through the driver's own writers, so that a change of layout shows here first. The numbers have a known structure: the
posterior lies `recovery` of the way from prior to truth, and the members scatter about it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import netCDF4
import numpy as np

from gcas_driver.analysis import Diagnostics, diagnose
from gcas_driver.fluxes.regions import RegionMap
from gcas_driver.fluxes.units import MOLECULES_CM2, PGC_PER_YEAR
from gcas_driver.output import Heading, write_analysis, write_fluxes, write_observations
from mozart_coupling.grids import Grid, regrid

COMPONENTS = ("bio", "ocn", "fossil", "fire")
OPTIMISED = ("bio", "ocn")
SITES = {"mlo": (-155.58, 19.53, 3399.0), "brw": (-156.61, 71.32, 11.0), "spo": (-24.8, -89.98, 2815.0), "zep": (11.89, 78.91, 474.0),
         "ask": (5.63, 23.26, 2710.0), "wlg": (100.9, 36.27, 3810.0)}
DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class CaseOptions:
    """What to make.

    Attributes
    ----------
    soundings, flasks, stations : int
        Per window; of stations on the ground columns that are withheld.
    withheld : bool
        Whether flasks are withheld (else assimilated).
    truth : bool
        Write the truth of a synthetic experiment.
    recovery : float
        Share of the prior's error that the posterior has lost.
    """

    name: str = "example"
    grid: str = "24x16"
    windows: int = 2
    days: int = 1
    members: int = 8
    soundings: int = 60
    flasks: int = 6
    stations: int = 0
    withheld: bool = True
    truth: bool = True
    recovery: float = 0.6
    start: str = "2010-06-01"
    evaluate_from: str = ""
    title: str = ""
    seed: int = 3


def make_case(directory: Path, options: CaseOptions = CaseOptions()) -> Path:
    """Write a case directory and return it; the inputs with the truth go into its folder `inputs`."""
    directory.mkdir(parents=True, exist_ok=True)
    _write_settings(directory, options)
    maker = _Maker(directory, options)
    for index in range(options.windows):
        maker.window(index)
    if options.truth:
        maker.write_true_values()
    return directory


def _write_settings(directory: Path, options: CaseOptions) -> None:
    lines = ["&case", f"  name = '{options.name}'", f"  seed = {options.seed}", "/", "&time", f"  start = '{options.start}'",
             f"  days = {options.windows * options.days}", f"  window_days = {options.days}"]
    lines += [f"  evaluate_from = '{options.evaluate_from}'"] if options.evaluate_from else []
    lines += ["/", "&state", "  scheme = 'bio_ocn'", f"  members = {options.members}", "/", "&initial", "  uniform_ppm = 385.0", "/"]
    for component in COMPONENTS:
        lines += ["&prior", f"  component = '{component}'", "  directory = 'inputs'", "/"]
    lines += ["&truth", "  directory = 'inputs'", "/"] if options.truth else []
    lines += ["&report", f"  title = '{options.title}'", "/"] if options.title else []
    (directory / "settings.nml").write_text("\n".join(lines) + "\n", encoding="utf-8")


class _Maker:
    def __init__(self, directory: Path, options: CaseOptions) -> None:
        self.directory, self.options = directory, options
        self.random = np.random.default_rng(options.seed)
        self.grid = Grid.named(options.grid)
        self.source = Grid.regular(360, 180, lon_first=None)
        self.regions = RegionMap.load("builtin", self.grid)
        self.land = np.clip(RegionMap.load("builtin", self.source).fraction[:11].sum(axis=0), 0.0, 1.0)
        self.true_values: list[tuple[str, str, float]] = []

    def window(self, index: int) -> None:
        options = self.options
        start = np.datetime64(options.start, "s") + index * options.days * DAY
        label = str(start.astype("datetime64[D]"))
        end = str((start + options.days * DAY).astype("datetime64[D]"))
        target = self.directory / "windows" / label
        target.mkdir(parents=True)
        heading = Heading(options.name, "0123456789abcdef", options.seed, options.members, f"{label} +{options.days} d", 1)
        self._fluxes(target, heading, start, index)
        self._analysis(target, heading, self._observations(target, heading, start, index))
        with open(self.directory / "journal.jsonl", "a", encoding="utf-8") as stream:
            stream.write(json.dumps({"event": "window", "window": label, "end": end, "seconds": 12.5, "rejected_share": 0.87}) + "\n")

    def _fluxes(self, target: Path, heading: Heading, start: np.datetime64, index: int) -> None:
        options, grid = self.options, self.grid
        prior_source = np.stack([_component(c, self.source, self.land, index) for c in COMPONENTS])
        factor = 1.0 + 0.5 * _waves(self.source, index)
        true_source = prior_source * np.where(np.arange(4)[:, None, None] < 2, factor, 1.0)
        prior, true = (regrid(x, self.source, grid) for x in (prior_source, true_source))
        posterior = prior + options.recovery * (true - prior)
        shares = np.array([self.regions.shares(c) for c in COMPONENTS]) * grid.area * PGC_PER_YEAR
        totals = {name: np.einsum("cyx,cryx->cr", x, shares) for name, x in (("prior", prior), ("posterior", posterior))}
        scatter = self.random.standard_normal((4, len(self.regions.names), options.members))
        scatter -= scatter.mean(axis=-1, keepdims=True)
        scatter[2:] = 0.0
        sigma = 0.3 * np.abs(totals["prior"])[..., None] + 0.05
        offsets = (np.arange(options.days)[:, None] + np.array([0, 1])) * 86400.0
        write_fluxes(target / "fluxes.nc", heading, {
            "component": np.array(COMPONENTS), "optimised": np.array([c in OPTIMISED for c in COMPONENTS]),
            "region": np.array(self.regions.names), "lon": grid.lon, "lat": grid.lat, "area": grid.area,
            "time_bounds": start.astype("int64") + offsets,
            "flux_prior": np.repeat(prior[:, None], options.days, axis=1),
            "flux_posterior": np.repeat(posterior[:, None], options.days, axis=1),
            "region_total_prior": totals["prior"][..., None] + sigma * scatter,
            "region_total_posterior": totals["posterior"][..., None] + 0.7 * sigma * scatter})
        if options.truth:
            for day in range(options.days):
                for component, flux in zip(COMPONENTS, true_source, strict=True):
                    write_gcasv2_flux(self.directory / "inputs" / "truth", component, start + day * DAY, flux)

    def _analysis(self, target: Path, heading: Heading, diagnostics: Diagnostics) -> None:
        lon, lat = (a.ravel() for a in np.meshgrid(self.grid.lon, self.grid.lat))
        shape = (len(OPTIMISED), lon.size)
        factors = 1.0 + 3.0 * self.random.standard_normal((*shape, self.options.members))
        near = np.exp(-((lat - 30.0) / 30.0) ** 2)
        posterior = 1.0 + (factors - 1.0) * (1.0 - 0.3 * near)[:, None]
        write_analysis(target / "analysis.nc", heading, {
            "component": np.array(OPTIMISED), "lon": lon, "lat": lat, "factor_prior": factors, "factor_posterior": posterior,
            "factor_mean": posterior.mean(axis=-1), "lambda": np.full(shape, 3.0), "n_observations": np.full(shape, 5),
            "sign": np.ones(shape, dtype=int)}, diagnostics, *((0.87, 1.0) if diagnostics.of("number") else (None, None)))

    def _observations(self, target: Path, heading: Heading, start: np.datetime64, index: int) -> Diagnostics:
        options, random = self.options, self.random
        n, k = options.soundings, options.stations
        m = options.flasks + k
        names = list(SITES)
        places = np.array([SITES[names[i % len(names)]] for i in range(m)]).reshape(m, 3)
        places[m - k:, 2] = np.nan
        lon = np.concatenate([random.uniform(-180.0, 180.0, n), places[:, 0]])
        lat = np.concatenate([np.rad2deg(np.arcsin(random.uniform(-0.8, 0.9, n))), places[:, 1]])
        time = start.astype("int64") + random.uniform(0.0, options.days * 86400.0, n + m)
        true = 388.0 + 2.0 * np.sin(np.deg2rad(lat)) + 0.3 * index + np.where(np.arange(n + m) < n, 0.0, 1.0)
        gap = 0.8 + 0.6 * np.sin(np.deg2rad(lon)) + 0.2 * index
        error = np.where(np.arange(n + m) < n, 1.2, 0.8)
        noise = random.standard_normal(n + m)
        reason = np.array([""] * n + (["withheld"] * m if options.withheld else [""] * m), dtype=object)
        reason[n + m - k:] = "withheld"
        if n:
            reason[0] = "simulated value more than 15 ppm off"
        prior = true + gap
        used = reason == ""
        columns = {
            "time": time, "lon": lon, "lat": lat, "altitude": np.concatenate([np.full(n, np.nan), places[:, 2]]),
            "value": true + 0.5 * error * noise, "error": error,
            "product": np.array(["acos_lite"] * n + ["noaa_flask"] * (m - k) + ["tccon"] * k, dtype=object),
            "site": np.array([""] * n + [names[i % len(names)] for i in range(m)], dtype=object),
            "identifier": np.array([f"{index}-{i}" for i in range(n + m)], dtype=object),
            "kind": np.array(["column"] * n + ["point"] * (m - k) + ["column"] * k, dtype=object), "used": used, "reason": reason,
            "super_observation_index": np.where(used, np.cumsum(used) - 1, -1)}
        simulated = {"prior": prior, "background": true + 0.7 * gap, "posterior": true + (1.0 - options.recovery) * gap,
                     "background_spread": np.full(n + m, 0.6)}
        if n:
            simulated["posterior"] = np.where(np.arange(n + m) == 0, np.nan, simulated["posterior"])
        scatter = random.standard_normal((int(used.sum()), options.members))
        scatter -= scatter.mean(axis=1, keepdims=True)
        supers = {name: columns[name][used] for name in ("time", "lon", "lat", "value", "error", "product")} | {
            "hx_background": simulated["background"][used, None] + 0.6 * scatter,
            "hx_posterior": simulated["posterior"][used, None] + 0.4 * scatter}
        write_observations(target / "observations.nc", heading, columns, simulated, supers)
        self.true_values += list(zip(columns["product"], columns["identifier"], true, strict=True))
        return self._diagnostics(supers)

    def _diagnostics(self, supers: dict[str, np.ndarray]) -> Diagnostics:
        """Of an analysis that took every super-observation for itself."""
        prior, posterior = (supers[f"hx_{name}"] for name in ("background", "posterior"))
        s, r = prior.var(axis=1, ddof=1), supers["error"] ** 2
        all_of_them = np.ones(len(r), bool)
        result = SimpleNamespace(hx=posterior, assimilated=all_of_them, gross_rejected=~all_of_them, huber_weight=np.ones(len(r)),
                                 prior_variance=s, error_variance=r, sensitivity=posterior.var(axis=1, ddof=1) / r,
                                 information=np.log1p(s / r) / 2.0)
        return diagnose(supers["value"], prior, result, seed=self.options.seed, groups={
            "product": supers["product"].astype(str), "region": self.regions.names_at(supers["lon"], supers["lat"])})

    def write_true_values(self) -> None:
        """inputs/truth/observations.nc."""
        path = self.directory / "inputs" / "truth" / "observations.nc"
        with netCDF4.Dataset(path, "w") as out:
            out.createDimension("observation", len(self.true_values))
            for i, name in enumerate(("product", "identifier")):
                variable = out.createVariable(name, str, ("observation",))
                variable[:] = np.array([row[i] for row in self.true_values], dtype=object)
            out.createVariable("value_true", "f8", ("observation",))[:] = [row[2] for row in self.true_values]


def write_gcasv2_flux(directory: Path, component: str, day: np.datetime64, flux: np.ndarray) -> None:
    """One day of constant flux (180, 360) [mol m-2 s-1] in GCASv2's layout."""
    label = str(day.astype("datetime64[D]")).replace("-", "")
    path = directory / component / f"emissions.{component}.{label}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as out:
        for name, size in (("time", 8), ("lat", 180), ("lon", 360)):
            out.createDimension(name, size)
        out.createVariable("emissions", "f4", ("time", "lat", "lon"))[:] = np.broadcast_to(flux / MOLECULES_CM2, (8, 180, 360))
        out.createVariable("lat", "f4", ("lat",))[:] = np.arange(180) - 89.5
        out.createVariable("lon", "f4", ("lon",))[:] = np.arange(360) + 0.5
        out.createVariable("date", "i4", ("time",))[:] = int(label)
        out.createVariable("datesec", "i4", ("time",))[:] = 5400 + 10800 * np.arange(8)
        out.createVariable("time", "i4", ("time",))[:] = np.arange(1, 9)


def _component(name: str, grid: Grid, land: np.ndarray, index: int) -> np.ndarray:
    """A plausible flux (lat, lon) [mol m-2 s-1]."""
    lat, lon = np.deg2rad(grid.lat)[:, None], np.deg2rad(grid.lon)[None, :]
    shape = {"bio": -land * (np.maximum(np.sin(lat + 0.3), -0.3) + 0.3 * np.sin(3 * lon) + 0.05 * index),
             "ocn": (1.0 - land) * (0.7 * np.cos(3.0 * lat) - 0.5),
             "fossil": land * np.exp(-((np.rad2deg(lat) - 40.0) / 15.0) ** 2) * (1.2 + np.cos(2.0 * lon)),
             "fire": land * np.exp(-((np.rad2deg(lat) + 8.0) / 12.0) ** 2)}[name] + 0.0 * lon
    total = {"bio": -4.0, "ocn": -2.5, "fossil": 9.6, "fire": 2.0}[name]
    scale = {"bio": 8.0e-7, "ocn": 3.0e-8}.get(name)
    return shape * (scale or total / (np.sum(shape * grid.area) * PGC_PER_YEAR))


def _waves(grid: Grid, index: int) -> np.ndarray:
    """A smooth field about 0.3 with amplitude one."""
    lat, lon = np.deg2rad(grid.lat)[:, None], np.deg2rad(grid.lon)[None, :]
    return 0.3 + np.cos(lat) * np.sin(2.0 * lon + index) + 0.4 * np.sin(2.0 * lat) * np.cos(lon)
