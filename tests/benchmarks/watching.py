"""What it costs to know where in the program an operation was called, and to watch operations in other ways.

    python tests/benchmarks/watching.py
    python tests/benchmarks/watching.py --rounds 31

Rows are ratios to the same additions of four numbers, recorded and unwatched, in the same run: a lookup of the user's
line in every operation, as it would be if lines were always kept; `detect_anomaly`, which keeps them; `graph.profile`,
which keeps them with modules and times; and `graph.recording`.
"""

import argparse
import contextlib
import statistics
import sys
import time

import numpy as np

import minigrad as mg
from minigrad.graph.watching import Tracer

OPS = 2000
A = np.arange(4.0)


def additions():
    b = mg.tensor(A, requires_grad=True)
    y = b
    for _ in range(OPS):
        y = y + b
    return y


def note():
    """The least that a line costs: one frame up, its code and its instruction, in a tuple that a node would keep."""
    frame = sys._getframe(1)
    return frame.f_code, frame.f_lasti


def nothing():
    return None


def calls(function):
    kept = None
    for _ in range(OPS):
        kept = function()
    return kept


def seconds(work, manager=contextlib.nullcontext):
    start = time.perf_counter()
    with manager():
        work()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    rows = {"plain": [], "line always": [], "detect_anomaly": [], "graph.profile": [], "graph.recording": []}
    for _ in range(rounds + 1):
        plain = seconds(additions)
        looked_up = seconds(lambda: calls(note)) - seconds(lambda: calls(nothing))
        rows["plain"].append(1.0)
        rows["line always"].append((plain + looked_up) / plain)
        rows["detect_anomaly"].append(seconds(additions, mg.detect_anomaly) / plain)
        rows["graph.profile"].append(seconds(additions, Tracer) / plain)
        rows["graph.recording"].append(seconds(additions, mg.graph.recording) / plain)
    print(f"{'an addition, recorded':24}  of the unwatched one's time")
    for name, ratios in rows.items():
        print(f"{name:24}  {statistics.median(ratios[1:]):5.2f}")


if __name__ == "__main__":
    main()
