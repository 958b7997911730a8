"""`gcas demo`: a complete small synthetic experiment in one directory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mozart_coupling.netcdf import write_text

from ..config import load
from ..errors import SettingsError
from ..progress import Reporter
from .experiment import run_experiment

NAME = "demo.nml"
TRIED = "demo.check.nml"
SAID = ("", ".log", ".txt", ".out", ".err")
"""Endings of files that may be there before: the shell makes them for `gcas demo DIR > DIR/demo.log`."""
START = "2010-06-01"
WINDOW_DAYS = 7


@dataclass(frozen=True)
class DemoOptions:
    """What can be chosen on the command line; None: as the directory's demo.nml says, else the default."""

    windows: int | None = None
    members: int | None = None
    grid: str | None = None
    seed: int | None = None

    def filled(self) -> DemoOptions:
        """With the defaults in the place of None."""
        return DemoOptions(self.windows or 4, self.members or 40, self.grid or "128x64", 1 if self.seed is None else self.seed)


_TEMPLATE = """! A synthetic experiment, small enough for a laptop: prior fluxes, a truth that differs from them, GOSAT-like soundings and flasks at
! real sites are made first; then the fluxes are estimated from the soundings and compared with the truth and with the flasks, which
! are withheld. Written by `gcas demo`; `gcas osse {name}` in this directory does the same. All settings: docs/user/namelist.md.

&case
  name      = 'demo'
  directory = '.'                ! results appear beside this file
  seed      = {seed}                  ! of the perturbations
/

&time
  start = '{start}'
  days  = {days}                     ! {windows} windows
  window_days = {window_days}
/

&state
  scheme     = 'bio_ocn'         ! BIO and OCN are optimised, FOSSIL and FIRE kept: equation (3) of Jiang et al. (2021)
  members    = {members}
  lambda_bio = 3.0               ! one scaling factor per model cell and component, independent, as in the paper
  lambda_ocn = 5.0
  correlation_land_km  = 0.0     ! 800.0 with lambda_bio = 0.8: smoother and usually better
  correlation_ocean_km = 0.0
/

&analysis
  method  = 'ensrf'
  near_km = 500.0                ! the paper's two bands: nearer than this any correlation of the right sign counts,
  far_km  = 3000.0               ! up to here only a significant one
  p_value = 0.05
  taper   = 'gaspari-cohn'       ! and what counts fades with distance: with 40 members far pairs carry more noise than news
/

&initial
  uniform_ppm = 388.0            ! truth and prior start from one field
/

&prior
  component = 'bio',    directory = 'inputs/prior'
/
&prior
  component = 'ocn',    directory = 'inputs/prior'
/
&prior
  component = 'fossil', directory = 'inputs/prior'
/
&prior
  component = 'fire',   directory = 'inputs/prior'
/

&satellite
  product   = 'acos_lite'
  name      = 'gosat'
  directory = 'inputs/gosat'
  error_factor    = 2.8          ! the paper's 1.9 and 1 ppm, times 1.5: correlations from 40 members are noisy, and over
  error_floor_ppm = 1.5          ! independent cells that noise adds up like an error of the observations
/

&surface
  format    = 'noaa_flask'
  name      = 'flask'
  directory = 'inputs/flask'
  assimilate = .false.           ! compared with, not used
/

&transport
  model = 'embedded'             ! with its analytic circulation, since no met_directory is given
  grid  = '{grid}'
  levels = 28
  timestep = '30m'
/

&truth
  directory = 'inputs'           ! everything made for this experiment
  seed      = {seed}                  ! of prior, truth and observations
/
"""


def demo_namelist(options: DemoOptions) -> str:
    """The namelist of a demo."""
    chosen = options.filled()
    return _TEMPLATE.format(name=NAME, start=START, window_days=WINDOW_DAYS, days=WINDOW_DAYS * chosen.windows, windows=chosen.windows,
                            members=chosen.members, grid=chosen.grid, seed=chosen.seed)


def run_demo(directory: Path, options: DemoOptions, reporter: Reporter) -> dict:
    """Make, run and evaluate the demo in a directory, or continue it; returns the summary.

    Raises
    ------
    SettingsError
        An option is out of range, or contradicts the demo that was begun in the directory; or something else is in there.
    """
    path = directory / NAME
    if path.exists():
        _require_same(path, options)
    else:
        _require_empty(directory)
        _write_namelist(path, demo_namelist(options))
    return run_experiment(load(path), reporter)


def _require_empty(directory: Path) -> None:
    """A demo makes files of many names: it begins in a directory of its own, not among somebody's data or in the case of a run."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise SettingsError("the demo needs a directory", str(directory), "a file", "a new or an empty directory")
    others = sorted(p.name for p in directory.iterdir()
                    if not (p.name.startswith(".") or p.name == TRIED or p.is_file() and p.suffix in SAID))
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise SettingsError("the demo needs a directory of its own", str(directory.absolute()), ", ".join(others[:3]) + more,
                            f"a new or an empty directory, or one with the {NAME} of a demo that was begun", "choose another one")


def _write_namelist(path: Path, text: str) -> None:
    new_directory = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(TRIED)
    try:
        beside.write_text(text, encoding="utf-8")
        load(beside)
    except SettingsError:
        beside.unlink()
        if new_directory:
            path.parent.rmdir()
        raise
    beside.unlink()
    write_text(path, text)


def _require_same(path: Path, options: DemoOptions) -> None:
    """Options that were given must be those of the demo that was begun."""
    settings = load(path)
    begun = DemoOptions(settings.time.days // settings.time.window_days, settings.state.members, settings.transport.grid,
                        settings.case.seed)
    asked = replace(begun, **{name: value for name, value in vars(options).items() if value is not None})
    if asked != begun:
        wanted = ", ".join(f"{name} {getattr(begun, name)}" for name in vars(begun) if getattr(begun, name) != getattr(asked, name))
        given = ", ".join(f"{name} {getattr(asked, name)}" for name in vars(begun) if getattr(begun, name) != getattr(asked, name))
        raise SettingsError("another demo was begun in this directory", str(path), given, wanted,
                            "leave the options out, or take another directory")
