"""The number of threads of NumPy's matrix products."""

import sys

import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, MissingPackageError


def test_the_number_is_set_for_the_process():
    pytest.importorskip("threadpoolctl")
    before = mg.get_num_threads()
    try:
        mg.set_num_threads(1)
        assert mg.get_num_threads() == 1
    finally:
        mg.set_num_threads(before)
    assert mg.get_num_threads() == before
    for wrong in (0, 1.5, "2"):
        with pytest.raises(ArgumentError, match="set_num_threads: n must be an integer of at least 1"):
            mg.set_num_threads(wrong)


def test_without_the_package_it_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    for call in (mg.get_num_threads, lambda: mg.set_num_threads(1)):
        with pytest.raises(MissingPackageError, match=r"extra `threads`.*OPENBLAS_NUM_THREADS"):
            call()
