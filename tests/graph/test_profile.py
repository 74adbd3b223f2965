"""What `profile` measures: counts and places exactly, times for their sums only."""

import sys
import threading
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, threads
from minigrad.graph import contractions
from minigrad.graph.profiling import profile
from minigrad.graph.summarizing import summary
from minigrad.graph.tables import amount, percent, seconds
from minigrad.graph.watching import recording, trace_of
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter


def leaf(*shape):
    return mg.tensor(np.ones(shape), requires_grad=True)


def counts(timings):
    return {timing.name: timing.count for timing in timings}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.same = nn.Linear(3, 3), nn.Tanh()

    def forward(self, x):
        return self.same(self.linear(self.same(x))) * 2.0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


# What is counted


def test_operations_forward_and_backward():
    x = leaf(5)
    with profile() as measured:
        for _ in range(3):
            (mg.exp(x) * x).sum().backward()
    assert counts(measured.operations) == {"exp": 3, "multiply": 3, "sum": 3}
    for timing in measured.operations:
        assert timing.forward > 0
        assert timing.backward > 0
        assert timing.total == timing.forward + timing.backward == pytest.approx(timing.own)
    totals = [timing.total for timing in measured.operations]
    assert totals == sorted(totals, reverse=True)
    assert sum(totals) + measured.overhead < measured.wall


def test_operations_without_a_gradient_count_too():
    x = leaf(5)
    with profile() as measured:
        with mg.no_grad():
            mg.exp(x)
        mg.greater(mg.exp(mg.tensor([1.0, 2.0])), 1.0)
    assert counts(measured.operations) == {"exp": 2, "greater": 1}
    assert all(timing.backward == 0 for timing in measured.operations)


def test_bytes_made_are_those_of_new_arrays():
    x = leaf(10, 10)
    with profile() as measured:
        mg.exp(x).T.reshape(100)[::2].sum()
    made = {timing.name: timing.bytes for timing in measured.operations}
    assert made == {"exp": 800, "permute_dims": 0, "reshape": 800, "getitem": 0, "sum": 8}


def test_a_new_array_in_another_order_is_new():
    with profile() as measured:
        F.conv2d(leaf(1, 1, 5, 5), leaf(1, 1, 2, 2))
    assert {timing.name: timing.bytes for timing in measured.operations}["convolve"] == 16 * 8


def test_the_lines():
    x = leaf(5)
    with profile() as measured:
        for _ in range(2):
            y = mg.exp(x)
            z = mg.sin(y) * y
        z.sum().backward()
    lines = {timing.name.partition(" ")[2]: timing.count for timing in measured.lines}
    assert lines == {"`y = mg.exp(x)`": 2, "`z = mg.sin(y) * y`": 4, "`z.sum().backward()`": 1}
    assert all(timing.name.startswith(__file__) for timing in measured.lines)
    (line,) = [timing for timing in measured.lines if "mg.exp" in timing.name]
    assert line.backward > 0  # at the line of the operation, not of the backward pass


def test_the_modules_as_a_tree_with_the_calls_added_up():
    net = Net()
    with profile() as measured:
        for _ in range(2):
            net(leaf(4, 3)).sum().backward()
    assert [(timing.name, timing.count) for timing in measured.modules] == [
        ("Net", 2 * 8),
        ("Net.blocks.0", 8),
        ("Net.blocks.0.same", 4),
        ("Net.blocks.0.linear", 2),
        ("Net.blocks.1", 8),
        ("Net.blocks.1.same", 4),
        ("Net.blocks.1.linear", 2),
        ("", 2),
    ]
    whole, block, *parts = measured.modules[:4]
    assert block.total == pytest.approx(block.own + sum(part.total for part in parts))
    assert whole.own == 0
    assert block.own > 0


def test_what_is_no_part_of_a_module_is_named_by_its_class():
    def forward(x):
        return nn.Tanh()(x)

    class Wrapper(nn.Module):
        def forward(self, x):
            return forward(x)

    with profile() as measured:
        Wrapper()(leaf(3))
    assert [timing.name for timing in measured.modules] == ["Wrapper", "Wrapper.Tanh"]


def test_the_backward_pass_of_a_graph_from_before():
    y = mg.exp(leaf(3)).sum()
    with profile() as measured:
        y.backward()
    assert counts(measured.operations) == {"exp": 0, "sum": 0}
    assert all(timing.backward > 0 for timing in measured.operations)
    assert "(before the block)" in str(measured)


