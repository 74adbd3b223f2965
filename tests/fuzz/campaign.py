"""Draws programs, examines them, and keeps count."""

import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.fuzz.checks import Unsure, examine, ways_for
from tests.fuzz.programs import Operation, draw
from tests.fuzz.shrinking import report
from tests.fuzz.table import FAMILIES


@dataclass
class Tally:
    """What came of a number of programs."""

    graphs: int = 0
    unsure: int = 0
    seconds: float = 0.0
    operations: Counter[str] = field(default_factory=Counter)
    reports: list[str] = field(default_factory=list)  # a program to run for each disagreement

    def __str__(self) -> str:
        steps = self.operations.total()
        return (
            f"{self.graphs} random graphs of {steps} steps, by {len(self.operations)} operations: "
            f"{len(self.reports)} disagree with the reference, {self.unsure} too sensitive to rounding to tell; "
            f"{self.seconds:.1f} s, {self.graphs / max(self.seconds, 1e-9):.0f} graphs a second"
        )


def run(
    graphs: int,
    seed: int,
    seconds: float = float("inf"),
    most: int = 10,
    tell: Callable[[str], None] = lambda text: None,
    families: Sequence[Sequence[Operation]] = FAMILIES,
) -> Tally:
    """Examine programs until there were enough of them, or of disagreements, or the time is up."""
    tally, start = Tally(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)  # such as: nll_loss of what softmax gave
        for index in range(graphs):
            program = draw(seed, index, families)
            tally.graphs += 1
            tally.operations.update(step.operation.name for step in program.steps)
            try:
                disagreement = examine(program, ways_for(index))
            except Unsure:
                tally.unsure += 1
                continue
            if disagreement is not None:
                tally.reports.append(f"# graph {index} of seed {seed}\n{report(program, disagreement)}")
                tell(tally.reports[-1])
            tally.seconds = time.perf_counter() - start
            if tally.seconds > seconds or len(tally.reports) >= most:
                break
    return tally
