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
    """The directory of real data files: `GCAS_TEST_DATA`, else `../shared/data` beside the repository; skips without it."""
    for candidate in (os.environ.get("GCAS_TEST_DATA"), REPOSITORY.parent / "shared" / "data", REPOSITORY.parents[1] / "shared" / "data"):
        if candidate and (Path(candidate) / "MANIFEST.md").is_file():
            return Path(candidate)
    pytest.skip("real data are absent: set GCAS_TEST_DATA to their directory")
