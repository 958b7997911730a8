"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mozart_coupling.threads import let_waiting_threads_sleep

let_waiting_threads_sleep()  # before any test loads a numerical core
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real data files: `GCAS_TEST_DATA`, else `shared/data` beside or above the repository; skips without it."""
    named = os.environ.get("GCAS_TEST_DATA")
    candidates = [Path(named)] if named else [folder / "shared" / "data" for folder in (REPOSITORY.parent, REPOSITORY.parents[1])]
    for candidate in candidates:
        if (candidate / "MANIFEST.md").is_file():
            return candidate
    pytest.skip(f"real data are absent (no MANIFEST.md in {', '.join(map(str, candidates))}): set GCAS_TEST_DATA to their directory")