def test_a_recorded_derivative_is_measured_once():
    x = leaf(50_000)
    with profile() as measured:
        (slope,) = mg.autograd.grad((mg.sin(x) * x).sum(), x, create_graph=True)
        slope.sum().backward()
    timings = {timing.name: timing for timing in measured.operations}
    assert timings["cos"].count == 1
    assert sum(timing.total for timing in measured.operations) + measured.overhead < measured.wall


def test_a_checkpoint_counts_what_it_computes_again():
    x = leaf(3)
    with profile() as measured:
        mg.checkpoint(lambda x: mg.exp(mg.sin(x)))(x).sum().backward()
    assert counts(measured.operations)["sin"] == 2


# The block


def test_an_exception_leaves_a_consistent_profile():
    net, x = Net(), leaf(3)

    class Broken(nn.Module):
        def forward(self, x):
            return net(x) @ np.ones((5, 5))

    with pytest.raises(mg.errors.ShapeError), profile() as measured:
        Broken()(x)
    y = mg.exp(x)  # nobody watches now
    assert counts(measured.operations) == {"tanh": 4, "linear": 2, "multiply": 2}
    assert trace_of(y.node) is None
    with profile() as after:
        with pytest.raises(mg.errors.ShapeError):
            Broken()(x)
        mg.sin(x)
    assert [timing.count for timing in after.modules if not timing.name] == [1]  # in no module, not in a broken one


def test_an_exception_in_a_backward_pass():
    def fail(gradient):
        raise KeyError("hook")

    x = leaf(3)
    with profile() as measured:
        y = mg.exp(x)
        y.register_hook(fail)
        with pytest.raises(KeyError):
            y.sum().backward()
        mg.sin(x).sum().backward()
    assert counts(measured.operations) == {"exp": 1, "sum": 2, "sin": 1}
    assert {timing.name: timing.backward > 0 for timing in measured.operations}["sin"]


def test_a_block_within_a_block_reports_to_it():
    net = Net()
    with profile() as outer:
        net(leaf(2, 3))
        with profile() as inner:
            net(leaf(2, 3)).sum().backward()
        net(leaf(2, 3))
    assert counts(inner.operations) == {"tanh": 4, "linear": 2, "multiply": 2, "sum": 1}
    assert counts(outer.operations) == {"tanh": 12, "linear": 6, "multiply": 6, "sum": 1}
    assert inner.wall < outer.wall


def test_a_block_that_is_opened_within_a_module_knows_where_it_is():
    class Watched(nn.Module):
        def forward(self, x):
            with profile() as self.measured:
                return mg.exp(x)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = Watched()

        def forward(self, x):
            return self.part(x)

    model = Outer()
    with profile() as measured:
        model(leaf(3))
    assert [timing.name for timing in model.part.measured.modules] == ["Outer", "Outer.part"]
    assert [timing.name for timing in measured.modules] == ["Outer", "Outer.part"]


def test_a_block_that_is_opened_again_adds_up():
    measured = profile()
    with profile() as outer:
        for _ in range(2):
            with measured:
                mg.exp(leaf(3))
    assert counts(measured.operations) == counts(outer.operations) == {"exp": 2}


def test_another_watcher_takes_over_for_its_block():
    with profile() as measured:
        with recording() as nodes:
            mg.exp(leaf(3))
        mg.sin(leaf(3))
    assert [node.op.name for node in nodes] == ["exp"]
    assert counts(measured.operations) == {"sin": 1}


def test_only_the_thread_of_the_block_is_measured():
    with profile() as measured:
        thread = threading.Thread(target=lambda: mg.exp(leaf(3)))
        thread.start()
        thread.join()
        mg.sin(leaf(3))
    assert counts(measured.operations) == {"sin": 1}


def test_an_empty_block():
    with profile() as measured:
        pass
    assert measured.operations == measured.lines == measured.modules == ()
    assert str(measured).startswith("<profile: 0 operations,")
    assert "text/html" in measured._repr_mimebundle_()


# Memory


def test_the_peak_of_memory():
    x = leaf(100_000)
    with profile(memory=True) as measured:
        mg.exp(mg.exp(x)).sum().backward()
    held = 2 * x.data.nbytes
    assert held < measured.peak < 3 * held
    assert not tracemalloc.is_tracing()
    assert "more memory than in the beginning" in str(measured)
    with profile() as measured:
        mg.exp(x)
    assert measured.peak is None


