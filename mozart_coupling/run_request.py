"""What a transport model can do, how it is called, and what a run of it is given."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mozart_coupling.constants import MOLAR_MASS_AIR, MOLAR_MASS_CO2
from mozart_coupling.dates import readable
from mozart_coupling.errors import CouplingError
from mozart_coupling.history import sample_history
from mozart_coupling.samples import SampleRequest, Samples, read_samples

ASKING_S = 60.0
EMBEDDED_COMMAND = (sys.executable, "-m", "mozart_coupling.embedded.main", "{namelist}")


@dataclass(frozen=True)
class Capabilities:
    """What a model can do beside MOZART-4's contract; nothing, unless it says so."""

    in_line_samples: bool = False
    components: bool = False
    history_off: bool = False
    any_tracer_count: bool = False
    threads: bool = False

    @classmethod
    def ask(cls, command: Sequence[str]) -> Capabilities:
        """Run `command --capabilities` (in an empty directory) and read its JSON; no sensible answer means none.

        A command is asked once in the life of a process, for at most a minute: the check of a run and the run itself share the answer.
        """
        return _answer(cls, tuple(word for word in command if "{namelist}" not in word))

    @property
    def any(self) -> bool:
        """Whether the model reads &GCAS_TRANSPORT at all."""
        return any(getattr(self, name) for name in self.__dataclass_fields__)


@lru_cache(maxsize=8)
def _answer(kind: type[Capabilities], words: tuple[str, ...]) -> Capabilities:
    with tempfile.TemporaryDirectory() as empty:
        try:
            answer = subprocess.run([*words, "--capabilities"], cwd=empty, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASKING_S,
                                    check=True)
            said = json.loads(answer.stdout)
            return kind(**{name: bool(said.get(name, False)) for name in kind.__dataclass_fields__})
        except (OSError, subprocess.SubprocessError, ValueError, AttributeError):
            return kind()


@dataclass(frozen=True)
class ModelSettings:
    """A transport model and how it is called: the same for all its runs.

    Attributes
    ----------
    command
        Words; `{namelist}` stands for the namelist's name. Never given to a shell.
    namelist_template
        A site's own namelist; None: GCAS's.
    tracer_units
        `mmr` (kg/kg) or `vmr` (mol/mol): what the model's history holds.
    sampling
        `inline` where the model can, or `history`.
    retries
        How often a failed run is tried again.
    timeout
        [s]; None: none.
    """

    command: Sequence[str] = EMBEDDED_COMMAND
    capabilities: Capabilities = field(default_factory=Capabilities)
    mw_air: float = MOLAR_MASS_AIR
    mw_co2: float = MOLAR_MASS_CO2
    tracer_units: str = "mmr"
    emission_tag: str = "T42LR"
    namelist_template: Path | None = None
    sampling: str = "inline"
    retries: int = 1
    timeout: float | None = None


@dataclass(frozen=True)
class RunRequest:
    """One run.

    Attributes
    ----------
    directory
        Run directory, the model's working directory; made if need be.
    start, end, first_start
        The run, and the start of the first window (`icdate`): datetime64 or s since 1970.
    restart
        Go on from the restart files of `start`, or begin with `initial_file`.
    data_directory, met_directory, met_prefix, met_date_format, emission_directory
        Inputs; the emission files, or components and factors, are in place already.
    sample_request
        What to sample; None or empty: nothing.
    history
        Write history files even where samples are taken in line.
    restart_frequency
        `daily`, `none` (only at the end), …; None: the template's, and `none` for a model that can do without history.
    mode, precision, boundary_layer, convection
        Of the embedded model, as in its `&GCAS_TRANSPORT`.
    timestep
        Such as `30m`; None: the template's.
    threads
        0: the system's choice.
    """

    directory: Path
    case: str
    start: object
    end: object
    first_start: object
    restart: bool
    tracers: tuple[str, ...]
    data_directory: Path
    met_directory: Path
    met_prefix: str
    initial_file: Path | None = None
    emission_directory: Path | None = None
    met_date_format: str = "yyyymmdd"
    sample_request: SampleRequest | None = None
    components_file: Path | None = None
    factors_file: Path | None = None
    history: bool = False
    history_precision: str = "single"
    restart_frequency: str | None = None
    mode: str = "linear"
    precision: str = "double"
    boundary_layer: bool = True
    convection: bool = True
    threads: int = 0
    timestep: str | None = None
    title: str = ""
    namelist_changes: Mapping[str, object] = field(default_factory=dict)
    timeout: float | None = None


@dataclass(frozen=True)
class PreparedRun:
    """A run directory made ready: what to start, and what it must leave behind."""

    request: RunRequest
    settings: ModelSettings
    start: int
    end: int
    namelist: Path
    log_file: Path
    progress_file: Path
    sample_file: Path | None
    history: bool

    @property
    def where(self) -> str:
        """How errors name the run."""
        return f"run {self.request.case}, {readable(self.start)} to {readable(self.end)}, in {self.request.directory}"

    @property
    def marker(self) -> Path:
        """A file whose date is that of the launch, by the clock that dates the output."""
        return self.request.directory / ".launched"

    def samples(self) -> Samples:
        """What was asked for, from the sample file or from the history.

        Raises
        ------
        CouplingError
            If nothing was asked for, or the files do not have it.
        """
        request, settings = self.request, self.settings
        if request.sample_request is None or not len(request.sample_request):
            raise CouplingError("no samples were asked for", self.where)
        if self.sample_file is not None:
            return read_samples(self.sample_file, request.tracers)
        return sample_history(request.directory, request.case, request.sample_request, request.tracers, settings.mw_air, settings.mw_co2,
                              settings.tracer_units)
