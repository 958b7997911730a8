"""The commands `gcas met …`: meteorology made from what users have, and looked at."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np

MOST_RECORDS = 124  # read for a report: a month of 6-hourly ones


def add_met_commands(commands: argparse._SubParsersAction) -> None:
    """Put `met ncep | era5 | era-interim | geos | check` on the command line."""
    met = commands.add_parser("met", help="Make meteorology in the transport model's file form, and look at it.")
    kinds = met.add_subparsers(dest="source_kind", required=True, metavar="SOURCE_KIND")
    text = "The NCEP June climatology (T42, 17 pressure levels) as met files of the given days and the one before and after them."
    ncep = kinds.add_parser("ncep", help=text, description=text)
    ncep.set_defaults(action=_ncep)
    ncep.add_argument("source", metavar="FILE", help="ncep_june_climatology_t42.nc")
    _add_target(ncep, "ncep_")
    ncep.add_argument("--levels", type=whole(3), default=28, metavar="N", help="the model's hybrid levels (28)")
    ncep.add_argument("--hours", type=int, choices=(3, 6), default=6, help="between two records (6)")
    for kind, text in (
        ("era5", "ERA5 as downloaded (NetCDF or GRIB; pressure levels, or model levels with lnsp) as met files of the given days."),
        ("era-interim", "ERA-Interim as downloaded (NetCDF or GRIB; 60 model levels or pressure levels) as met files of the given days."),
        ("geos", "MERRA-2 or GEOS-FP as downloaded (NetCDF, 72 levels with DELP) as met files of the given days."),
    ):
        command = kinds.add_parser(kind, help=text, description=text + " Which variables and times: docs/user/meteorology.md.")
        command.set_defaults(action=_reanalysis)
        command.add_argument("files", nargs="+", metavar="FILE", help="all files: any variables, in any order")
        _add_target(command, f"{kind.replace('-', '_')}_")
        command.add_argument("--levels", type=_levels, default=28, metavar="N|source",
                             help="the model's hybrid levels, or the source's own (28)")
        command.add_argument("--hours", type=int, choices=(3, 6), help="between two records (3 where the source has them)")
    text = "Look at met files: problems, the circulation's numbers, warnings, and a picture."
    check = kinds.add_parser("check", help=text, description=text)
    check.set_defaults(action=_check)
    check.add_argument("directory", metavar="DIR", help="where the met files are")
    check.add_argument("--prefix", default="", metavar="TEXT", help="what the files' names begin with (found if there is only one)")
    check.add_argument("--date-format", default="yyyymmdd", metavar="TEXT", help="the date in the files' names (yyyymmdd)")
    check.add_argument("--start", type=day, metavar="DATE", help="first day (that of the first file)")
    check.add_argument("--end", type=day, metavar="DATE", help="last day (that of the last file)")
    check.add_argument("--picture", metavar="PNG", help="where the picture goes (DIR/<prefix>check.png)")


def _add_target(command: argparse.ArgumentParser, prefix: str) -> None:
    command.add_argument("directory", metavar="DIR", help="where the met files go")
    command.add_argument("--start", type=day, required=True, metavar="DATE", help="first day, such as 2010-06-01")
    command.add_argument("--end", type=day, required=True, metavar="DATE", help="the day after the last one")
    command.add_argument("--prefix", type=_file_prefix, default=prefix, metavar="TEXT", help=f"what the files' names begin with ({prefix})")
    command.add_argument("--grid", default="128x64", metavar="NxM", help="the model's grid (128x64)")


def _ncep(arguments: argparse.Namespace) -> int:
    from mozart_coupling.embedded.levels import hybrid_levels
    from mozart_coupling.grids import Grid
    from mozart_coupling.met_convert import convert_ncep_climatology

    from .progress import Reporter

    reporter = Reporter()
    with reporter.screen(), reporter.bar("met files") as advance:
        paths = convert_ncep_climatology(arguments.source, arguments.directory, arguments.prefix, Grid.named(arguments.grid),
                                         *hybrid_levels(arguments.levels), arguments.start, arguments.end, arguments.hours,
                                         progress=lambda done, total: advance(done / total))
    _say_where(paths, arguments)
    return 0


def _reanalysis(arguments: argparse.Namespace) -> int:
    from mozart_coupling.embedded.levels import hybrid_levels
    from mozart_coupling.grids import Grid
    from mozart_coupling.reanalysis.convert import convert_reanalysis

    from .progress import Reporter

    grid = Grid.named(arguments.grid)
    levels = None if arguments.levels == "source" else hybrid_levels(arguments.levels)
    reporter = Reporter()
    with reporter.screen(), reporter.bar("met files") as advance:
        result = convert_reanalysis(arguments.source_kind, arguments.files, arguments.directory, arguments.prefix, grid, levels,
                                    arguments.start, arguments.end, arguments.hours, progress=lambda done, total: advance(done / total))
    print(*result.notes, sep="\n")
    _say_where(result.paths, arguments)
    return 0


def _say_where(paths: list[Path], arguments: argparse.Namespace) -> None:
    print(f"{len(paths)} met files, {paths[0].name} … {paths[-1].name}; in a namelist:")
    print(f"&transport\n  met_directory = '{Path(arguments.directory)}', met_prefix = '{arguments.prefix}'\n/")


def _check(arguments: argparse.Namespace) -> int:
    from mozart_coupling.met import MetFiles
    from mozart_coupling.met_sanity import days_of, measure, report, spread, warnings_of

    from .report.met_picture import draw_climate

    directory = Path(arguments.directory)
    prefix, days = days_of(directory, arguments.prefix, arguments.date_format)
    first, last = (np.datetime64(arguments.start or days[0], "D"), np.datetime64(arguments.end or days[-1], "D"))
    with MetFiles(directory, prefix, arguments.date_format) as files:
        problems = files.check(first + 1, last.astype("datetime64[s]") + np.timedelta64(18, "h"))
        for problem in problems:
            print(f"problem: {problem}")
        if problems:
            print(f"{len(problems)} problems: no picture of files that no run can use")
            return 2
        climate = measure(files.grid, files.levels, files.fields_at, spread(files.record_times(first, last), MOST_RECORDS))
    print(*report(climate), sep="\n")
    for warning in warnings_of(climate):
        print(f"warning: {warning}")
    picture = Path(arguments.picture or directory / f"{prefix}check.png")
    draw_climate(climate, picture, prefix.rstrip("_."))
    print(picture)
    return 0


def whole(least: int) -> Callable[[str], int]:
    """A type of arguments: whole numbers of at least `least`."""
    def convert(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)
    return convert


def day(text: str) -> np.datetime64:
    """A type of arguments: days."""
    try:
        return np.datetime64(datetime.date.fromisoformat(text), "s")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2010-06-01") from None


def _levels(text: str) -> int | str:
    return text if text == "source" else whole(3)(text)


def _file_prefix(text: str) -> str:
    if not text or "/" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not the beginning of a file name")
    return text
