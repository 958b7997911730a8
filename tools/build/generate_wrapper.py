"""Write the Python binding of Fortran face modules. Run by the build; nothing it writes is committed.

    generate_wrapper.py --package gcas_driver --module _analysis --output DIR FACE.f90 ...

writes into DIR

    _analysis.py                      the module people import
    _analysis_f90_wrap.f90            f90wrap's plain subroutines around the faces' routines
    _analysis_f90module.c             f2py's C around those; becomes the extension module _analysis_f90
    _analysis_f90_fortranobject.c     numpy's support code for it

From Python a routine is reached through the name of its Fortran module:

    from gcas_driver import _analysis
    status, message = _analysis.gcas_analysis_face.great_circle_distances(lon1, lat1, lon2, lat2, distance)
    assert status == _analysis.gcas_status.status_ok

* ``intent(in)`` scalars and arrays are arguments. Arrays of another dtype or order are copied silently.
* ``intent(inout)`` and ``intent(out)`` arrays are arguments too, in the Fortran order of the dummies: the caller
  allocates them, the routine writes into that memory. They must be Fortran-contiguous and of the exact dtype, else
  ``ValueError``. A C-ordered ``(n, m)`` array of Python is handed over as ``x.T`` to a dummy ``x(m, n)``.
* ``intent(out)`` scalars and strings are returned, in the order of the dummies; strings decoded and stripped.
* Parameters of a face are attributes: ``_analysis.gcas_status.status_ok``.
* The GIL is released during every call.

Rules for a face, checked here where that is possible: ``real(dp)``, ``real(sp)``, ``integer``, ``integer(i4)``,
``integer(i8)``, ``logical`` and ``character(len=<literal>)`` dummies only; arrays assumed-shape; name of the module
plus name of the routine at most 52 characters (Fortran's limit of 63 less f90wrap's prefix).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

KIND_MAP = {
    "real": {"dp": "double", "real64": "double", "8": "double", "sp": "float", "real32": "float", "4": "float"},
    "integer": {"i4": "int", "int32": "int", "4": "int", "i8": "long_long", "int64": "long_long", "8": "long_long"},
}
FORTRAN_NAME_LIMIT = 63
SUBROUTINE = re.compile(r"^subroutine (\w+)\(.*?[^&]$", re.MULTILINE | re.DOTALL)
EXPLICIT_SHAPE = re.compile(r"intent\s*\(\s*\w+\s*\)\s*::[^!]*?\w+\s*\(\s*(?!\s*:)[^)]", re.IGNORECASE)


def main(arguments: list[str] | None = None) -> int:
    """Generate the binding of one extension module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", required=True, help="Python package that will hold the module")
    parser.add_argument("--module", required=True, help="name of the module, such as _analysis")
    parser.add_argument("--output", required=True, type=Path, help="directory to write into")
    parser.add_argument("faces", nargs="+", type=Path, help="Fortran sources of the wrapped modules")
    options = parser.parse_args(arguments)

    output = options.output.resolve()
    faces = [face.resolve() for face in options.faces]
    for face in faces:
        check_face(face)

    # Both generators write into the current directory, and put the paths that they are given into what they write.
    work = output / f"{options.module}_generated"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    os.chdir(work)
    relative = [os.path.relpath(face, work) for face in faces]
    native = f"{options.module}_f90"
    Path("kind.map").write_text(repr(KIND_MAP))

    run("f90wrap", "-k", "kind.map", "--return-decoded", "--f90-mod-name", f"{options.package}.{native}",
        "-m", options.module, *relative)
    wraps = [Path(f"f90wrap_{face.name}") for face in faces]
    missing = [wrap.name for wrap in wraps if not wrap.exists()]
    if missing:
        raise SystemExit(f"generate_wrapper: f90wrap found nothing public to wrap: {', '.join(missing)} not written")
    combined = Path(f"{native}_wrap.f90")
    combined.write_text("".join(thread_safe(wrap.read_text()) for wrap in wraps))

    run("numpy.f2py", "-m", native, "--f2cmap", "kind.map", combined.name)
    for leftover in Path().glob(f"{native}-f2pywrappers*"):
        if leftover.read_text().strip():
            raise SystemExit(f"generate_wrapper: f2py wrote code into {leftover.name}, which the build does not "
                             "compile: a face has a function result or dummy that plain subroutines cannot carry")
    support = Path(sys.modules["numpy.f2py"].get_include()) / "fortranobject.c"
    shutil.copyfile(support, f"{native}_fortranobject.c")

    for name in (f"{options.module}.py", combined.name, f"{native}module.c", f"{native}_fortranobject.c"):
        shutil.copyfile(name, output / name)
    return 0


def check_face(face: Path) -> None:
    """Refuse dummies whose shape Fortran would not check: they corrupt memory instead of raising."""
    for number, line in enumerate(face.read_text().splitlines(), start=1):
        code = line.split("!", 1)[0]
        if EXPLICIT_SHAPE.search(code):
            raise SystemExit(f"{face.name}:{number}: explicit-shape dummy in a wrapped module; "
                             f"found '{code.strip()}', expected assumed shape such as x(:, :)")


def thread_safe(source: str) -> str:
    """Tell f2py to release the GIL in every subroutine of `source`."""
    def mark(match: re.Match[str]) -> str:
        if len(match.group(1)) > FORTRAN_NAME_LIMIT:
            raise SystemExit(f"generate_wrapper: {match.group(1)} is longer than {FORTRAN_NAME_LIMIT} characters: "
                             "shorten the name of the module or of the routine")
        return match.group(0) + "\n    !f2py threadsafe"

    return SUBROUTINE.sub(mark, source)


def run(module: str, *arguments: str) -> None:
    """Run a generator as `python -m module`; show what it said only when it fails."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(f"{done.stdout}\ngenerate_wrapper: {module} failed with status {done.returncode}")


if __name__ == "__main__":
    import numpy.f2py  # noqa: F401  (fails early, with a plain message, where numpy is missing)

    sys.exit(main())
