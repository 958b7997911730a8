"""The parameters of a window: one scaling factor per λ cell and optimised flux, where there is a flux to scale.

    X_i = X0 + λ δ_i X0,    x_i = 1 + λ δ_i    (equation 1 of Jiang et al., 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from gcas_driver.errors import InputError, SettingsError
from mozart_coupling.errors import CouplingError
from mozart_coupling.grids import Grid

from .components import NET, Scheme, scheme_of
from .harmonics import SphereField
from .lambda_cells import LambdaCells, same_cells
from .perturbations import Correlation, draw
from .priors.layout import LAT_NAMES, LON_NAMES
from .units import PGC_PER_YEAR

SIGN_THRESHOLD = 0.2
#: A cell whose flux is less than this share of the largest one's has none: what regridding leaves of zeros is round-off.
NEGLIGIBLE_SHARE = 1.0e-12


@dataclass(frozen=True, eq=False)
class State:
    """The parameters of one window.

    Attributes
    ----------
    scheme : Scheme
        What is optimised.
    cells : dict
        Where the factors live: `LambdaCells` by optimised flux, in the scheme's order, all on one transport grid.
    component : numpy.ndarray
        (n_parameters,) index into `scheme.optimised`.
    cell : numpy.ndarray
        (n_parameters,) index of the λ cell among those of its flux.
    lon, lat : numpy.ndarray
        (n_parameters,) [degrees].
    lam : numpy.ndarray
        (n_parameters,) λ.
    sign : numpy.ndarray
        (n_parameters,) int8: sign of the window's total flux; 0 where it says nothing.
    flux : numpy.ndarray
        (n_parameters,) window-mean total of the cell's prior flux [mol s-1].
    model_flux : numpy.ndarray
        (n_optimised, nlat, nlon) window-mean totals of the model cells [mol s-1].
    land : numpy.ndarray
        (n_cells,) bool; of the sum of all fluxes only, where one parameter serves both surfaces; else empty.
    """

    scheme: Scheme
    cells: dict[str, LambdaCells]
    component: np.ndarray
    cell: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    lam: np.ndarray
    sign: np.ndarray
    flux: np.ndarray
    model_flux: np.ndarray
    land: np.ndarray

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return self.cell.size

    def of(self, optimised: str) -> np.ndarray:
        """Indices of the parameters of an optimised flux."""
        return np.flatnonzero(self.component == self.scheme.optimised.index(optimised))

    def perturbations(self, seed: int, window: np.datetime64, n_members: int, *, centred: bool = True,
                      correlation: Correlation | None = None) -> np.ndarray:
        """δ (n_parameters, n_members), C order; see `perturbations.draw`. A parameter's δ does not depend on which others are
        active."""
        delta = np.empty((self.n_parameters, n_members))
        for name in self.scheme.optimised:
            rows, cells = self.of(name), self.cells[name]
            drawn = draw(seed, window, name, cells.n_cells, n_members, centred=centred, correlation=correlation,
                         lon=cells.lon, lat=cells.lat, land=self.surface(name), spacing_km=cells.spacing_km)
            delta[rows] = drawn[self.cell[rows]]
        return delta

    def members(self, delta: np.ndarray) -> np.ndarray:
        """Factors x = 1 + λ δ (n_parameters, n_members), C order, as the analysis takes them."""
        return 1.0 + self.lam[:, None] * delta

    def factors(self, x: np.ndarray) -> np.ndarray:
        """Factors on the transport grid.

        Parameters
        ----------
        x : numpy.ndarray
            (n_parameters, n_members), or (n_parameters,) for one set such as the mean.

        Returns
        -------
        numpy.ndarray
            (n_members, n_optimised, nlat, nlon), or (n_optimised, nlat, nlon). Where there is no parameter: 1.
        """
        x = np.asarray(x, dtype=np.float64)
        if x.shape[:1] != (self.n_parameters,) or x.ndim > 2:
            raise InputError("factors do not fit the state", "State.factors", str(x.shape), f"({self.n_parameters}, n_members)")
        columns = x.reshape(self.n_parameters, -1)
        n_members = columns.shape[1]
        if same_cells(self.cells):
            cells = self.cells[self.scheme.optimised[0]]
            whole = np.ones((n_members, len(self.cells), cells.n_cells))
            whole[:, self.component, self.cell] = columns.T
            result = cells.spread(whole)
        else:
            result = np.empty((n_members, *self.model_flux.shape))
            for index, (name, cells) in enumerate(self.cells.items()):
                rows, whole = self.of(name), np.ones((n_members, cells.n_cells))
                whole[:, self.cell[rows]] = columns[rows].T
                result[:, index] = cells.spread(whole)
        return result if x.ndim == 2 else result[0]

    def surface(self, optimised: str) -> np.ndarray:
        """Whether the flux of each λ cell counts as land's (n_cells,) bool."""
        if optimised == NET:
            return self.land
        return np.full(self.cells[optimised].n_cells, optimised != "ocn")

    def regional_sigma(self, fraction: np.ndarray, correlation: Correlation | None = None) -> np.ndarray:
        """Standard deviation of regional totals that λ implies, exactly (no sampling).

        Parameters
        ----------
        fraction : numpy.ndarray
            (n_regions, nlat, nlon) shares of model cells.

        Returns
        -------
        numpy.ndarray
            (n_optimised, n_regions) [PgC yr-1], of this window's rate.
        """
        result = np.zeros((len(self.scheme.optimised), fraction.shape[0]))
        for index, name in enumerate(self.scheme.optimised):
            rows = self.of(name)
            weights = self.cells[name].gather(fraction * self.model_flux[index])[:, self.cell[rows]] * self.lam[rows] * PGC_PER_YEAR
            result[index] = np.sqrt(_variances(weights, self, rows, name, correlation))
        return result


