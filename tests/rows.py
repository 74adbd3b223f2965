"""A test is a row and loops over its samples: to start and report a test takes longer than most samples do."""

import functools
import inspect
import re

import pytest


def each(names, samples, *, row=None):
    """In place of ``pytest.mark.parametrize``: a test of many samples, which names those that fail.

    Parameters
    ----------
    names : str or tuple of str
        The arguments that make a sample.
    samples : iterable
        The values of each: as for ``pytest.mark.parametrize``, and with `pytest.param` where a sample has a name, or
        must be skipped.
    row : callable, optional
        Of the values of a sample, the name of its row.  There is a test for each row, with this name in brackets.
        Without it there is one test of all samples.

    Notes
    -----
    The samples of a row share the fixtures of the test, but for what would make one see those before it: each has a
    `tmp_path` of its own, and what it does by `monkeypatch` is undone after it.  Where a sample is skipped, the test is
    skipped, too, after all others have passed.
    """
    names = (names,) if isinstance(names, str) else names
    samples = list(samples)
    rows = {}
    for sample in samples if row else ():
        rows.setdefault(row(*_values(sample, names)), []).append(sample)
    argument = f"row_of_{names[0]}"

    def decorate(test):
        @functools.wraps(test)
        def loop(**fixtures):
            __tracebackhide__ = True
            _run(test, names, fixtures.pop(argument, samples), fixtures)

        others = [p for p in inspect.signature(test).parameters.values() if p.name not in names]
        if not row:
            loop.__signature__ = inspect.Signature(others)
            return loop
        others.append(inspect.Parameter(argument, inspect.Parameter.KEYWORD_ONLY))
        loop.__signature__ = inspect.Signature(others)
        return pytest.mark.parametrize(argument, rows.values(), ids=rows)(loop)

    return decorate


def named(samples):
    """The values of a dict as samples that are called by its keys."""
    return [pytest.param(*(x if isinstance(x, tuple) else (x,)), id=name) for name, x in samples.items()]


def first_name(text):
    """The name that a text begins with: for samples which are called by what they do, that of their row."""
    return re.match(r"\w+", text)[0]


NAMED = type(pytest.param())


def _values(sample, names):
    if isinstance(sample, NAMED):
        return sample.values
    return sample if len(names) > 1 else (sample,)


def _called(sample, names):
    """What a sample is called."""
    if isinstance(sample, NAMED) and sample.id:
        return sample.id
    return ", ".join(f"{name} = {_word(x)}" for name, x in zip(names, _values(sample, names), strict=True))


def _word(value):
    text = getattr(value, "__name__", None) or str(value)
    return text if len(text) <= 200 else f"{text[:200]} ..."


def _skip(sample):
    """Skip a sample if one of its marks says so."""
    for mark in sample.marks if isinstance(sample, NAMED) else ():
        assert mark.name == "skipif", f"a sample of a row cannot have the mark {mark.name}"
        if mark.args[0]:
            pytest.skip(mark.kwargs["reason"])


def _run(test, names, samples, fixtures):
    """Call a test for every sample; raise what the first one raised, with the names of all that failed."""
    __tracebackhide__ = True
    failed, skipped = [], []
    for number, sample in enumerate(samples, 1):
        try:
            _skip(sample)
            test(**_unused(fixtures, number), **dict(zip(names, _values(sample, names), strict=True)))
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
            place = f"in the sample {_called(sample, names)} ({number} of {len(samples)})"
            (skipped if isinstance(error, pytest.skip.Exception) else failed).append((error, place))
        finally:
            if "monkeypatch" in fixtures:
                fixtures["monkeypatch"].undo()
    if failed:
        (first, place), *others = failed
        first.add_note(place)
        for error, where in others:
            first.add_note(f"and {type(error).__name__} {where}")
        raise first
    if skipped:
        pytest.skip("; ".join(f"{reason} {place}" for reason, place in skipped))


def _unused(fixtures, number):
    """The fixtures, with a directory in which no other sample has written."""
    if "tmp_path" not in fixtures:
        return fixtures
    path = fixtures["tmp_path"] / str(number)
    path.mkdir()
    return fixtures | {"tmp_path": path}
