"""How many floating-point operations it takes to compute the nodes of a graph, from the shapes of their operands.

What is counted, for real numbers, is said by each operation (its fact `cost`):

- an elementwise function: 1 for each element of the result, whether it is a sum or a Bessel function;
- a sum, a mean, a maximum and other reductions: 1 for each element of the operand.  Variance, softmax and others that
  take several passes have as many for each element as they have passes;
- a product of matrices (m, k) and (k, n): ``2 m n k``, and correspondingly einsum (in the order of contraction that
  NumPy chooses) and convolution, where products with padding count too;
- decompositions, Fourier transforms, sorting: see `minigrad.ops.costs`;
- what only arranges, copies or selects elements: 0.

Complex numbers: a sum counts as 2, an elementwise function as 6 (the price of a product), and products of matrices and
decompositions as 4 times the real ones (LAPACK Working Note 41).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.core import Node, Operation


def is_known(op: Operation) -> bool:
    """Whether an operation says what it costs."""
    facts = op.primitive.facts
    return not facts.uncertain and (facts.cost is not None or facts.kind == "elementwise")


def flops(op: Operation, args: Sequence[Any], value: Any) -> int:
    """How many floating-point operations the computation of a value takes.

    Parameters
    ----------
    op : Operation
    args : sequence of array
        Its operands.
    value : array
        Its result.

    Returns
    -------
    int
        Of an operation that does not say it, the size of the result.
    """
    facts = op.primitive.facts
    is_complex = value.dtype.kind == "c" or any(getattr(x, "dtype", value.dtype).kind == "c" for x in args)
    if callable(facts.cost):
        of_matrices = facts.kind in ("contraction", "decomposition")
        return round(facts.cost(args, value, op.params) * (4 if is_complex and of_matrices else 1))
    count = value.size if facts.cost is None else np.size(args[0]) * facts.cost
    return int(count) * ((2 if facts.linear else 6) if is_complex and is_known(op) else 1)


def backward_flops(node: Node, forward: int) -> int:
    """About how many floating-point operations the gradients of a node's operands take.

    For each operand that has a gradient as many as the value took.  For products of matrices and convolutions that is
    exact: each of their gradients is a product of the same size.  For others it is the right order of magnitude.
    """
    assert node.op is not None
    made = node.op.primitive
    total, inputs = 0, node.parents()
    for place, (parent, rule) in enumerate(zip(inputs, made.rules_of(len(inputs)), strict=True)):
        if parent is not None and rule is not None:
            # The third operand of a product of matrices is a bias, whose gradient is a sum.
            total += node.value.size if made.facts.kind == "contraction" and place == 2 and made.rules else forward
    return total
