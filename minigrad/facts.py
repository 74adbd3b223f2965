"""What walks over a graph may know of an operation, beside its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from minigrad.errors.backward import no_such_kind

# What an operation does with the elements of its operands: each alone (after broadcasting); sums or other summaries of
# them; other places for them; a choice of them by index; sums of products; linear algebra of whole matrices; random
# numbers; something else.
Kind: TypeAlias = Literal[
    "elementwise", "reduction", "movement", "indexing", "contraction", "decomposition", "draw", "other"
]
# Floating-point operations: so many for each element of the first operand, or a function of operands, result and
# parameters.
Cost: TypeAlias = float | Callable[[Sequence[Any], Any, Mapping[str, Any]], float]


class Facts(NamedTuple):
    """What is said of an operation where it is defined.

    Attributes
    ----------
    kind : str
    commutative : bool
        Whether the operands may change places: the result is the same to the last bit.
    linear : bool
        Whether every element of the result is a sum of elements of the operands, with signs.
    cost : float or callable, optional
        Not said: 1 for each element of the result of an elementwise operation, and unknown for others.
    uncertain : bool
        Whether the cost depends on values, so that it can only be estimated.
    passes : sequence of int
        The operands whose gradient is the result's own, or a view of it, unless they were broadcast.
    view : bool
        Whether the result may share the memory of the first operand.
    saves : bool
        Whether the function returns, besides the value, something that the rule gets as `saved`; of an array it gets
        None where it is recorded itself.
    relays : bool
        Whether the value is that of the first operand, and the others only say where gradients go.
    acts : bool
        Whether it does something beside computing its result, such as raising an exception.
    trivial : bool
        Whether elements are handed on as they are: pictures show that without a box.
    advice : str
        What to write so that neither values nor derivatives are NaN or infinite.
    """

    kind: Kind = "other"
    commutative: bool = False
    linear: bool = False
    cost: Cost | None = None
    uncertain: bool = False
    passes: Sequence[int] = ()
    view: bool = False
    saves: bool = False
    relays: bool = False
    acts: bool = False
    trivial: bool = False
    advice: str = ""


def facts_of(name: str, said: Any, is_ufunc: bool) -> Facts:
    """The facts that were said of an operation by this name; a ufunc of NumPy's is elementwise."""
    facts = Facts(**{"kind": "elementwise" if is_ufunc else "other", **dict(said)})
    if facts.kind not in get_args(Kind):
        raise no_such_kind(name, facts.kind, get_args(Kind))
    return facts


EVERY = range(1 << 30)  # for `passes`: all operands, however many there are
