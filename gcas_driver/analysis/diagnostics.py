"""How an analysis behaved: departures against what was assumed of them, signal and information, by groups of observations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import chdtrc, ndtri

from gcas_driver.errors import InputError

from .arrays import as_float, check_finite
from .result import AnalysisResult

RANK_BINS = 10
"""The ranks 0 … N are gathered in so many equally likely bins."""

ALL = "all"
NATS_PER_BIT = np.log(2.0)
RANK_DOMAIN = 0x52414E4B
"""Second half of the generator's key ("RANK" in ASCII), apart from other uses of the run's seed. Never change it: files
could not be repeated."""

QUANTITIES: dict[str, tuple[str, str]] = {
    "number": ("1", "assimilated observations"),
    "gross_rejected": ("1", "observations left out by the gross check"),
    "down_weighted": ("1", "assimilated observations with a Huber weight below 1"),
    "mean_innovation": ("ppm", "mean of observed minus ensemble mean before the analysis"),
    "rms_innovation": ("ppm", "root mean square of observed minus ensemble mean before the analysis"),
    "mean_departure": ("ppm", "mean of observed minus ensemble mean after the analysis"),
    "rms_departure": ("ppm", "root mean square of observed minus ensemble mean after the analysis"),
    "expected_rms": ("ppm", "innovation that spread and error let expect, sqrt(mean(s + R))"),
    "spread_skill": ("1", "rms_innovation over expected_rms"),
    "chi2": ("1", "mean of innovation^2 / (s + R)"),
    "chi2_error": ("1", "standard error of chi2, observations taken as independent"),
    "error_variance": ("ppm2", "mean R, as the filter took it"),
    "error_variance_diagnosed": ("ppm2", "R by Desroziers et al. (2005)"),
    "error_variance_diagnosed_error": ("ppm2", "standard error of it, observations taken as independent"),
    "prior_variance": ("ppm2", "mean ensemble variance s of the simulated values before the analysis, with inflation"),
    "prior_variance_diagnosed": ("ppm2", "HPH^T by Desroziers et al. (2005)"),
    "prior_variance_diagnosed_error": ("ppm2", "standard error of it, observations taken as independent"),
    "posterior_variance": ("ppm2", "mean ensemble variance of the simulated values after the analysis"),
    "posterior_variance_diagnosed": ("ppm2", "HAH^T by Desroziers et al. (2005)"),
    "dfs": ("1", "degrees of freedom for signal of the analysis as localized; adds up over groups"),
    "dfs_ensemble": ("1", "degrees of freedom for signal without localization; adds up over groups"),
    "information": ("bit", "information that the observations added in their order, as localized; adds up over groups; EnSRF only"),
    "information_added": ("bit", "information that each observation adds to all the others, as localized, summed: the least of its share"),
    "information_ensemble": ("bit", "share of the Shannon information without localization; adds up over groups"),
    "information_alone": ("bit", "Shannon information of the group alone, without localization; does not add up"),
    "rank_chi2": ("1", "chi-square of the rank histogram against equal counts, one less than bins degrees of freedom"),
    "rank_p": ("1", "probability of a larger rank_chi2 for equally likely, independent ranks"),
}
"""Name → units, meaning; what a `Diagnostics` holds for every group, and files hold under `diagnostic_<name>`. "ppm" stands for the
units of the observations."""

TABLE = (("number", "number"), ("mean_innovation", "mean d"), ("rms_innovation", "rms d"), ("expected_rms", "expected"), ("chi2", "chi2"),
         ("chi2_error", "+-"), ("error_variance", "R"), ("error_variance_diagnosed", "R diagnosed"), ("prior_variance", "s"),
         ("prior_variance_diagnosed", "s diagnosed"), ("dfs", "signal"))
"""Columns of a `Diagnostics` when printed: name, title."""


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """Figures of one analysis by group of observations.

    Attributes
    ----------
    groups : tuple of str
        "all", then "<kind>:<label>", such as "product:gosat" or "region:Europe".
    values : dict of str to ndarray (n_groups,)
        The names of `QUANTITIES`; NaN where a group has no assimilated observation.
    rank_count : ndarray (n_groups, RANK_BINS) of int
        Observations by the bin of their rank among the members' simulated observations, low values first.
    """

    groups: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    rank_count: np.ndarray

    def of(self, name: str, group: str = ALL) -> float:
        """One figure of one group.

        Raises
        ------
        InputError
            No such name or group.
        """
        if name not in self.values or group not in self.groups:
            what, found, known = ("name", name, self.values) if name not in self.values else ("group", group, self.groups)
            raise InputError(f"the diagnostics have no such {what}", found=repr(found), expected=", ".join(known))
        return float(self.values[name][self.groups.index(group)])

    def __str__(self) -> str:
        """The main figures as a table, a line a group."""
        width = max(len(group) for group in self.groups)
        lines = [" ".join([f"{'':{width}}", *(f"{title:>13}" for _, title in TABLE)])]
        for number, group in enumerate(self.groups):
            lines.append(" ".join([f"{group:{width}}", *(f"{self.values[name][number]:13.4g}" for name, _ in TABLE)]))
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class _Rows:
    """What is known of the observations of one group, (n,) each; `whitened` (n, n_members) has H P Hᵀ / R as its square."""

    assimilated: np.ndarray
    gross_rejected: np.ndarray
    down_weighted: np.ndarray
    innovation: np.ndarray
    departure: np.ndarray
    prior: np.ndarray
    posterior: np.ndarray
    error: np.ndarray
    sensitivity: np.ndarray
    information: np.ndarray
    dfs_ensemble: np.ndarray
    information_ensemble: np.ndarray
    rank_bin: np.ndarray
    whitened: np.ndarray

    def select(self, rows: np.ndarray) -> _Rows:
        return _Rows(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def diagnose(y, hx, result: AnalysisResult, *, groups: Mapping[str, object] | None = None, seed: int = 0, window: int = 0) -> Diagnostics:
    """Figures of an analysis, over all assimilated observations and by group.

    With innovation d = y − Hx̄_b, departure a = y − Hx̄_a, s the prior variance with inflation and R the error variance with Huber's weights,
    all as the filter took them: χ² = mean d²/(s + R); R̂ = mean(a d), HPHᵀ = mean((d − a) d), HAHᵀ = mean((d − a) a) (Desroziers et al.,
    QJRMS 131, 3385, 2005); degrees of freedom for signal Σ ∂(Hx̄_a)_i/∂y_i (Cardinali et al., QJRMS 130, 2767, 2004; Liu et al.,
    QJRMS 135, 1842, 2009); information ½ ln det(I + R^-½ HPHᵀ R^-½) (Shannon; Fisher, ECMWF Tech. Memo. 397, 2003); ranks of y
    among the members' simulated values with noise of variance R added (Hamill, MWR 129, 550, 2001). Gross-rejected observations are
    counted and have no other part. Of blocks with correlated errors the diagonal is taken, but for `dfs` and `information`.

    Parameters
    ----------
    y : array_like (n_observations,)
        Observed values.
    hx : array_like (n_observations, n_members)
        Prior simulated values, as given to the filter.
    result : AnalysisResult
        Of `ensrf` or `letkf`.
    groups : mapping of str to array_like (n_observations,)
        Kind of group → label of each observation.
    seed, window : int
        With the observation's position and the member they are the key of the noise: the same key, the same numbers.

    Returns
    -------
    Diagnostics
        Groups in the order of `groups`, labels sorted.

    Raises
    ------
    InputError
        Arrays that do not fit, or NaN.
    """
    hx = as_float("hx", hx, (len(result.hx), result.hx.shape[1]))
    y = as_float("y", y, (len(hx),))
    check_finite("hx", hx)
    check_finite("y", y)
    if groups is not None and not isinstance(groups, Mapping):
        raise InputError("groups is no mapping", found=type(groups).__name__, expected="kind -> labels, such as {'site': names}")
    labels = {kind: np.asarray(values) for kind, values in (groups or {}).items()}
    for kind, values in labels.items():
        if values.shape != y.shape:
            raise InputError(f"the labels of '{kind}' do not fit", found=str(values.shape), expected=f"({y.size},)")
    rows = _rows(y, hx, result, seed, window)
    members = {ALL: np.ones(y.size, bool)}
    members |= {f"{kind}:{label}": values == label for kind, values in labels.items() for label in np.unique(values)}
    parts = [rows.select(mask) for mask in members.values()]
    counts = np.array([np.bincount(part.rank_bin[part.assimilated], minlength=RANK_BINS) for part in parts])
    figures = [_figures(part) for part in parts]
    flat = rank_flatness(counts)
    values = {name: np.array([f[name] for f in figures]) for name in figures[0]} | {"rank_chi2": flat[0], "rank_p": flat[1]}
    return Diagnostics(tuple(members), {name: values[name] for name in QUANTITIES}, counts)


def nothing_to_diagnose() -> Diagnostics:
    """Of a window without observations: zero counts, no other figure."""
    counts = ("number", "gross_rejected", "down_weighted")
    return Diagnostics((ALL,), {name: np.array([0.0 if name in counts else np.nan]) for name in QUANTITIES}, np.zeros((1, RANK_BINS), int))


def rank_flatness(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """χ² of rank counts (..., n_bins) against equal counts, and the probability of a larger one; NaN without counts.

    The probability is that of independent ranks. Neighbouring observations share the members' errors: it is then too small.
    """
    expected = counts.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        chi2 = np.sum((counts - expected) ** 2 / expected, axis=-1)
    return chi2, chdtrc(counts.shape[-1] - 1, chi2)


def _rows(y: np.ndarray, hx: np.ndarray, result: AnalysisResult, seed: int, window: int) -> _Rows:
    used = result.assimilated
    mean, variance = hx.mean(axis=1), hx.var(axis=1, ddof=1)
    inflation = np.sqrt(np.divide(result.prior_variance, variance, out=np.ones_like(variance), where=variance > 0.0))
    perturbations = (hx - mean[:, None]) * inflation[:, None]
    whitened = perturbations / np.sqrt((hx.shape[1] - 1) * result.error_variance)[:, None]
    dfs_ensemble, information_ensemble = spectral_shares(np.where(used[:, None], whitened, 0.0))
    return _Rows(
        assimilated=used, gross_rejected=result.gross_rejected, down_weighted=used & (result.huber_weight < 1.0), innovation=y - mean,
        departure=y - result.hx.mean(axis=1), prior=result.prior_variance, posterior=result.hx.var(axis=1, ddof=1),
        error=result.error_variance, sensitivity=result.sensitivity, information=result.information, dfs_ensemble=dfs_ensemble,
        information_ensemble=information_ensemble, whitened=whitened,
        rank_bin=rank_bins(y, mean[:, None] + perturbations, result.error_variance, seed, window))


def spectral_shares(whitened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Diagonals of M(I + M)⁻¹ and ½ ln(I + M), M = Z Zᵀ: each observation's share of the two traces.

    The second share [nat] lies between what the observation alone would tell, ½ ln(1 + M_ii), and what the others would leave unsaid
    without it, −½ ln(1 − [M(I + M)⁻¹]_ii) (Jensen's inequality).

    Parameters
    ----------
    whitened : ndarray (n_observations, n_members)
        Z.

    Returns
    -------
    dfs, information : ndarray (n_observations,)
    """
    eigenvalue, vectors = np.linalg.eigh(whitened.T @ whitened)
    eigenvalue = np.maximum(eigenvalue, 0.0)
    square = (whitened @ vectors) ** 2
    logarithm = np.divide(np.log1p(eigenvalue), eigenvalue, out=np.ones_like(eigenvalue), where=eigenvalue > 0.0)
    return square @ (1.0 / (1.0 + eigenvalue)), square @ logarithm / 2.0


