"""``python -m tests.fuzz --graphs 20000 --seed 0``: random graphs against the reference, and a closing count."""

import argparse
import sys

from tests.fuzz.campaign import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--graphs", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--seed", type=int, default=0, help="which (0)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="the time after which to stop")
    parser.add_argument("--most", type=int, default=10, help="the number of disagreements after which to stop (10)")
    given = parser.parse_args()
    tally = run(given.graphs, given.seed, given.seconds, given.most, lambda text: print(text, "\n", flush=True))
    print(tally)
    return bool(tally.reports)


if __name__ == "__main__":
    sys.exit(main())