def test_peaks_of_blocks_in_blocks():
    with profile(memory=True) as outer:
        high = np.ones(200_000)
        del high
        with profile(memory=True) as inner:
            mg.exp(leaf(1000))
    assert inner.peak < 200_000 * 8 < outer.peak


def test_who_counts_memory_already_goes_on_doing_so():
    tracemalloc.start()
    try:
        with profile(memory=True) as measured:
            mg.exp(leaf(1000))
        assert tracemalloc.is_tracing()
        assert measured.peak >= 16_000
    finally:
        tracemalloc.stop()


# What is shown


def test_the_tables():
    net = Net()
    with profile() as measured:
        net(np.ones((4, 3))).sum().backward()
    operations, modules, lines, remark = str(measured).split("\n\n")
    for table in (operations, modules, lines):
        assert len({len(line) for line in table.splitlines()}) == 1
    assert operations.split()[:8] == ["operation", "count", "forward", "backward", "total", "share", "memory", "made"]
    assert [line.split("  ")[0] for line in modules.splitlines()[2:4]] == ["Net", ""]
    assert "  blocks.0: Block" in modules
    assert "test_profile.py:" in lines
    assert __file__ not in lines  # without the folder
    assert " in operations, " in remark
    assert " on measuring them" in remark


def test_many_lines_are_shortened():
    x = leaf(3)
    source = "\n".join(f"y = mg.exp(x)  # {'very ' * 20}long {i}" for i in range(40))
    with profile() as measured:
        exec(compile(source, "many.py", "exec"), {"mg": mg, "x": x})
    assert len(measured.lines) == 40
    assert "... 25 more ..." in str(measured)


def test_notebooks_get_tables_and_escaped_names():
    class Odd(nn.Module):
        def forward(self, x):
            return x * 2.0

    Odd.__name__ = "<script>alert(1)</script>"
    with profile() as measured:
        Odd()(leaf(3))
    bundle = measured._repr_mimebundle_()
    assert bundle["text/html"].count("<table") == 3
    assert "<script>" not in bundle["text/html"]
    assert bundle["text/plain"] == str(measured)


def test_what_a_profile_notes_is_there_for_a_summary():
    with profile():
        y = mg.exp(leaf(3)).sum()
    assert summary(y).forward > 0


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0, "0 ns"), (3.4e-8, "34 ns"), (9.996e-7, "1 µs"), (0.0123, "12.3 ms"), (1.5, "1.5 s"), (4321, "4,321 s")],
)
def test_times_have_a_unit(duration, text):
    assert seconds(duration) == text


def test_large_numbers_have_a_prefix():
    assert [amount(n) for n in (0, 999_999, 1_234_567, 2e9, 3.14e12)] == ["0", "999,999", "1.235 M", "2 G", "3.14 T"]
    assert percent(0, 0) == "-"


# The threads of matrix products


def profiled():
    w = leaf(3, 2)
    with profile() as found:
        mg.tanh(np.ones((5, 3)) @ w).sum().backward()
        _ = np.ones((50, 3)) @ w
    return found


@pytest.mark.parametrize(("factor", "said"), [(3.0, True), (1.1, False), (0.5, False)])
def test_threads_that_cost_more_than_they_give_are_remarked(monkeypatch, factor, said):
    pytest.importorskip("threadpoolctl")
    found = profiled()
    state = [4]

    class Limited:
        def __enter__(self):
            state.append(1)

        def __exit__(self, *exception):
            state.pop()

    monkeypatch.setattr(threads, "get_num_threads", lambda: state[-1])
    monkeypatch.setattr(threads, "limited", lambda n: Limited())
    monkeypatch.setattr(contractions, "seconds", lambda op, args: factor if state[-1] > 1 else 1.0)
    assert ("set_num_threads(1)" in str(found)) == said
    if said:
        assert "times as long with 4 BLAS threads as with one" in str(found)
        with profile() as outer, profile():
            _ = np.ones((5, 3)) @ leaf(3, 2)
        assert "matmul of (5, 3) and (3, 2) takes 3.0 times" in str(outer)


def test_one_thread_or_no_product_or_no_threadpoolctl_is_no_remark(monkeypatch):
    found = profiled()
    monkeypatch.setattr(threads, "get_num_threads", lambda: 1)
    assert "BLAS" not in str(found)
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    assert "BLAS" not in str(found)


def test_a_product_is_computed_again_as_it_was():
    assert 0 < contractions.seconds((leaf(3, 2) @ leaf(2, 3)).node.op, [np.ones((3, 2)), np.ones((2, 3))]) < 1
