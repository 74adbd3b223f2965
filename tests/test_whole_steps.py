"""A step is whole or not at all, wherever an exception comes in the middle of it."""

import os
import signal
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim

MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "Adam": lambda p: optim.Adam(p, lr=0.1, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
    "Adamax": lambda p: optim.Adamax(p, lr=0.1),
    "NAdam": lambda p: optim.NAdam(p, lr=0.1),
    "RAdam": lambda p: optim.RAdam(p, lr=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.1, momentum=0.5, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "Adadelta": lambda p: optim.Adadelta(p, lr=0.1),
    "Rprop": lambda p: optim.Rprop(p, lr=0.1),
    "ASGD": lambda p: optim.ASGD(p, lr=0.1),
    "Lion": lambda p: optim.Lion(p, lr=0.1),
    "Adafactor": lambda p: optim.Adafactor(p, lr=0.1),
    "Muon": lambda p: optim.Muon(p, lr=0.1),
}


def started(make, steps, size=2):
    """Two parameters and their optimizer after so many steps, with gradients for the next."""
    parameters = [
        mg.tensor(np.ones((size, size)), requires_grad=True),
        mg.tensor(np.full((1, 2), 3.0)).requires_grad_(),
    ]
    optimizer = make(parameters)
    for number in range(steps + 1):
        if number:
            optimizer.step()
        for p in parameters:
            p.grad = np.sin(p.detach() * (number + 1.5))
    return optimizer, parameters


def seen(optimizer, parameters):
    return str([[p.tolist() for p in parameters], optimizer.state_dict()["state"]])


def interrupted(function, at):
    """Call a function and raise KeyboardInterrupt at one of the lines of it; whether it came to that."""
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        if event == "line":
            count += 1
            if count == at:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("steps", [0, 2])
def test_an_interrupt_at_any_line_leaves_the_old_or_the_new(make, steps):
    old = seen(*started(make, steps))
    optimizer, parameters = started(make, steps)
    optimizer.step()
    new = seen(optimizer, parameters)
    outcomes = []
    for at in range(1, 2000):
        optimizer, parameters = started(make, steps)
        if not interrupted(optimizer.step, at):
            break
        outcomes.append(seen(optimizer, parameters))
        assert outcomes[-1] in (old, new), at
        if outcomes[-1] == old:
            optimizer.step()
            assert seen(optimizer, parameters) == new, at
    assert {*outcomes} >= {old}
    assert len(outcomes) > 20


def test_an_error_in_an_update_leaves_the_old():
    class Failing(optim.SGD):
        def update(self, value, gradient, state, options):
            super().update(value, gradient, state, options)
            if value.shape == (1, 2):
                raise LookupError

    for steps in (0, 1):
        optimizer, parameters = started(lambda p: optim.SGD(p, lr=0.1, momentum=0.9), steps)
        before = seen(optimizer, parameters)
        memory = [p.data for p in parameters]
        optimizer.__class__ = Failing
        with pytest.raises(LookupError):
            optimizer.step()
        assert seen(optimizer, parameters) == before
        assert [p.data is m for p, m in zip(parameters, memory, strict=True)] == [True, True]


class Raising(optim.SGD):
    """Presses Ctrl-C in the middle of the step."""

    def update(self, value, gradient, state, options):
        if value.shape == (1, 2):
            signal.raise_signal(signal.SIGINT)
        super().update(value, gradient, state, options)


@pytest.fixture
def ctrl_c_raises():
    """As in a terminal: a process in the background may have been started with Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.usefixtures("ctrl_c_raises")
def test_ctrl_c_waits_for_the_end_of_a_step_of_many_numbers():
    handler = signal.getsignal(signal.SIGINT)
    for size, whole in ((40, True), (2, False)):
        optimizer, parameters = started(lambda p: Raising(p, lr=0.1), 0, size)
        before = [p.tolist() for p in parameters]
        with pytest.raises(KeyboardInterrupt):
            optimizer.step()
        assert [p.tolist() != old for p, old in zip(parameters, before, strict=True)] == [whole] * 2
        assert signal.getsignal(signal.SIGINT) is handler
    for other in (signal.SIG_IGN, lambda number, frame: None):
        signal.signal(signal.SIGINT, other)
        try:
            optimizer, _ = started(lambda p: Raising(p, lr=0.1), 0, 40)
            optimizer.step()
            assert signal.getsignal(signal.SIGINT) is other
        finally:
            signal.signal(signal.SIGINT, handler)


def test_other_threads_step_too():
    optimizer, parameters = started(lambda p: optim.Adam(p, lr=0.1), 0, 40)
    before = seen(optimizer, parameters)
    thread = threading.Thread(target=optimizer.step)
    thread.start()
    thread.join()
    assert seen(optimizer, parameters) != before
