"""The table's rows: what is run, what others have published for it, and how the two are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .twin import Settings

LOST = 0.01
"""A seed has lost the truth if a larger share of its cycles are bursts."""

LOST_ALLOWED = 1 / 8
"""Share of the seeds that a row with a gate may lose: some truths have a moment that no filter with so little inflation survives."""

GATE_GLOBAL, GATE_LOCAL = 28, 10
"""Members from which on a row is expected to agree; smaller ensembles lose the truth in some runs."""


@dataclass(frozen=True)
class Case:
    """A row.

    Attributes
    ----------
    name : str
        Key on the command line and in results.
    settings : Settings or None
        The ensemble filter; None: the baseline of this name.
    published : str
        Published RMSE, as printed; empty: none.
    published_error : float
        Its own uncertainty where one is stated.
    variant_of : str
        A case that differs in one convention, whose seeds this one is compared with.
    reruns : tuple of float
        RMSE of single runs of the publisher's own code (`tools/lorenz96_dapper`), where the printed digit is in doubt: they decide.
    """

    name: str
    settings: Settings | None = None
    published: str = ""
    published_error: float = 0.0
    variant_of: str = ""
    reruns: tuple[float, ...] = ()

    @property
    def gated(self) -> bool:
        """Whether the row is expected to agree with what is published."""
        if self.settings is None or not self.published:
            return False
        return self.settings.members >= (GATE_GLOBAL if self.settings.radius is None else GATE_LOCAL)

    @property
    def half_unit(self) -> float:
        """Half a unit of the published value's last printed digit."""
        return 0.5 * 10.0 ** -len(self.published.partition(".")[2])


CASES = (
    Case("climatology", published="3.6"),
    Case("optimal-interpolation", published="0.95"),
    Case("3d-var", published="0.41"),
    Case("extended-kalman", published="0.24"),
    Case("extended-kalman-tangent", variant_of="extended-kalman"),
    Case("ensrf-28-rotated", Settings("ensrf", 28, 1.02, rotate=True), "0.18"),
    Case("ensrf-17", Settings("ensrf", 17, 1.06), "0.225"),
    Case("etkf-17", Settings("letkf", 17, 1.03), "0.217"),
    Case("etkf-24-rotated", Settings("letkf", 24, 1.013, rotate=True), "0.18"),
    Case("etkf-20-rotated", Settings("letkf", 20, 1.04, rotate=True), "0.20"),
    Case("letkf-7-r4-rotated", Settings("letkf", 7, 1.04, 4.0, rotate=True), "0.22"),
    Case("letkf-10-r4-rotated", Settings("letkf", 10, 1.02, 4.0, rotate=True), "0.21"),
    Case("letkf-10-r6-rotated", Settings("letkf", 10, 1.04, 6.0, rotate=True), "0.20"),
    Case("letkf-10-r10-rotated", Settings("letkf", 10, 1.10, 10.0, rotate=True), "0.22",
         reruns=(0.2251, 0.2305, 0.2266, 0.2329, 0.2282, 0.2273, 0.2296, 0.2277)),  # DAPPER 1.7.1, seeds 3000 to 3007
    Case("letkf-10-r5", Settings("letkf", 10, 1.03, 5.0), "0.202", 0.003),
    Case("letkf-28-r10", Settings("letkf", 28, 1.02, 10.0), "0.185", 0.003),
    Case("letkf-40-r10", Settings("letkf", 40, 1.01, 10.0), "0.180", 0.003),
    Case("ensrf-7-r6-rotated", Settings("ensrf", 7, 1.07, 6.0, rotate=True), "0.23"),
    Case("ensrf-28-rotated-plain", Settings("plain", 28, 1.02, rotate=True), variant_of="ensrf-28-rotated"),
    Case("etkf-24-rotated-plain", Settings("plain", 24, 1.013, rotate=True), variant_of="etkf-24-rotated"),
    Case("ensrf-28-rotated-given-order", Settings("ensrf", 28, 1.02, rotate=True, shuffle=False), variant_of="ensrf-28-rotated"),
    Case("ensrf-28-rotated-prior-inflation", Settings("ensrf", 28, 1.02, rotate=True, inflate_prior=True), variant_of="ensrf-28-rotated"),
    Case("ensrf-17-given-order", Settings("ensrf", 17, 1.06, shuffle=False), variant_of="ensrf-17"),
    Case("letkf-10-r6-rotated-prior-inflation", Settings("letkf", 10, 1.04, 6.0, rotate=True, inflate_prior=True),
         variant_of="letkf-10-r6-rotated"),
    Case("letkf-10-r10-rotated-plain", Settings("plain", 10, 1.10, 10.0, rotate=True), variant_of="letkf-10-r10-rotated"),
    Case("letkf-10-r10-rotated-pairs", Settings("letkf", 10, 1.10, 10.0, rotate=True, pairs=True), variant_of="letkf-10-r10-rotated"),
    Case("letkf-10-r6-rotated-pairs", Settings("letkf", 10, 1.04, 6.0, rotate=True, pairs=True), variant_of="letkf-10-r6-rotated"),
)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Mean over seeds and its standard error; NaN for the error of one seed."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


@dataclass(frozen=True)
class Outcome:
    """A row's scores over the seeds.

    Attributes
    ----------
    case : Case
        The row.
    rmse, error : float
        Mean over the seeds that kept the truth (over all if none did), its standard error.
    spread : float
        Mean analysed spread, of the same seeds.
    lost, seeds : int
        Seeds that lost the truth, of all seeds.
    bursts : float
        Share of all cycles with an RMSE above 1.
    """

    case: Case
    rmse: float
    error: float
    spread: float
    lost: int
    seeds: int
    bursts: float

    @classmethod
    def of(cls, case: Case, rows: list[dict]) -> Outcome:
        """From the results of all seeds."""
        bursts = np.array([row["bursts"] for row in rows])
        lost = bursts > LOST if case.settings else np.zeros(len(rows), bool)
        used = [row for row, out in zip(rows, lost, strict=True) if not out] or rows
        rmse, error = mean_and_error(np.array([row["rmse"] for row in used]))
        return cls(case, rmse, error, float(np.mean([row["spread"] for row in used])), int(lost.sum()), len(rows), float(bursts.mean()))

    @property
    def verdict(self) -> str:
        """Whether |difference| < 3 standard errors + half a unit of the last printed digit; of reruns: < 3 standard errors of both."""
        if not self.case.published:
            return ""
        if np.isnan(self.error):
            return "one seed: none"
        difference = abs(self.rmse - float(self.case.published))
        tolerance = 3 * self.error + self.case.half_unit
        if self.case.reruns:
            mean, error = mean_and_error(np.array(self.case.reruns))
            excess = abs(self.rmse - mean) - 3 * float(np.hypot(self.error, error))
            printed = "" if difference < tolerance else f", {difference - tolerance:.4f} beyond the printed digit"
            return (f"misses DAPPER's reruns by {excess:.4f}" if excess > 0 else "agrees with DAPPER's reruns") + printed
        if difference < tolerance:
            return "agrees"
        if difference < tolerance + self.case.published_error:
            return f"agrees within its ±{self.case.published_error:g}"
        return f"misses by {difference - tolerance:.4f}"

    @property
    def fails(self) -> bool:
        """Whether a row with a gate does not agree, or loses too many seeds."""
        return self.case.gated and (self.verdict.startswith("misses") or self.lost > LOST_ALLOWED * self.seeds)
