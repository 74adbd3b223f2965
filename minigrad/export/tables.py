"""Whether a table has a row for each operation of a program."""

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.errors.exporting import no_counterpart
from minigrad.program.bodies import bodies_of
from minigrad.program.equations import Equation


def check_rows(target: str, equations: Sequence[Equation], table: Mapping[str, Any]) -> None:
    """Raise if an operation has no row, also in the bodies of loops and branches."""
    for equation in equations:
        made = equation.operation.primitive
        if made.facts.relays:
            continue
        if made.name not in table or not made.ours:
            raise no_counterpart(target, made.name, equation.place)
        for body in bodies_of(equation):
            check_rows(target, body.equations, table)
