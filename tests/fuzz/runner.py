"""Runs faults over specimens; as a command, prints what failed: ``python -m fuzz.runner [NAME…]``, names as of specimens, or parts."""

from __future__ import annotations

import faulthandler
import itertools
import os
import pickle
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from formats import Specimen

from gcas_driver.errors import GcasError
from mozart_coupling.errors import CouplingError

from .byte_faults import byte_faults
from .fault import Fault
from .netcdf_faults import arrangement_faults, name_faults, type_faults, unit_faults
from .number_faults import number_faults, place_and_time_faults
from .oracle import Outcome, verdict
from .text_faults import text_faults
from .tree import load

NETCDF_FAULTS = (name_faults, type_faults, unit_faults, arrangement_faults, number_faults, place_and_time_faults)
LARGE = 4_000_000
"""Bytes; of larger files a quarter of the faults is tried, where not all are."""

SECONDS_A_CASE = 4
"""Of processor time, in a process of its own: the HDF5 library may never come back."""


@dataclass(frozen=True)
class Failure:
    """A fault that a reader did not take as it must."""

    specimen: str
    fault: Fault
    why: str

    def __str__(self) -> str:
        return f"{self.specimen} | {self.fault} | {self.why}"


def faults_of(specimen: Specimen, path: Path) -> Iterator[Fault]:
    """All faults that the file of a specimen can have."""
    yield from byte_faults(specimen.kind, path.stat().st_size)
    if specimen.kind in ("netcdf4", "netcdf3", "hdf5"):
        tree, form = load(path)
        for family in NETCDF_FAULTS:
            yield from family(tree, form)
    elif specimen.kind == "text":
        yield from text_faults(path.read_text())


def sample(faults: list[Fault], n: int) -> list[Fault]:
    """At most `n` faults, the same ones every time, of all families alike."""
    families: dict[str, list[Fault]] = {}
    for fault in faults:
        families.setdefault(fault.family, []).append(fault)
    shuffle = random.Random(11).shuffle
    for family in families.values():
        shuffle(family)
    turns = itertools.zip_longest(*families.values())
    return [fault for turn in turns for fault in turn if fault is not None][:n]


def run(specimen: Specimen, directory: Path, most: int = 0) -> tuple[int, list[Failure]]:
    """Faults of a specimen, at most `most` of them, 0: all; gives the number of cases and the failures.

    Raises
    ------
    AssertionError
        If the whole file cannot be read or gives nothing.
    """
    home = directory / "whole"
    home.mkdir(parents=True)
    path = specimen.write(home)
    whole = specimen.read(path)
    assert whole and all(len(values) for values in whole.values() if getattr(values, "ndim", 1)), f"{specimen.name}: nothing read"
    faults, failures = list(faults_of(specimen, path)), []
    most = most // 4 if path.stat().st_size > LARGE else most
    faults = sample(faults, most) if most else faults
    for n, fault in enumerate(faults):
        case = directory / f"case{n}"
        shutil.copytree(home, case)
        damaged = fault.damage(case / path.relative_to(home))
        outcome = (in_child if fault.in_child else _here)(specimen, damaged)
        why = verdict(fault, whole, outcome)
        if why:
            failures.append(Failure(specimen.name, fault, why))
        shutil.rmtree(case, ignore_errors=True)
    return len(faults), failures


def _here(specimen: Specimen, path: Path) -> Outcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Outcome(arrays=dict(specimen.read(path)))
        except (GcasError, CouplingError) as error:
            return Outcome(error=error)
        except Exception as error:  # noqa: BLE001 - whatever comes is the finding
            place = traceback.extract_tb(error.__traceback__)[-1]
            return Outcome(crash=f"{type(error).__name__}: {str(error)[:160]} ({Path(place.filename).name}:{place.lineno})")


def in_child(specimen: Specimen, path: Path) -> Outcome:
    """As `_here`, in a forked process: a crash of a library is an outcome too."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            faulthandler.disable()  # a crash is told by the status
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_A_CASE, SECONDS_A_CASE + 1))
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(_here(specimen, path), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Outcome(crash=f"the process died of {signal.Signals(os.WTERMSIG(status)).name}")
    return pickle.loads(content) if content else Outcome(crash="no answer")


def main(words: list[str]) -> int:
    """Print all failures of the specimens whose names contain one of the words."""
    from formats.registry import specimens

    total, bad = 0, 0
    for specimen in specimens():
        if words and not any(word in specimen.name for word in words):
            continue
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as directory:
            n, failures = run(specimen, Path(directory))
        total, bad = total + n, bad + len(failures)
        for failure in failures:
            print(failure)
        print(f"== {specimen.name}: {n} cases, {len(failures)} failures, {time.perf_counter() - started:.1f} s", flush=True)
    print(f"{total} cases, {bad} failures")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
