"""Threads of the numerical cores: how many by default, and what waiting ones do."""

from __future__ import annotations

import os

LOOKS = 40_000
"""How often a waiting thread looks for work before it sleeps: some four tenths of a millisecond. Regions that follow one another closely,
with a little Python between them, find it awake; waking it would take a good part of the shorter ones."""

BLAS_LOOKS = 20
"""The same for the threads of NumPy's matrix products, as the power of two of the processor's cycles (OpenBLAS; its own choice, 26, keeps
the other processor busy for some 20 ms after a product: an analysis that follows took twice as long on two threads)."""


def default_threads() -> int:
    """OMP_NUM_THREADS if it says so, else all processors that this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def let_waiting_threads_sleep() -> None:
    """Waiting threads soon sleep instead of spinning, unless the environment says otherwise: machines are often shared.

    Read when the libraries of OpenMP and OpenBLAS are loaded, so it must be called before NumPy or a numerical core is imported;
    processes that are started later inherit it. How soon is known to GNU's OpenMP alone; others sleep at once.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", str(BLAS_LOOKS))
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"
        os.environ.setdefault("GOMP_SPINCOUNT", str(LOOKS))
