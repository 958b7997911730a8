"""A window's results as the arrays of its three files."""

from __future__ import annotations

import numpy as np

from .case import Case
from .fluxes.lambda_cells import same_cells
from .fluxes.members import scaled_fluxes
from .fluxes.units import PGC_PER_YEAR
from .output import seconds, write_analysis, write_fluxes, write_observations
from .plan import DAY, Window
from .window_data import Compared, Posterior, Prior


def write_window(case: Case, window: Window, prior: Prior, compared: Compared, posterior: Posterior, final: np.ndarray) -> None:
    """Write `windows/<date>/{observations,analysis,fluxes}.nc`.

    Parameters
    ----------
    final : ndarray (n_simulated, 2)
        Posterior and prior simulated values of the forward run [ppm].
    """
    directory = case.directory / "windows" / window.label
    directory.mkdir(parents=True, exist_ok=True)
    heading = case.heading(window)
    write_observations(directory / "observations.nc", heading, *_observations(compared, posterior, final))
    write_analysis(directory / "analysis.nc", heading, _analysis(case, prior, posterior), posterior.diagnostics,
                   posterior.figures.get("rejected_share"), posterior.figures.get("inflation"))
    write_fluxes(directory / "fluxes.nc", heading, _fluxes(case, window, prior, posterior))


def _observations(compared: Compared, posterior: Posterior, final: np.ndarray):
    table, supers, rows = compared.table, compared.supers, compared.rows

    def on_all_rows(values: np.ndarray, missing: float) -> np.ndarray:
        result = np.full(len(table), missing)
        result[rows] = values
        return result

    columns = {name: getattr(table, name) for name in ("time", "lon", "lat", "altitude", "value", "error", "product", "site",
                                                       "identifier", "kind", "used", "reason")}
    columns["super_observation_index"] = on_all_rows(supers.index, -1).astype(np.int32)
    simulated = {"prior": on_all_rows(final[:, 1], np.nan), "posterior": on_all_rows(final[:, 0], np.nan),
                 "background": on_all_rows(compared.hx.mean(axis=1), np.nan),
                 "background_spread": on_all_rows(compared.hx.std(axis=1, ddof=1), np.nan)}
    merged = {name: getattr(supers, name) for name in ("time", "lon", "lat", "value", "error", "product")}
    merged |= {"hx_background": supers.average(compared.hx), "hx_posterior": posterior.hx}
    return columns, simulated, merged


def _analysis(case: Case, prior: Prior, posterior: Posterior) -> dict[str, np.ndarray]:
    state, cells = prior.state, list(case.cells.values())
    sizes = np.array([c.n_cells for c in cells])
    shape = (len(cells), sizes.max())
    nowhere = np.arange(sizes.max()) >= sizes[:, None]

    def on_all_cells(values: np.ndarray, elsewhere: float) -> np.ndarray:
        result = np.full((*shape, *values.shape[1:]), elsewhere, dtype=values.dtype)
        if values.dtype.kind == "f":
            result[nowhere] = np.nan
        result[state.component, state.cell] = values
        return result

    def places(name: str) -> np.ndarray:
        return np.stack([np.pad(getattr(c, name), (0, shape[1] - c.n_cells), constant_values=np.nan) for c in cells])

    common = {"lon": np.asarray(cells[0].lon), "lat": np.asarray(cells[0].lat)}
    own = {"lon": places("lon"), "lat": places("lat"), "n_parameters": sizes}
    return (common if same_cells(case.cells) else own) | {
        "component": np.array(state.scheme.optimised),
        "factor_prior": on_all_cells(prior.x, 1.0), "factor_posterior": on_all_cells(posterior.x, 1.0),
        "factor_mean": on_all_cells(posterior.mean, 1.0), "lambda": on_all_cells(state.lam, 0.0),
        "n_observations": on_all_cells(posterior.n_observations, 0), "sign": on_all_cells(state.sign, 0)}


def _fluxes(case: Case, window: Window, prior: Prior, posterior: Posterior) -> dict[str, np.ndarray]:
    state, settings = prior.state, case.settings
    before = scaled_fluxes(prior.fluxes, state.scheme, None, prior.basis.perturbation)
    after = scaled_fluxes(prior.fluxes, state.scheme, state.factors(posterior.mean), prior.basis.perturbation)
    names = list(before.data_vars)
    per_day = before.sizes["time"] // window.days
    n_merged = per_day if settings.output.flux_interval == "daily" else 1

    def stacked(dataset) -> np.ndarray:
        return np.stack([dataset[name].values.reshape(-1, n_merged, *case.grid.shape).mean(axis=1) for name in names])

    edges = seconds(window.start + np.arange(window.days * per_day // n_merged + 1) * (DAY // (per_day // n_merged)))
    regions = case.regions
    area = case.grid.area
    kept = np.stack([np.tensordot(regions.shares(name), before[name].values.mean(axis=0) * area, axes=2) for name in names]) * PGC_PER_YEAR
    return {"component": np.array(names), "optimised": np.array([name in state.scheme.optimised for name in names]),
            "region": np.array(regions.names), "lon": case.grid.lon, "lat": case.grid.lat, "area": area,
            "time_bounds": np.column_stack([edges[:-1], edges[1:]]), "flux_prior": stacked(before), "flux_posterior": stacked(after),
            "region_total_prior": _member_totals(case, prior, prior.x, kept),
            "region_total_posterior": _member_totals(case, prior, posterior.x, kept)}


def _member_totals(case: Case, prior: Prior, x: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Regional totals of every member (n_component, n_region, n_members) [PgC/yr], mean over the window.

    Both ways to perturb scale the window's total, so the total of a cell is its prior total times its factor.
    """
    state = prior.state
    result = np.repeat(kept[:, :, None], x.shape[1], axis=2)
    fields = state.factors(x) * state.model_flux
    for index, name in enumerate(state.scheme.optimised):
        result[index] = np.tensordot(case.regions.shares(name), fields[:, index], axes=([1, 2], [1, 2])) * PGC_PER_YEAR
    return result
