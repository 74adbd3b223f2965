"""The mistakes that `mutations.py` makes can be made: what it replaces is there."""

from tests.mutations import MUTATIONS, places
from tests.rows import each


def test_there_are_forty_of_them_at_least():
    assert len({(mutation.file, mutation.old) for mutation in MUTATIONS}) == len(MUTATIONS) >= 40


@each("mutation", MUTATIONS)
def test_the_text_of_a_mistake_stands_in_its_file_once(mutation):
    assert places(mutation) == 1
    assert mutation.new != mutation.old