def build_state(fluxes: xr.Dataset, cells: LambdaCells | Mapping[str, LambdaCells], scheme: str | Scheme,
                lambdas: Mapping[str, float | np.ndarray], *, sign_threshold: float = SIGN_THRESHOLD) -> State:
    """The parameters of a window.

    Parameters
    ----------
    fluxes : xarray.Dataset
        Of `prior.window_fluxes`, on the transport grid.
    cells : LambdaCells or mapping
        Of all optimised fluxes, or by name of each; see `lambda_cells.component_cells`.
    lambdas : mapping
        λ by name of optimised flux, a number or (n_cells,).
    sign_threshold : float
        A parameter has no sign where |Σ flux| is less than this share of Σ |flux| in the window.

    Raises
    ------
    InputError
        If no cell has any flux, or λ is not finite or negative.
    """
    scheme = scheme_of(scheme)
    cells_of = {name: cells[name] if isinstance(cells, Mapping) else cells for name in scheme.optimised}
    model_grid = cells_of[scheme.optimised[0]].model_grid
    area = model_grid.area
    parts: dict[str, list[np.ndarray]] = {key: [] for key in ("component", "cell", "lon", "lat", "lam", "sign", "flux")}
    model_flux = np.empty((len(scheme.optimised), *model_grid.shape))
    for index, (name, mine) in enumerate(cells_of.items()):
        series = optimised_flux(fluxes, scheme, name)
        model_flux[index] = series.mean(axis=0) * area
        total = mine.gather(model_flux[index])
        size = mine.gather(np.abs(series).mean(axis=0) * area)
        active = np.flatnonzero(size > NEGLIGIBLE_SHARE * size.max())
        clear = np.abs(total[active]) >= sign_threshold * size[active]
        for key, values in (("component", np.full(active.size, index)), ("cell", active), ("flux", total[active]),
                            ("lon", mine.lon[active]), ("lat", mine.lat[active]), ("lam", _lambda_of(name, lambdas, mine)[active]),
                            ("sign", np.where(clear, np.sign(total[active]), 0.0).astype(np.int8))):
            parts[key].append(values)
    joined = {key: np.concatenate(values) for key, values in parts.items()}
    if joined["cell"].size == 0:
        raise InputError("there is nothing to optimise", "prior fluxes", f"zero everywhere: {', '.join(scheme.optimised)}",
                         "a prior flux in at least one cell")
    land = _mostly_land(fluxes, cells_of[NET]) if NET in cells_of else np.empty(0, dtype=bool)
    return State(scheme=scheme, cells=cells_of, model_flux=model_flux, land=land, **joined)


def optimised_flux(fluxes: xr.Dataset, scheme: Scheme, name: str) -> np.ndarray:
    """The flux (time, nlat, nlon) [mol m-2 s-1] that the factors of that name multiply."""
    first, *others = (fluxes[part].values for part in scheme.parts(name))
    return sum(others, start=first)


