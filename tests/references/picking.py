"""Calls of functions that pick and write elements by index, in which minigrad is compared with PyTorch.

make_picking.py lets PyTorch compute them and writes picking.json; test_picking_references.py lets minigrad do so.  This
module needs neither.

A case is a name, operands, and keywords under minigrad's names.  Of its first result the gradients by all operands of
floating-point numbers are kept, each element having another weight, and of these gradients the gradients again.

Not among the cases is where PyTorch is no reference: a larger source than the index, extremes that an element of the
first operand equals which is not to be included (it counts, and its share is lost), and products with infinities.
"""

from typing import Any, NamedTuple

NAN, INF = float("nan"), float("inf")


class Case(NamedTuple):
    name: str
    operands: list[Any]
    options: dict[str, Any]


def _case(name: str, *operands: Any, **options: Any) -> Case:
    return Case(name, list(operands), options)


MATRIX = [[1.0, 5.0, 2.0], [4.0, 0.5, 3.0]]
INTO, INDEX, SOURCE = [1.0, 2.0, 4.0, 0.5], [0, 2, 0, 2, 2], [5.0, -7.0, 1.5, 3.0, 2.0]
ZEROS = [2.0, 0.0, 3.0, 0.0, 5.0]
ROWS, PLACES, FROM = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[0, 0], [2, 1]], [[7.0, 8.0, 9.0], [1.5, 2.5, 3.5]]

CASES = [
    *(
        _case("topk", x, k, largest=largest)
        for x in ([3.0, 1.0, 2.0, 5.0], [3.0, NAN, 1.0, 2.0], [-INF, INF, 0.0, 1.0])
        for k in (0, 1, 3, 4)
        for largest in (True, False)
    ),
    _case("topk", MATRIX, 2, axis=0),
    _case("topk", MATRIX, 2, axis=-1, largest=False),
    _case("topk", 3.0, 1),
    *(
        _case(name, x, axis=0)
        for name in ("cummax", "cummin")
        for x in ([1.0, 3.0, 3.0, 2.0], [1.0, NAN, 5.0, NAN, 0.0], [0.0, -0.0, 0.0], [INF, -INF, INF], MATRIX, 3.0, [])
    ),
    *(
        _case("logcumsumexp", x, axis=0)
        for x in ([1.0, -2.0, 3.0, 0.5], [1.0, -INF, 2.0], [900.0, -900.0, 901.0], MATRIX)
    ),
    _case("logcumsumexp", MATRIX, axis=1),
    _case("logcumsumexp", 0.5, axis=0),
    _case("scatter", INTO, [3, 0], [10.0, 20.0], axis=0),
    _case("scatter", ROWS, [[1, 0], [2, 1]], FROM, axis=1),
    _case("scatter", ROWS, [[1, 0, 1]], FROM, axis=0),
    _case("scatter", 1.0, 0, 5.0, axis=0),
    _case("scatter_add", INTO, INDEX, SOURCE, axis=0),
    _case("scatter_add", ROWS, PLACES, FROM, axis=1),
    *(
        _case("scatter_reduce", *operands, reduce=reduce, axis=axis, include_self=include_self)
        for reduce in ("sum", "prod", "mean", "amax", "amin")
        for include_self in (True, False)
        for *operands, axis in ((INTO, INDEX, SOURCE, 0), (ROWS, PLACES, FROM, 1))
    ),
    *(
        _case("scatter_reduce", x, [0, 0, 0, 1], source, reduce=reduce, axis=0, include_self=include_self)
        for reduce in ("amax", "amin")
        for x, source, include_self in (
            ([3.0, 1.0], [3.0, 3.0, 2.0, 1.0], True), ([-INF, INF], [-INF, 1.0, -INF, INF], True),
            ([2.5, 7.0], [3.0, 3.0, 2.0, 1.0], False),
        )
    ),
    *(
        _case("scatter_reduce", INTO, INDEX, x, reduce="prod", axis=0, include_self=include_self)
        for include_self in (True, False)
        for x in (ZEROS, [0.0, *SOURCE[1:]])
    ),
]  # fmt: skip


def weights(size: int, salt: int) -> list[float]:
    """Numbers that are all different."""
    return [round(0.3 + 0.7 * ((7 * i + salt) % 11) + 0.01 * i, 3) for i in range(size)]


def key(case: Case) -> str:
    return repr(tuple(case))


def is_integer(x: Any) -> bool:
    """Whether numbers, in lists or not, are integers."""
    while isinstance(x, list) and x:
        x = x[0]
    return isinstance(x, int)
