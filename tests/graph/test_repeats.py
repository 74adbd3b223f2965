"""What repeats itself in a sequence, against the definition, written out."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.graph.repeats import LEAST, Run, find_runs

# A sequence is a list of pairs: the kind of an item, and where its operands are.  The kind tells how many there are.


def items(length):
    def operands(kind, i):
        return st.tuples(st.just(kind), st.lists(st.integers(max(-2, i - 4), i - 1), min_size=kind, max_size=kind))

    return st.tuples(*[st.integers(0, 2).flatmap(lambda kind, i=i: operands(kind, i)) for i in range(length)])


sequences = st.integers(0, 24).flatmap(items)


def found_in(sequence):
    return find_runs([kind for kind, _ in sequence], [operands for _, operands in sequence])


def is_a_repetition(sequence, run, shared_from_before=False):
    """Whether each repetition is like the one before; what all share may be asked to be from before the first."""
    return all(
        are_alike(sequence, run.start + offset + run.period * before, run, before, shared_from_before)
        for before in range(run.times - 1)
        for offset in range(run.period)
    )


def are_alike(sequence, i, run, number, shared_from_before):
    """Whether item `i`, of the repetition with that number, is like the item one period later."""
    (kind, operands), (kind_later, operands_later) = sequence[i], sequence[i + run.period]
    begin = run.start + number * run.period
    if kind != kind_later:
        return False
    for p, q in zip(operands, operands_later, strict=True):
        if q >= begin + run.period or p >= begin:  # it is computed in the same repetition
            alike = q == p + run.period
        elif q < 0 or p < 0:
            alike = p == q or (q >= 0 and number == 0)
        else:
            shared = p == q and (q < run.start or not shared_from_before)
            alike = shared or q == p + run.period or number == 0
        if not alike:
            return False
    return True


@given(sequences)
def test_what_is_found_is_a_repetition(sequence):
    for run in found_in(sequence):
        assert run.times >= LEAST
        assert run.period >= 1
        assert 0 <= run.start < run.stop <= len(sequence)
        assert is_a_repetition(sequence, run), run


@given(sequences)
def test_runs_are_in_order_and_do_not_overlap(sequence):
    runs = found_in(sequence)
    assert all(one.stop <= other.start for one, other in pairwise(runs))


@given(sequences)
def test_what_is_not_found_is_not_there(sequence):
    """No repetition has all of its items outside of those that were found."""
    runs = found_in(sequence)
    taken = {i for run in runs for i in range(run.start, run.stop)}
    for period in range(1, len(sequence) // LEAST + 1):
        for start in range(len(sequence) - LEAST * period + 1):
            run = Run(start, period, LEAST)
            if taken.isdisjoint(range(run.start, run.stop)):
                assert not is_a_repetition(sequence, run, shared_from_before=True), run


@st.composite
def loops(draw):
    """A loop with something before and after it: the sequence, and the loop."""
    period, times = draw(st.integers(1, 6)), draw(st.integers(LEAST, 7))
    before, after = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    # Each item of the loop has a kind of its own; each operand is of this repetition, of the last, or from before.
    wiring = [draw(st.lists(st.integers(-before - 2, i - 1), min_size=1, max_size=2)) for i in range(period)]
    carried = draw(st.lists(st.integers(0, period - 1), max_size=2))
    sequence = [(100 + i, []) for i in range(before)]
    for time in range(times):
        begin = before + time * period
        for i, places in enumerate(wiring):
            operands = [begin + place if place >= 0 else before + place for place in places]
            if i == 0:
                operands += [begin - period + place if time else -1 for place in carried]
            sequence.append((i, operands))
    sequence += [(200 + i, []) for i in range(after)]
    return sequence, Run(before, period, times)


@given(loops())
def test_a_loop_is_found_from_its_first_to_its_last_repetition(sequence_and_loop):
    sequence, loop = sequence_and_loop
    assert found_in(sequence) == [loop]


def chained(*kinds):
    """Every item is computed from the one before."""
    return [(kind, [i - 1]) for i, kind in enumerate(kinds)]


@pytest.mark.parametrize("length", range(LEAST))
def test_too_few_repetitions_are_none(length):
    assert found_in(chained(*[1] * length)) == []


def test_equal_items_in_a_row():
    assert found_in(chained(*[1] * 50)) == [Run(0, 1, 50)]


def test_the_longest_period_has_its_own_loops_inside():
    inner = [0, 0, 0, 0, 1]
    assert found_in(chained(*inner * 6)) == [Run(0, 5, 6)]


def test_two_loops_in_a_row_are_both_found():
    # A pattern of (1, 0) reaches from the second loop into the first.
    runs = found_in(chained(*[2, 1] * 10, *[0, 1] * 10))
    assert runs == [Run(0, 2, 10), Run(20, 2, 10)] or runs == [Run(0, 2, 9), Run(19, 2, 10)]
    assert len(found_in(chained(*[1] * 9, *[2] * 9, *[3] * 9))) == 3


def test_half_a_repetition_at_the_end_does_not_count():
    assert found_in(chained(*[1, 2, 3] * 4, 1, 2)) == [Run(0, 3, 4)]


def test_the_first_repetition_takes_what_comes_from_before_the_loop():
    # x = sin(cos(x)) of something that was there
    assert found_in([(9, []), *[(kind, [i]) for i, kind in enumerate([1, 2] * 4)]]) == [Run(1, 2, 4)]
    # the same, of a leaf
    assert found_in(chained(*[1, 2] * 4)) == [Run(0, 2, 4)]


def test_the_first_repetition_must_be_wired_like_the_others_inside():
    # Of three items, the last is computed from the first, but once from the second.
    sequence = [(kind, [3 * time + place]) for time in range(5) for kind, place in ((0, -1), (1, 0), (2, 0))]
    assert found_in(sequence) == [Run(0, 3, 5)]
    sequence[2] = (2, [1])
    assert found_in(sequence) == [Run(2, 3, 4)]  # where that is of the repetition before


def test_an_operand_from_inside_the_first_repetition_is_not_one_from_before_the_loop():
    # In each repetition the second item is computed from the very first item of the sequence.
    sequence = [item for time in range(5) for item in ((0, [2 * time - 1]), (1, [0]))]
    assert all(is_a_repetition(sequence, run) for run in found_in(sequence))
    assert Run(0, 2, 5) not in found_in(sequence)


def test_what_stands_outside_must_be_of_the_same_kind():
    assert found_in([(0, [-5])] * 6) == [Run(0, 1, 6)]
    assert found_in([(0, [-5]), (0, [-7]), (0, [-5]), (0, [-7])]) == []
    assert found_in([(0, [-5]), *[(0, [-7])] * 5]) == [Run(1, 1, 5)]


def test_a_code_for_what_is_outside_is_no_distance():
    # Items may be computed from later ones where frames are interleaved; that is 2 away, and not the code -2.
    assert found_in([(0, [2]), (0, [-2]), (0, [4]), (0, [-2]), (0, [6]), (0, [-2])]) in ([], [Run(0, 2, 3)])


@pytest.mark.parametrize("shared", [0, 1, 7])
def test_operands_from_before_the_loop_are_the_very_same(shared):
    sequence = [*chained(9, 8, 7, 6, 5, 4, 3, 2), *[(0, [7 + i, shared]) for i in range(20)]]
    assert found_in(sequence)[-1].stop == 28
    assert found_in(sequence)[-1].times >= 19


def test_a_window_that_moves_is_a_repetition():
    # y[t] = y[t-1] + y[t-2]
    assert found_in([(0, [i - 1, i - 2]) for i in range(30)]) in ([Run(0, 1, 30)], [Run(1, 1, 29)], [Run(2, 1, 28)])


@pytest.mark.parametrize(
    "sequence",
    [
        chained(*[1, 2, 3, 4, 5, 6, 7] * 3000),
        chained(*np.random.default_rng(0).integers(0, 3, 20_000).tolist()),
        [(0, [int(i)]) for i in np.random.default_rng(0).integers(0, 20_000, 20_000)],
        chained(*[kind for n in range(1, 200) for kind in [1] * n + [2]]),
    ],
    ids=["loop", "random kinds", "random operands", "triangle"],
)
def test_long_sequences(sequence):
    for run in found_in(sequence):
        assert is_a_repetition(sequence, run)


def test_the_search_is_bounded():
    assert found_in([(i % 3, [i - 1]) for i in range(300_000)]) == [Run(0, 3, 100_000)]
    numbers = random.Random(0)
    runs = found_in([(numbers.randrange(1000), [i - 1]) for i in range(300_000)])
    assert sum(run.times * run.period for run in runs) < 1000
