"""Which operations on elements share one loop.

An operation joins the last loop of its own shape that comes after all it depends on.  What is handed on within a loop,
element by element, is never written to memory, unless something else needs it.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeAlias

from minigrad.compiling.statements import (
    Accumulate,
    Assume,
    Branch,
    Buffer,
    Contract,
    Count,
    Map,
    Pick,
    Reduce,
    Repeat,
    Statement,
    View,
)

MOST = 80  # operations in one loop


class Group:
    """Operations on elements that are computed in one loop over a shape."""

    def __init__(self, first: Map) -> None:
        self.shape = first.out.shape
        self.maps: list[Map] = []
        self._places: dict[Buffer, set[Any]] = {}  # what is used of each buffer
        self.add(first)

    def add(self, statement: Map) -> None:
        """One more operation."""
        self.maps.append(statement)
        for x in views_of(statement):
            self._places.setdefault(x.buffer, set()).add(x.place)

    def fits(self, statement: Map) -> bool:
        """Whether an operation goes over the same elements."""
        return statement.out.shape == self.shape and len(self.maps) < MOST

    def is_aligned(self, buffer: Buffer, view: View) -> bool:
        """Whether all that is done with a buffer is done with these very elements."""
        places = self._places.get(buffer)
        return places is None or places == {view.place}


Unit: TypeAlias = Group | Statement


def grouped(statements: Sequence[Statement]) -> list[Unit]:
    """The statements in an order that gives the same, with operations on elements in groups."""
    units: list[Unit] = []
    writers: dict[Buffer, list[int]] = {}
    readers: dict[Buffer, list[int]] = {}
    for statement in statements:
        place = len(units)
        if isinstance(statement, Map):
            place = _place_of(statement, units, writers, readers)
        if place == len(units):
            units.append(Group(statement) if isinstance(statement, Map) else statement)
        else:
            group = units[place]
            assert isinstance(group, Group)
            assert isinstance(statement, Map)
            group.add(statement)
        for x in reads_of(statement):
            readers.setdefault(x.buffer, []).append(place)
        for x in writes_of(statement):
            writers.setdefault(x.buffer, []).append(place)
    return units


def _place_of(
    statement: Map,
    units: Sequence[Unit],
    writers: dict[Buffer, list[int]],
    readers: dict[Buffer, list[int]],
) -> int:
    """The number of the group that it joins, or of a new one."""
    shape = statement.out.shape
    earliest = 0
    for x in reads_of(statement):
        earliest = max(earliest, _after(units, writers.get(x.buffer, ()), x.spread(shape), statement))
    for table in (writers, readers):
        earliest = max(earliest, _after(units, table.get(statement.out.buffer, ()), statement.out, statement))
    if statement.out.buffer.kind == "given":  # what was changed for somebody else cannot be taken back
        earliest = max([earliest, *(place + 1 for place, unit in enumerate(units) if _fails(unit))])
    for place in range(len(units) - 1, earliest - 1, -1):
        unit = units[place]
        if isinstance(unit, Group) and unit.fits(statement):
            return place
    return len(units)


def may_fail(statement: Statement) -> bool:
    """Whether a kernel may give up at it."""
    return isinstance(statement, Assume | Pick | Count) or any(map(may_fail, inside(statement)))


def _fails(unit: Unit) -> bool:
    return not isinstance(unit, Group) and may_fail(unit)


def _after(units: Sequence[Unit], places: Sequence[int], view: View, statement: Map) -> int:
    """The first place at which the elements of a view may be used: that of the last use before, or after it."""
    least = 0
    for place in set(places):
        unit = units[place]
        inside = isinstance(unit, Group) and unit.fits(statement) and unit.is_aligned(view.buffer, view)
        least = max(least, place if inside else place + 1)
    return least


def reads_of(statement: Statement) -> Iterator[View]:
    """The views that a statement reads."""
    if isinstance(statement, Map | Contract):
        yield from (x for x in statement.inputs if isinstance(x, View))
    elif isinstance(statement, Reduce | Accumulate):
        yield statement.x
    elif isinstance(statement, Pick):
        yield from (places for places, _, _ in statement.places)
        yield statement.out if statement.writes else statement.x
        if statement.writes:
            yield statement.x  # what is not written to stays
    elif isinstance(statement, Count):
        yield from (statement.places, statement.weights, statement.out)
    elif isinstance(statement, Repeat | Branch):
        if statement.holds is not None:
            yield statement.holds
        for part in inside(statement):
            yield from reads_of(part)
            yield from writes_of(part)  # what is not written to at a step stays
        yield from _bases(statement)
    else:
        yield statement.x


def writes_of(statement: Statement) -> Iterator[View]:
    """The views that it writes to."""
    if isinstance(statement, Pick):
        yield statement.x if statement.writes else statement.out
    elif isinstance(statement, Map | Contract | Reduce | Accumulate | Count):
        yield statement.out
    else:
        for part in inside(statement):
            yield from writes_of(part)
            for x in writes_of(part):
                while x.buffer.base is not None:
                    x = x.buffer.base
                    yield x


def inside(statement: Statement) -> Sequence[Statement]:
    """The statements of a loop or a branch."""
    if isinstance(statement, Repeat):
        return (*statement.test, *statement.body)
    return (*statement.first, *statement.second) if isinstance(statement, Branch) else ()


def _bases(statement: Repeat | Branch) -> Iterator[View]:
    """What rows are parts of, and what says how many steps there are."""
    if isinstance(statement, Repeat) and statement.limit is not None:
        yield statement.limit
    for buffer in statement.rows if isinstance(statement, Repeat) else ():
        assert buffer.base is not None
        yield buffer.base


def views_of(statement: Map) -> Iterator[View]:
    """All views of an operation, as they are broadcast."""
    yield statement.out
    for x in reads_of(statement):
        yield x.spread(statement.out.shape)


def statements_of(unit: Unit) -> Collection[Statement]:
    """The statements of a unit."""
    return unit.maps if isinstance(unit, Group) else (unit,)