def read_lambdas(state_settings, cells: Mapping[str, LambdaCells]) -> dict[str, float | np.ndarray]:
    """λ by name of optimised flux from the settings `lambda_bio`, … and `lambda_file`.

    λ of the sum of all fluxes is that of BIO; a gridded one is averaged over the λ cells of its flux.

    Raises
    ------
    InputError
        If the file cannot be read or has none of the variables.
    """
    scheme = scheme_of(state_settings.scheme)
    settings = {name: f"lambda_{'bio' if name == NET else name}" for name in scheme.optimised}
    lambdas: dict[str, float | np.ndarray] = {name: float(getattr(state_settings, key)) for name, key in settings.items()}
    path = getattr(state_settings, "lambda_file", None)
    if path is None:
        return lambdas
    try:
        with xr.open_dataset(path) as file:
            found = {name: file[key].load() for name, key in settings.items() if key in file}
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError("file of λ cannot be read", str(path), str(error), "NetCDF with lambda_bio, … on lat, lon") from None
    if not found:
        raise InputError("file of λ has none of the variables", str(path), "", ", ".join(settings.values()))
    return lambdas | {name: _on_cells(field, cells[name], path) for name, field in found.items()}


def implied_sigma(states: Sequence[State], fraction: np.ndarray, correlation: Correlation | None = None) -> dict[str, np.ndarray]:
    """Regional prior uncertainties of a year, or of whatever windows are given, that λ implies.

    Parameters
    ----------
    states : sequence of State
        One per window, of equal length.
    fraction : numpy.ndarray
        (n_regions, nlat, nlon).

    Returns
    -------
    dict
        "persistent": the mean of the windows' standard deviations (errors that last; the reading that matches the paper's
        100 % and 40 %), "independent": errors that are new in every window; each (n_optimised, n_regions) [PgC yr-1].
    """
    sigma = np.stack([state.regional_sigma(fraction, correlation) for state in states])
    return {"persistent": sigma.mean(axis=0), "independent": np.sqrt((sigma**2).sum(axis=0)) / len(states)}


def _variances(weights: np.ndarray, state: State, rows: np.ndarray, name: str, correlation: Correlation | None) -> np.ndarray:
    """Variances (n_sums,) of weighted sums of δ, weights (n_sums, n_rows)."""
    if correlation is None or not correlation.any:
        return (weights**2).sum(axis=1)
    land = state.surface(name)[state.cell[rows]]
    total = np.zeros(weights.shape[0])
    for where, length in ((land, correlation.land_km), (~land, correlation.ocean_km)):
        part = weights[:, where]
        if length <= 0.0:
            total += (part**2).sum(axis=1)
        elif where.any():
            field = SphereField.of(length, correlation.shape, state.cells[name].spacing_km)
            total += (field.projection(part, state.lon[rows][where], state.lat[rows][where]) ** 2).sum(axis=1)
            total += field.rest * (part**2).sum(axis=1)
    return total


def _lambda_of(name: str, lambdas: Mapping[str, float | np.ndarray], cells: LambdaCells) -> np.ndarray:
    if name not in lambdas:
        raise SettingsError("no λ is given", "&state", ", ".join(lambdas), f"λ of {name}")
    values = np.broadcast_to(np.asarray(lambdas[name], dtype=np.float64), (cells.n_cells,))
    if not np.isfinite(values).all() or values.min() < 0.0:
        raise InputError("λ must be finite and not negative", f"&state, λ of {name}", f"{values.min():g} to {values.max():g}")
    return values


def _mostly_land(fluxes: xr.Dataset, cells: LambdaCells) -> np.ndarray:
    """Where the biosphere exchanges at least as much as the sea (n_cells,) bool."""
    size = [cells.gather(np.abs(fluxes[name].values).mean(axis=0) * cells.model_grid.area) for name in ("bio", "ocn")]
    return size[0] >= size[1]


def _on_cells(field: xr.DataArray, cells: LambdaCells, path) -> np.ndarray:
    lat, lon = (next((n for n in names if n in field.coords), None) for names in (LAT_NAMES, LON_NAMES))
    if lat is None or lon is None or field.ndim != 2:
        raise InputError("λ needs latitude and longitude", f"{path}, {field.name}", str(field.dims), "lat, lon")
    ordered = field.transpose(lat, lon).sortby(lat)
    ordered = ordered.assign_coords({lon: ordered[lon] % 360.0}).sortby(lon)
    try:
        grid = Grid.from_centres(ordered[lon].values, ordered[lat].values)
        return cells.average(ordered.values, grid)
    except CouplingError as error:
        raise InputError(f"λ cannot be used: {error.what}", f"{path}, {field.name}", error.found, error.expected, error.advice) from None
