"""What a run does when something is wrong: refused, named, nothing lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import netCDF4
import pytest
from small_case import assert_same_bits, gcas, namelist_text

from gcas_driver.lock import case_lock


def test_a_second_run_is_refused(small_case):
    path = small_case()
    directory = path.parent / "case"
    directory.mkdir()
    with case_lock(directory):
        result = gcas("run", path)
    assert result.returncode == 2 and "another run works on this case" in result.stderr


def test_settings_changed_on_a_run_in_progress(reference_case, small_inputs, tmp_path):
    shutil.copytree(reference_case, tmp_path / "case", ignore=shutil.ignore_patterns("transport"))
    (tmp_path / "inputs").symlink_to(small_inputs / "inputs")
    path = tmp_path / "case.nml"
    path.write_text(namelist_text(analysis="near_km = 600.0"))
    result = gcas("run", path)
    assert result.returncode == 2 and "analysis.near_km: 500.0 → 600.0" in result.stderr
    assert gcas("run", path, "--accept").returncode == 2, "this change is not harmless"
    path.write_text(namelist_text() + "&output compression = 2 /\n")
    result = gcas("run", path)
    assert result.returncode == 2 and "--accept" in result.stderr and "output.compression: 1 → 2" in result.stderr
    assert gcas("run", path, "--accept").returncode == 0
    assert gcas("run", path).returncode == 0, "what was accepted once stays so"
    path.write_text(namelist_text() + "&output compression = 2 / &report title = 'x' /\n")
    assert gcas("run", path).returncode == 0, "a title is free"


@pytest.mark.parametrize("script, words", [
    ("import sys; sys.exit(7)", "exit code 7"),
    ("import time; time.sleep(60)", "too long"),
    ("pass", "history"),
])
def test_a_failing_model_is_retried_and_named(small_case, script, words):
    path = small_case()
    model = path.parent / "model.py"
    model.write_text(f"import pathlib\nopen({str(path.parent / 'calls')!r}, 'a').write('x')\n"
                     f"import sys\nif '--capabilities' in sys.argv: sys.exit(1)\n{script}\n")
    small_case(transport=f"model = 'command', command = '{sys.executable}', '{model}', '{{namelist}}', retries = 1, timeout_hours = 0.0002")
    result = gcas("run", path)
    assert result.returncode == 1, result.stderr
    assert words in result.stderr and "ensemble" in result.stderr
    assert len((path.parent / "calls").read_text()) == 3, "asked once what it can do, tried twice"
    entries = [json.loads(line) for line in (path.parent / "case" / "journal.jsonl").read_text().splitlines()]
    assert entries[-1]["event"] == "stopped" and not [e for e in entries if e["event"] == "window"]


def test_a_fault_in_the_second_window_loses_nothing(reference_case, small_case):
    """The model fails from the third run on; repaired, the run goes on to the same bits."""
    path = small_case()
    model = path.parent / "model.py"
    counter = path.parent / "calls"
    model.write_text(f"import os, sys\nopen({str(counter)!r}, 'a').write('x')\n"
                     f"if os.path.getsize({str(counter)!r}) > 3 and not os.path.exists({str(path.parent / 'repaired')!r}): sys.exit(9)\n"
                     "os.execv(sys.executable, [sys.executable, '-m', 'mozart_coupling.embedded.main', *sys.argv[1:]])\n")
    options = f"model = 'command', command = '{sys.executable}', '{model}', '{{namelist}}', mw_air = 28.9644, mw_co2 = 44.0095, retries = 0"
    small_case(transport=options)
    result = gcas("run", path)
    assert result.returncode == 1 and "exit code 9" in result.stderr
    status = json.loads(gcas("status", path, "--json").stdout)
    assert status["state"] == "stopped" and status["windows_done"] == 1 and "exit code 9" in status["last_error"]
    (path.parent / "repaired").touch()
    assert gcas("run", path).returncode == 0
    assert_same_bits(reference_case, path.parent / "case")


def test_bad_inputs_are_all_found_before_any_model_run(small_inputs, small_case):
    path = small_case()
    inputs = path.parent / "inputs"
    inputs.unlink()
    shutil.copytree(small_inputs / "inputs", inputs)
    (inputs / "prior" / "bio" / "emissions.bio.20100602.nc").unlink()
    truncated = inputs / "prior" / "ocn" / "emissions.ocn.20100601.nc"
    truncated.write_bytes(truncated.read_bytes()[:5000])
    (inputs / "prior" / "fire" / "emissions.fire.20100601.nc").write_text("not NetCDF")
    next((inputs / "gosat").glob("*100602*")).write_bytes(b"CDF\x01 nonsense")
    met = sorted((inputs / "met").glob("*20100602*"))[0]
    met.unlink()
    for command in ("check", "run"):
        result = gcas(command, path)
        said = result.stdout + result.stderr
        assert result.returncode == 2, said
        for name in ("emissions.bio.20100602.nc", "emissions.ocn.20100601.nc", "emissions.fire.20100601.nc", "100602", met.name):
            assert name in said, (command, name, said)
    assert not (path.parent / "case" / "transport").exists()


def test_check_of_a_good_case_tells_the_cost(small_case):
    result = gcas("check", small_case())
    assert result.returncode == 0, result.stdout
    for words in ("no problems found", "2 windows", "memory", "disk", "time", "Eurasia", "Global"):
        assert words in result.stdout
    path = small_case()
    assert not (path.parent / "case" / "transport").exists(), "a check runs nothing"


def test_missing_model_and_template_are_found_by_check(small_case):
    path = small_case(transport="model = 'command', command = './no_such_model', '{namelist}', namelist_template = 'absent.nml'")
    result = gcas("check", path)
    assert result.returncode == 2
    assert "./no_such_model" in result.stdout and "absent.nml" in result.stdout and "line" in result.stdout


def test_a_run_without_any_spread_is_a_named_error(small_case):
    path = small_case(state="lambda_bio = 0.0, lambda_ocn = 0.0")
    result = gcas("run", path)
    assert result.returncode == 1 and "spread" in result.stderr and "window 2010-06-01" in result.stderr


def test_a_disk_that_is_full_loses_nothing(reference_case, small_case):
    """File size limit in the place of a full disk: the write fails, the run stops with 1; without the limit it goes on."""
    path = small_case()
    limited = f"ulimit -f 200; exec {sys.executable} -m gcas_driver.cli run {path}"
    result = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, cwd="/")
    assert result.returncode in (1, -25, 153), result.stderr
    assert gcas("run", path).returncode == 0
    assert_same_bits(reference_case, path.parent / "case")


def test_nothing_in_the_files_depends_on_the_clock(reference_case):
    for path in (reference_case / "windows").glob("*/*.nc"):
        with netCDF4.Dataset(path) as data:
            said = " ".join(str(data.getncattr(name)) for name in data.ncattrs())
            assert "2026" not in said and "T0" not in said