def added_information(sensitivity: np.ndarray) -> np.ndarray:
    """What each observation tells beyond all the others, −½ ln(1 − ∂(Hx̄_a)_i/∂y_i) [nat] (n,).

    The analysis without observation i has the variance s_i = s_a R/(R − s_a) there, s_a that of the analysis with all; observation i
    then adds ½ ln(1 + s_i/R) = −½ ln(1 − s_a/R). No more than rounding lets tell.
    """
    return -np.log(np.maximum(1.0 - sensitivity, np.finfo(float).eps)) / 2.0


def shannon_information(whitened: np.ndarray) -> float:
    """½ ln det(I + Z Zᵀ) [nat] of Z (n_observations, n_members), by the smaller of the two matrices."""
    n, members = whitened.shape
    matrix = whitened @ whitened.T if n < members else whitened.T @ whitened
    return float(np.linalg.slogdet(np.eye(len(matrix)) + matrix)[1] / 2.0)


def rank_bins(y: np.ndarray, members: np.ndarray, error_variance: np.ndarray, seed: int, window: int) -> np.ndarray:
    """Bin, 0 … RANK_BINS − 1, of each observation's rank among simulated observations, (n,) int.

    The rank, 0 … N, is spread evenly over its share 1/(N + 1) of [0, 1), so that bins are equally likely for any N.
    """
    n, n_members = members.shape
    sigma, rank = np.sqrt(error_variance), np.zeros(n)
    for member in range(n_members):
        rank += y > members[:, member] + sigma * ndtri(_uniform(seed, window, member, n))
    place = (rank + _uniform(seed, window, n_members, n)) / (n_members + 1)
    return np.minimum((place * RANK_BINS).astype(np.intp), RANK_BINS - 1)


