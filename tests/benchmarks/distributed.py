"""Several processes against unconnected ones, and how quickly a failure ends them all.

Run it with ``python tests/benchmarks/distributed.py``; it needs mpi4py and an MPI runtime (the extra `mpi`), and two
cores.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.distributed.launching import PROGRAMS, launched  # after the path is known

STEPS = PROGRAMS / "timing.py"


def seconds_of_a_step(ranks, connected, rows):
    """Of each rank, the median."""
    said = launched("timing", ranks, "together" if connected else "alone", rows, timeout=300).said
    return max(float(text) for text in re.findall(r"step ([\d.e-]+)", said))


def print_speeds():
    """Steps of two ranks against two copies that know nothing of each other, run at once, and against one process."""
    print("rows  step of one [ms]  two copies  two ranks  ratio  throughput")
    for rows in (256, 1024, 2048, 4096):
        pairs = [(seconds_of_a_step(2, True, rows), seconds_of_a_step(2, False, rows)) for _ in range(5)]
        one = min(seconds_of_a_step(1, False, rows) for _ in range(3))
        together, apart = min(a for a, _ in pairs), min(b for _, b in pairs)
        print(
            f"{rows:4}  {1e3 * one:16.2f}  {1e3 * apart:10.2f}  {1e3 * together:9.2f}  {together / apart:5.3f}  "
            f"{2 * one / together:10.2f}"
        )


def print_ends(times=20):
    """For each kind of failure, how many launches ended with a status other than 0, and the longest time it took."""
    for kind in ("exception", "kill", "shape", "dtype", "order", "end", "exit"):
        for under_mpi4py in (False, True):
            ended, longest = 0, 0.0
            for _ in range(times):
                try:
                    outcome = launched("failing", 2, kind, under_mpi4py=under_mpi4py, timeout=30)
                except subprocess.TimeoutExpired:
                    continue
                begun = float(re.search(r"at ([\d.]+)", outcome.said).group(1))
                ended += outcome.status != 0
                longest = max(longest, time.time() - begun)
            how = "python -m mpi4py" if under_mpi4py else "python"
            print(f"{kind:10} {how:17} {ended} of {times} ended, in {longest:.2f} s at most")


def print_kills(times=20):
    """Kills while checkpoints are being written: how many of the files load, and whether the run ends as one whole."""
    with tempfile.TemporaryDirectory() as folder:
        whole = launched("resuming", 2, Path(folder) / "whole.npz", 40, 64, timeout=60).said
        file = Path(folder) / "killed.npz"
        killed = 0
        for i in range(times):
            outcome = launched("resuming", 2, file, 40, 64, 0.03 + 0.011 * i, timeout=60)
            killed += outcome.status != 0
        same = launched("resuming", 2, file, 40, 64, timeout=60).said == whole
        print(f"{killed} of {times} runs were killed before their end; the last one gave the same bits: {same}")


if __name__ == "__main__":
    print_speeds()
    print_ends()
    print_kills()
