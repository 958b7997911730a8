"""The command `gcas import`."""

from __future__ import annotations

from pathlib import Path

from gcas_driver.config import load
from gcas_driver.errors import SettingsError
from mozart_coupling.netcdf import write_text

from .namelist import read
from .translation import Translation, translate


def import_namelist(source: Path, target: Path | None) -> Path:
    """Write a namelist of GCAS for a namelist of GCASv2, and say what could not be taken over.

    Parameters
    ----------
    source : Path
        GCASv2's namelist.
    target : Path or None
        Where to write; None: the source's name with `_gcas` behind it, in the working directory.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    SettingsError
        For a source that cannot be used, with every problem by line, or a target that exists.
    """
    old = read(source)
    target = target or Path(f"{source.stem}_gcas.nml")
    if target.exists():
        raise SettingsError("there is such a file already", str(target), "", "a new name", "choose another one with -o, or remove it")
    if not target.absolute().parent.is_dir():
        raise SettingsError("no such directory", str(target.absolute().parent), "", "a directory that exists")
    result = translate(old, target)
    write_text(target, result.text)
    load(target)  # what is written must be a namelist of GCAS
    _tell(result, target)
    return target


def _tell(result: Translation, target: Path) -> None:
    for title, items in (("taken over:", result.taken), ("documented nowhere, look at these:", result.doubtful),
                         ("without a counterpart:", result.left), ("the directories:", result.found)):
        if items:
            print(title)
            print("\n".join(f"  {item}" for item in items))
    print(f"{target} is written. Next: gcas check {target}")