def _uniform(seed: int, window: int, member: int, n: int) -> np.ndarray:
    """Numbers in (0, 1), each a function of (seed, window, member, position) alone (Philox; Salmon et al., 2011)."""
    key = np.array([seed, RANK_DOMAIN], dtype=np.uint64)
    words = np.random.Philox(key=key, counter=np.array([0, member, window % 2**32, 0], dtype=np.uint64)).random_raw(n)
    return ((words >> np.uint64(11)) + 0.5) * 2.0**-53


def _figures(part: _Rows) -> dict[str, float]:
    """All figures of a group but those of its ranks."""
    used = part.select(part.assimilated)
    d, a, total = used.innovation, used.departure, used.prior + used.error
    chi2, r_hat, s_hat = d**2 / total, a * d, (d - a) * d
    expected, rms = np.sqrt(_mean(total)), np.sqrt(_mean(d**2))
    empty = not d.size
    return {
        "number": d.size, "gross_rejected": int(part.gross_rejected.sum()), "down_weighted": int(used.down_weighted.sum()),
        "mean_innovation": _mean(d), "rms_innovation": rms, "mean_departure": _mean(a), "rms_departure": np.sqrt(_mean(a**2)),
        "expected_rms": expected, "spread_skill": rms / expected, "chi2": _mean(chi2), "chi2_error": _standard_error(chi2),
        "error_variance": _mean(used.error), "error_variance_diagnosed": _mean(r_hat),
        "error_variance_diagnosed_error": _standard_error(r_hat), "prior_variance": _mean(used.prior),
        "prior_variance_diagnosed": _mean(s_hat), "prior_variance_diagnosed_error": _standard_error(s_hat),
        "posterior_variance": _mean(used.posterior), "posterior_variance_diagnosed": _mean((d - a) * a),
        "dfs": np.nan if empty else used.sensitivity.sum(), "dfs_ensemble": np.nan if empty else used.dfs_ensemble.sum(),
        "information": np.nan if empty else used.information.sum() / NATS_PER_BIT,
        "information_added": np.nan if empty else added_information(used.sensitivity).sum() / NATS_PER_BIT,
        "information_ensemble": np.nan if empty else used.information_ensemble.sum() / NATS_PER_BIT,
        "information_alone": np.nan if empty else shannon_information(used.whitened) / NATS_PER_BIT,
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else np.nan
