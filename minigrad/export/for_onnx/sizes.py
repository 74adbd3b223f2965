"""Lengths of axes that are known only when a graph runs: polynomials of the sizes that have names."""

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

Term = tuple[str, ...]  # the names that are multiplied, in order; none for the constant


class NotFixedError(Exception):
    """What needed a number has got a size that has none yet."""


class Size:
    """A polynomial of named sizes with whole coefficients, which is no number before the graph runs.

    In each name alone it is linear: ``2 * batch * length + 1`` is one.
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Term, Any]) -> None:
        self.terms = dict(terms)

    def at(self, sizes: Mapping[str, int]) -> Any:
        """The number that it is for some sizes."""
        total = 0
        for names, factor in self.terms.items():
            for name in names:
                factor = factor * sizes[name]
            total = total + factor
        return total

    @property
    def factor(self) -> int:
        """The greatest whole number that all coefficients have as a factor; 1 if they are not whole."""
        whole = all(isinstance(factor, int) for factor in self.terms.values())
        return gcd(*self.terms.values()) if whole else 1

    def __add__(self, other: Any) -> Any:
        return added(self, other)

    def __sub__(self, other: Any) -> Any:
        return added(self, times(other, -1))

    def __rsub__(self, other: Any) -> Any:
        return added(other, times(self, -1))

    def __mul__(self, other: Any) -> Any:
        return times(self, other)

    def __neg__(self) -> Any:
        return times(self, -1)

    __radd__, __rmul__ = __add__, __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __index__(self) -> int:
        raise NotFixedError(self)

    def __float__(self) -> float:
        raise NotFixedError(self)

    def _compare(self, other: Any) -> bool:
        raise NotFixedError(self)

    __lt__ = __le__ = __gt__ = __ge__ = _compare
    __int__ = __bool__ = __index__

    def __repr__(self) -> str:
        words = []
        for names, factor in sorted(self.terms.items(), reverse=True):
            words.append("*".join([str(factor)] * (factor != 1 or not names) + list(names)))
        return " + ".join(words).replace("+ -", "- ")


class Inverse:
    """A floating-point number that is 1 over a polynomial of the sizes, as the factor of a mean is."""

    __slots__ = ("of",)

    def __init__(self, of: Size) -> None:
        self.of = of

    def at(self, sizes: Mapping[str, int]) -> float:
        """The number that it is for some sizes."""
        return 1 / float(self.of.at(sizes))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Inverse) and self.of == other.of

    def __hash__(self) -> int:
        return hash((1, self.of))

    def __repr__(self) -> str:
        return f"1 / ({self.of!r})"


def named(name: str) -> Size:
    """The size of this name."""
    return Size({(name,): 1})


def of_terms(terms: Mapping[Term, Any]) -> Any:
    """A size, or the number that it always is."""
    kept = {names: factor for names, factor in terms.items() if factor != 0}
    return Size(kept) if any(kept) else kept.get((), 0)


def added(a: Any, b: Any) -> Any:
    """The sum of two sizes or numbers."""
    terms = dict(_terms(a))
    for names, factor in _terms(b).items():
        terms[names] = terms.get(names, 0) + factor
    return of_terms(terms)


def times(a: Any, b: Any) -> Any:
    """The product of two sizes or numbers."""
    terms: dict[Term, Any] = {}
    for one, x in _terms(a).items():
        for two, y in _terms(b).items():
            names = tuple(sorted(one + two))
            terms[names] = terms.get(names, 0) + x * y
    return of_terms(terms)


def _terms(x: Any) -> Mapping[Term, Any]:
    return x.terms if isinstance(x, Size) else {(): x}


def solved(values: Sequence[Any], names: Sequence[str], pairs: Mapping[str, tuple[int, int]]) -> Any:
    """The size that has these values where each name has the one or the other size of its pair; None if none has.

    Parameters
    ----------
    values : sequence of int or float
        In the order of `itertools.product`, the last name changing fastest.
    names : sequence of str
    pairs : mapping of str to (int, int)
    """
    if not names:
        return values[0]
    half = len(values) // 2
    first, second = (solved(part, names[1:], pairs) for part in (values[:half], values[half:]))
    if first is None or second is None:
        return None
    start, end = pairs[names[0]]
    slope: dict[Term, Any] = {}
    for term, rise in _terms(added(second, times(first, -1))).items():
        by = rise / (end - start)
        if isinstance(rise, int):
            if rise % (end - start):
                return None
            by = rise // (end - start)
        slope[term] = by
    rate = of_terms(slope)
    return added(first, times(rate, added(named(names[0]), -start)))
