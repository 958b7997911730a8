"""Meteorology of a step, from the met files to what the core wants."""

from __future__ import annotations

import numpy as np

from mozart_coupling.dates import DAY, calendar_date, readable, to_datetime64
from mozart_coupling.embedded.step import StepMet
from mozart_coupling.errors import MetError
from mozart_coupling.met import MetFiles

OPTIONAL = {"PBLH": "pblh", "SHFLX": "surface_heat_flux", "QFLX": "moisture_flux", "TAUX": "taux", "TAUY": "tauy", "TS": "ts", "ORO": "oro",
            "PHIS": "phis", "CMFMC": "cmfmc"}


class MetFeed:
    """Gives wind at mid-step, surface pressure at both ends, and what mixing needs.

    Parameters
    ----------
    files
        The daily files.
    start, end
        The run [s since 1970].
    mixing
        Whether to give what mixing needs.

    Raises
    ------
    MetError
        Everything that is wrong with the files of the run, in one error that begins with the first.
    """

    def __init__(self, files: MetFiles, start: int, end: int, mixing: bool) -> None:
        self.files = files
        #: threads that share the work; the values do not depend on it
        self.threads = 1
        self._require(start, end)
        self.grid = files.grid
        self.hyai, self.hybi = files.levels
        names = set(files.names)
        self.has_humidity = "Q" in names
        self._names = ["U", "V", *(name for name in ("T", "Q", *OPTIONAL) if mixing and name in names)]
        self._profile = [name for name in ("T", "Q") if name in names]
        self._ps_at = (-1, np.empty(0))
        self._step: dict[str, np.ndarray] = {}

    def surface_pressure(self, time: int) -> np.ndarray:
        """The met's surface pressure (nlat, nlon) [Pa]."""
        if self._ps_at[0] != time:
            self._ps_at = (time, self.files.fields_at(to_datetime64(time), ["PS"])["PS"])
        return self._ps_at[1]

    def surface_geopotential(self, time: int) -> np.ndarray:
        """PHIS (nlat, nlon) [m2 s-2]."""
        return self.files.fields_at(to_datetime64(time), ["PHIS"])["PHIS"]

    def profiles(self, time: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Temperature [K] and specific humidity [kg/kg] or None, each (nlev, nlat, nlon); valid until the next call, also of `step`, whose
        fields they take the place of."""
        fields = self.files.fields_at(to_datetime64(time), self._profile, self._step, self.threads)
        return fields["T"], fields.get("Q")

    def columns(self, time: int, ilat: np.ndarray, ilon: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """As `profiles`, but only in some cells (n,): each (n, nlev)."""
        fields = self.files.columns_at(to_datetime64(time), ilat, ilon, self._profile)
        return fields["T"], fields.get("Q")

    def step(self, start: int, end: int) -> StepMet:
        """Meteorology of the step from `start` to `end` [s since 1970]; its fields are valid until the next call, also of `profiles`."""
        middle = np.datetime64((start + end) * 500, "ms")
        ps_start = self.surface_pressure(start)
        fields = self._step = self.files.fields_at(middle, self._names, self._step, self.threads)
        day = calendar_date((start + end) // 2)
        return StepMet(fields["U"], fields["V"], ps_start, self.surface_pressure(end), fields.get("T"), fields.get("Q"),
                       seconds_of_day=0.5 * (start + end) % DAY, day_of_year=float(day.timetuple().tm_yday),
                       **{argument: fields.get(name) for name, argument in OPTIONAL.items()})

    def _require(self, start: int, end: int) -> None:
        problems = self.files.check(to_datetime64(start), to_datetime64(end), values=False)
        # The day before the start is part of the contract, but a run can do without it.
        before = str(self.files.path(to_datetime64(start - DAY).astype("datetime64[D]")))
        problems = [problem for problem in problems if not problem.where.startswith(before)]
        if problems:
            first = problems[0]
            more = f"{len(problems)} problems in all; the next: {problems[1].what} ({problems[1].where}). " if len(problems) > 1 else ""
            raise MetError(first.what, first.where, first.found, first.expected or f"meteorology from {readable(start)} to {readable(end)}",
                           more + first.advice)
