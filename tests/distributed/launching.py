"""Programs that are started several times at once by MPI's launcher."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

PROGRAMS = Path(__file__).parent / "programs"


def launcher():
    """The launcher beside this Python, or the system's; None if there is none, or no mpi4py."""
    beside = Path(sys.executable).parent / "mpiexec"
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    return found if importlib.util.find_spec("mpi4py") else None


REASON = "mpi4py or mpiexec is not installed (the extra `mpi`)"


class Outcome(NamedTuple):
    """How a launch ended."""

    status: int
    said: str
    errors: str
    seconds: float


def launched(program, ranks, *arguments, under_mpi4py=False, timeout=60, **environment):
    """Run a program on so many ranks, each with one BLAS thread."""
    how = ["-m", "mpi4py"] if under_mpi4py else []
    command = [launcher(), "-n", ranks, sys.executable, *how, PROGRAMS / f"{program}.py", *arguments]
    names = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    begun = time.monotonic()
    done = subprocess.run(
        [str(x) for x in command], env=names, capture_output=True, text=True, timeout=timeout, check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr, time.monotonic() - begun)
