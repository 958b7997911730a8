"""The command `gcas table5`: what the fluxes' changes have to do with drought, leaf area, weather."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from .ancillary import stream_of
from .config import load


def run_table5(arguments: argparse.Namespace) -> int:
    """Compute, write and print the table of a case's namelist."""
    settings = load(arguments.namelist)
    from .evaluation.table5 import table5, write_table5

    result = table5(settings.case_directory, [stream_of(group) for group in settings.ancillary], arguments.component)
    paths = write_table5(settings.case_directory / "report", result)
    console = Console(highlight=False)
    for found in result.comparisons:
        table = Table(title=f"Correlation of the {result.component.upper()} sink with {found.name} ({found.basis}, n = {len(found.times)})",
                      title_justify="left")
        for name in ("region", "prior", "p", "posterior", "p"):
            table.add_column(name, justify="left" if name == "region" else "right")
        for key in result.shown:
            i = result.keys.index(key)
            cells = [found.correlation["prior"][i], found.p_value["prior"][i], found.correlation["posterior"][i],
                     found.p_value["posterior"][i]]
            table.add_row(key, *("–" if v != v else f"{v:.2f}" for v in cells))
        console.print(table)
    for path in paths:
        print(path)
    return 0
