"""Blocks that change the mode: Ctrl-C anywhere, coroutines, generators, threads; afterwards the mode is what it was."""

import asyncio
import contextvars
import sys
import threading
import warnings
from contextlib import ExitStack

import numpy as np
import pytest

import minigrad as mg
from minigrad.settings import unusual
from tests.rows import each


class _Stop:
    """Raises KeyboardInterrupt before the n-th line that runs in functions of these names."""

    def __init__(self, names, n):
        self.names, self.left, self.fired = names, n, False

    def __enter__(self):
        self.outer = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *exception):
        sys.settrace(self.outer)

    def trace(self, frame, event, _):
        if frame.f_code.co_name not in self.names or not frame.f_globals["__name__"].startswith("minigrad."):
            return None
        self.left -= not self.fired
        if self.left < 0 and not self.fired:
            self.fired = True
            raise KeyboardInterrupt
        return self.trace


BLOCKS = {
    "no_grad": mg.no_grad,
    "enable_grad": mg.enable_grad,
    "detect_anomaly": mg.detect_anomaly,
    "recording": mg.graph.recording,
    "profile": mg.graph.profile,
    "growth": mg.graph.growth,
}


def _settings():
    x = mg.tensor(1.0, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mg.log(x - 1.0)  # an error under detect_anomaly
    return mg.is_grad_enabled(), (x * 2).requires_grad, len(unusual)


@each("inner", BLOCKS)
@each("outer", BLOCKS)
def test_ctrl_c_at_the_beginning_or_end_of_nested_blocks_leaves_the_mode_that_was(outer, inner):
    for names in ({"__enter__"}, {"__exit__"}):
        for n in range(1000):
            caught = None
            stop = _Stop(names, n)
            try:
                with BLOCKS[outer](), stop, BLOCKS[inner]():
                    pass
            except KeyboardInterrupt as error:
                caught = error.with_traceback(None)
            assert _settings() == (True, True, 0), f"stopped before line {n} of {names}"
            assert stop.fired == (caught is not None)
            if not stop.fired:
                break
        else:
            pytest.fail("it never ended")


@pytest.mark.parametrize("inner", BLOCKS)
def test_an_outer_block_restores_the_mode_while_somebody_holds_the_traceback(inner):
    with pytest.raises(KeyboardInterrupt) as held, mg.no_grad(), _Stop({"__exit__"}, 0), BLOCKS[inner]():
        pass
    assert _settings() == (True, True, 0)
    assert held.value.__traceback__ is not None


def test_ctrl_c_at_the_end_of_the_outermost_block_counts_when_the_exception_is_gone():
    try:
        with _Stop({"__exit__"}, 0), mg.no_grad():
            pass
    except KeyboardInterrupt:
        pass
    assert _settings() == (True, True, 0)


def test_numpys_warnings_are_on_after_ctrl_c_in_a_backward_pass():
    for n in range(10_000):
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        loss = (x * x).sum()
        before, stop = np.geterr(), _Stop({"backward", "_run", "quietly", "_silenced", "backprop", "_add", "_added"}, n)
        try:
            with stop:
                loss.backward(create_graph=n % 2 == 0)
        except KeyboardInterrupt:
            pass
        assert np.geterr() == before
        assert _settings() == (True, True, 0)
        if not stop.fired:
            return
    pytest.fail("it never ended")


# Coroutines


def test_a_block_in_one_task_does_not_reach_another():
    seen = {}

    async def first(entered, left):
        with mg.no_grad():
            entered.set()
            await left.wait()
            seen["first, inside"] = mg.is_grad_enabled()
        seen["first, after"] = mg.is_grad_enabled()

    async def second(entered, left):
        await entered.wait()
        seen["second"] = mg.is_grad_enabled(), (mg.tensor(1.0, requires_grad=True) * 2).requires_grad
        with mg.no_grad():
            left.set()
            await asyncio.sleep(0.01)  # the first block ends inside this one
            seen["second, inside"] = mg.is_grad_enabled()
        seen["second, after"] = mg.is_grad_enabled()

    async def both():
        entered, left = asyncio.Event(), asyncio.Event()
        await asyncio.gather(first(entered, left), second(entered, left))

    asyncio.run(both())
    assert seen == {
        "first, inside": False,
        "first, after": True,
        "second": (True, True),
        "second, inside": False,
        "second, after": True,
    }
    assert _settings() == (True, True, 0)


def test_a_task_begun_in_a_block_is_in_it_until_the_block_ends():
    seen = []

    async def child():
        x = mg.tensor(1.0, requires_grad=True)
        for _ in range(2):
            seen.append((mg.is_grad_enabled(), (x * x).requires_grad))
            await asyncio.sleep(0.01)

    async def parent():
        with mg.no_grad():
            task = asyncio.create_task(child())
            await asyncio.sleep(0)
        assert (mg.tensor(1.0, requires_grad=True) * 2).requires_grad
        await task

    asyncio.run(parent())
    assert seen == [(False, False), (True, True)]
    assert _settings() == (True, True, 0)


def test_a_decorated_coroutine_function_runs_in_the_mode():
    @mg.no_grad()
    async def predict(x):
        await asyncio.sleep(0)
        return mg.is_grad_enabled(), (x * 2).requires_grad

    async def run():
        return await predict(mg.tensor(1.0, requires_grad=True)), mg.is_grad_enabled()

    assert asyncio.run(run()) == ((False, False), True)


def test_an_asynchronous_generator_function_is_refused():
    async def items():
        yield 1

    with pytest.raises(mg.errors.DTypeError, match=r"write `with no_grad\(\):` inside"):
        mg.no_grad()(items)


# Generators, threads, contexts


def test_blocks_of_generators_may_end_in_any_order():
    def values(block):
        with block():
            while True:
                yield mg.is_grad_enabled()

    for first, second in ((mg.no_grad, mg.enable_grad), (mg.enable_grad, mg.no_grad), (mg.no_grad, mg.detect_anomaly)):
        one, other = values(first), values(second)
        next(one), next(other)
        one.close()
        other.close()
        assert _settings() == (True, True, 0)


def test_a_generator_may_end_in_another_context_than_it_began_in():
    def values():
        with mg.no_grad():
            yield

    waiting, context = values(), contextvars.copy_context()
    context.run(next, waiting)
    assert context.run(mg.is_grad_enabled) is False
    assert mg.is_grad_enabled()
    waiting.close()
    assert _settings() == (True, True, 0)
    assert context.run(mg.is_grad_enabled)


def test_a_generator_that_ends_leaves_what_was_opened_after_it():
    def values():
        with mg.no_grad():
            yield

    waiting = values()
    next(waiting)
    with mg.graph.recording() as nodes:
        waiting.close()
        assert mg.is_grad_enabled()
        mg.exp(mg.tensor(1.0))
    assert len(nodes) == 1
    assert _settings() == (True, True, 0)


def test_one_switch_serves_several_threads():
    block, barrier = mg.no_grad(), threading.Barrier(2)
    seen = []

    def run(last):
        with block:
            barrier.wait(10)
            if last:
                barrier.wait(10)
            seen.append(mg.is_grad_enabled())
        if not last:
            barrier.wait(10)
        seen.append(mg.is_grad_enabled())

    threads = [threading.Thread(target=run, args=(last,)) for last in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [False, False, True, True]
    assert _settings() == (True, True, 0)


def test_a_copied_context_is_in_the_block_until_the_block_ends():
    block = mg.no_grad()
    with block:
        context = contextvars.copy_context()
        assert context.run(mg.is_grad_enabled) is False
    assert context.run(mg.is_grad_enabled)
    assert context.run(lambda: (mg.tensor(1.0, requires_grad=True) * 2).requires_grad)


def test_blocks_can_be_entered_by_an_exit_stack():
    with ExitStack() as stack:
        stack.enter_context(mg.no_grad())
        nodes = stack.enter_context(mg.graph.recording())
        mg.exp(mg.tensor(1.0, requires_grad=True))
        assert not mg.is_grad_enabled()
    assert len(nodes) == 1
    assert _settings() == (True, True, 0)
