"""Fixtures of the small synthetic case (`small_case.py`) and of the transport model's site (`transport_site.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_case import gcas, make_small_inputs, namelist_text
from spoiling import good_site, own_site  # noqa: F401
from transport_site import site  # noqa: F401


@pytest.fixture(scope="session")
def small_inputs(tmp_path_factory) -> Path:
    """A directory whose folder `inputs` holds meteorology, prior fluxes, truth and observations of two days."""
    directory = tmp_path_factory.mktemp("small")
    make_small_inputs(directory)
    return directory


@pytest.fixture
def small_case(small_inputs, tmp_path):
    """Makes a namelist for the small inputs in a directory of its own; returns its path."""
    (tmp_path / "inputs").symlink_to(small_inputs / "inputs")

    def make(file: str = "case.nml", **options) -> Path:
        path = tmp_path / file
        path.write_text(namelist_text(**options))
        return path

    return make


@pytest.fixture(scope="session")
def reference_case(small_inputs) -> Path:
    """The case's directory of an unbroken run."""
    path = small_inputs / "case.nml"
    path.write_text(namelist_text())
    result = gcas("run", path)
    assert result.returncode == 0, result.stderr
    return small_inputs / "case"
