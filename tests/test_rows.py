"""Tests that loop over samples: which of them are called, and what is said of those that fail or are skipped."""

import pytest

from tests.needs import since_numpy
from tests.rows import each, first_name, named


def run(test, **fixtures):
    """The samples for which a test was called, and what came of it."""
    called = []
    try:
        each("x", [1, 2, 3])(lambda x, **given: called.append(x) or test(x, **given))(**fixtures)
    except (Exception, pytest.skip.Exception) as outcome:
        return called, outcome
    return called, None


def test_all_samples_are_tried_and_those_that_fail_are_named():
    def inverse(x):
        assert x != 1
        assert 1 / (x - 3)

    called, error = run(inverse)
    assert called == [1, 2, 3]
    assert type(error) is AssertionError
    assert error.__notes__ == ["in the sample x = 1 (1 of 3)", "and ZeroDivisionError in the sample x = 3 (3 of 3)"]


def test_what_pytest_says_of_a_missing_exception_is_a_failure():
    def harmless(x):
        with pytest.raises(ValueError, match="never"):
            pass

    with pytest.raises(pytest.fail.Exception) as caught:
        each("x", [1])(harmless)()
    assert caught.value.__notes__ == ["in the sample x = 1 (1 of 1)"]


def test_a_sample_is_skipped_after_the_others_were_tried():
    called, reason = run(lambda x: x == 1 and pytest.skip("not today"))
    assert called == [1, 2, 3]
    assert str(reason) == "not today in the sample x = 1 (1 of 3)"
    called, error = run(lambda x: pytest.skip("not today") if x == 1 else 1 / (3 - x))
    assert type(error) is ZeroDivisionError


def test_marks_of_samples():
    called = []
    new, old = since_numpy("99.0.0", "it is better"), since_numpy("1.0.0", "it is there")
    with pytest.raises(pytest.skip.Exception, match=r"since NumPy 99.0.0 it is better in the sample new \(1 of 3\)"):
        each("x", [pytest.param(1, id="new", marks=new), pytest.param(2, marks=old), 3])(lambda x: called.append(x))()
    assert called == [2, 3]
    with pytest.raises(AssertionError, match="cannot have the mark slow"):
        each("x", [pytest.param(1, marks=pytest.mark.slow)])(lambda x: None)()


def test_names_of_samples():
    with pytest.raises(ZeroDivisionError) as caught:
        each(("x", "y"), named({"good": (1, 2), "bad": (1, 0)}))(lambda x, y: x / y)()
    assert caught.value.__notes__ == ["in the sample bad (2 of 2)"]
    assert first_name("sum_to(x, axis=0)") == "sum_to"


def test_each_sample_has_its_own_directory_and_nothing_of_the_patches_of_others(tmp_path, monkeypatch):
    def write(x, tmp_path, monkeypatch):
        assert not hasattr(each, "patched")
        monkeypatch.setattr(each, "patched", x, raising=False)
        (tmp_path / "file").open("x").close()

    called, error = run(write, tmp_path=tmp_path, monkeypatch=monkeypatch)
    assert (called, error) == ([1, 2, 3], None)


@each("x", [1, 2, 3, 4], row=lambda x: "even" if x % 2 == 0 else "odd")
@each("y", [0, 2])
@pytest.mark.parametrize("z", [5])
def test_a_row_and_a_loop_and_a_parameter(request, x, y, z):
    assert request.node.name.endswith("[5-even]" if (x + y) % 2 == 0 else "[5-odd]")
    assert z == 5
