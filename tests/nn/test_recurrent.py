"""Recurrent layers: steps, directions, states, and what does not fit."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

RNG = np.random.default_rng(0)
KINDS = {"RNN": (nn.RNN, nn.RNNCell), "LSTM": (nn.LSTM, nn.LSTMCell), "GRU": (nn.GRU, nn.GRUCell)}
over = pytest.mark.parametrize("kind", KINDS)
X = RNG.normal(size=(5, 2, 3))


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def close(a, b):
    for x, y in zip(parts(a), parts(b), strict=True):
        np.testing.assert_allclose(x.data, y.data, rtol=1e-12, atol=1e-12)


def zeros(kind, shape):
    return (mg.zeros(shape), mg.zeros(shape)) if kind == "LSTM" else mg.zeros(shape)


@over
def test_a_layer_is_a_cell_step_by_step(kind):
    layer, cell = (make(3, 4) for make in KINDS[kind])
    cell.load_state_dict({name.removesuffix("_l0"): p for name, p in layer.state_dict().items()})
    y, last = layer(X)
    state = None
    for t, x in enumerate(X):
        state = cell(x, state)
        close(parts(state)[0], y[t])
    close(tuple(part[None] for part in parts(state)), parts(last))


@over
def test_the_second_direction_goes_backwards(kind):
    both = KINDS[kind][0](3, 4, bidirectional=True)
    state = both.state_dict()
    y, last = both(X)
    for suffix, x, half, number in (("", X, y[:, :, :4], 0), ("_reverse", X[::-1], y[::-1, :, 4:], 1)):
        one = KINDS[kind][0](3, 4)
        one.load_state_dict({name: state[name + suffix] for name in one.state_dict()})
        z, end = one(np.ascontiguousarray(x))
        close(z, half)
        close(tuple(part[0] for part in parts(end)), tuple(part[number] for part in parts(last)))


@over
def test_layers_lie_on_each_other(kind):
    deep = KINDS[kind][0](3, 4, num_layers=2)
    state = deep.state_dict()
    y, last = deep(X)
    z = X
    for number, width in enumerate((3, 4)):
        one = KINDS[kind][0](width, 4)
        one.load_state_dict({name: state[name.replace("l0", f"l{number}")] for name in one.state_dict()})
        z, end = one(z)
        close(tuple(part[0] for part in parts(end)), tuple(part[number] for part in parts(last)))
    close(y, z)


@over
def test_a_sequence_may_be_cut_and_continued(kind):
    layer = KINDS[kind][0](3, 4, num_layers=2)
    y, last = layer(X)
    first, middle = layer(X[:2])
    second, end = layer(X[2:], middle)
    close(mg.concat([first, second]), y)
    close(end, last)


@over
@each("options", [{}, {"bidirectional": True}, {"num_layers": 2}])
def test_a_single_step(kind, options):
    layer = KINDS[kind][0](3, 4, **options)
    y, last = layer(X[:1])
    assert y.shape == (1, 2, 4 * (1 + options.get("bidirectional", False)))
    shown = parts(last)[0][-1] if not options.get("bidirectional") else mg.concat(list(parts(last)[0]), axis=-1)
    close(shown, y[0])


@over
def test_the_batch_may_come_first(kind):
    layer = KINDS[kind][0](3, 4, bidirectional=True)
    first = KINDS[kind][0](3, 4, bidirectional=True, batch_first=True)
    first.load_state_dict(layer.state_dict())
    y, last = layer(X)
    z, end = first(np.swapaxes(X, 0, 1))
    close(mg.swapaxes(z, 0, 1), y)
    close(end, last)
    close(first(X[:, 0])[0], layer(X[:, 0])[0])  # without a batch there is nothing to come first


@over
def test_the_state_starts_at_zero(kind):
    layer, cell = (make(3, 4) for make in KINDS[kind])
    close(layer(X)[0], layer(X, zeros(kind, (1, 2, 4)))[0])
    close(cell(X[0]), cell(X[0], zeros(kind, (2, 4))))
    close(cell(X[0, 0]), cell(X[0, 0], zeros(kind, (4,))))


@over
def test_gradients_reach_the_initial_state_and_all_times(kind):
    layer = KINDS[kind][0](3, 2)
    x = mg.tensor(X, requires_grad=True)
    start = [mg.tensor(RNG.normal(size=(1, 2, 2)), requires_grad=True) for _ in parts(zeros(kind, 1))]
    y, _ = layer(x, tuple(start) if kind == "LSTM" else start[0])
    y[-1].sum().backward()
    assert all((part.grad.data != 0).all() for part in [x, *start])


def test_dropout_lies_between_layers_and_in_training_only():
    layer = nn.LSTM(3, 8, num_layers=2, dropout=0.5)
    plain = nn.LSTM(3, 8, num_layers=2)
    plain.load_state_dict(layer.state_dict())
    close(layer.eval()(X)[0], plain(X)[0])
    layer.train()
    assert not np.allclose(layer(X)[0].data, layer(X)[0].data)
    assert (layer(X)[0].data != 0).all()
    single = nn.GRU(3, 4, dropout=0.5)
    close(single(X)[0], single(X)[0])


def test_projection():
    layer = nn.LSTM(3, 4, proj_size=2, bidirectional=True)
    y, (h, c) = layer(X)
    assert (y.shape, h.shape, c.shape) == ((5, 2, 4), (2, 2, 2), (2, 2, 4))
    assert layer.weight_hr_l0.shape == (2, 4)


def test_large_inputs_saturate_without_a_warning():
    for make, _ in KINDS.values():
        y, _ = make(3, 4)(1e4 * X)
        assert np.isfinite(y.data).all()
        assert np.abs(y.data).max() <= 1


def test_names_and_options():
    layer = nn.GRU(3, 4, num_layers=2, bidirectional=True, bias=False)
    assert [name for name, _ in layer.named_parameters()][:4] == [
        "weight_ih_l0", "weight_hh_l0", "weight_ih_l0_reverse", "weight_hh_l0_reverse",
    ]  # fmt: skip
    assert repr(layer) == "GRU(3, 4, num_layers=2, bias=False, bidirectional=True)"
    assert repr(nn.LSTM(3, 4, batch_first=True, proj_size=2)) == "LSTM(3, 4, batch_first=True, proj_size=2)"
    assert repr(nn.RNNCell(3, 4, bias=False)) == "RNNCell(3, 4, bias=False)"
    assert all(np.abs(p.data).max() <= 0.5 for p in layer.parameters())


H = np.zeros((1, 2, 4))


@each(("call", "text"), [
    (lambda: nn.RNN(3, 4, nonlinearity="sigmoid"), "RNN: nonlinearity must be 'tanh' or 'relu', not 'sigmoid'"),
    (lambda: nn.RNNCell(3, 4, nonlinearity="elu"), "RNNCell: nonlinearity must be 'tanh' or 'relu', not 'elu'"),
    (lambda: nn.RNNBase("QRNN", 3, 4), "RNNBase: mode must be 'RNN_TANH', 'RNN_RELU', 'LSTM' or 'GRU', not 'QRNN'"),
    (lambda: nn.LSTM(3, 0), "LSTM: hidden_size must be an integer of at least 1, not 0"),
    (lambda: nn.GRU(0, 3), "GRU: input_size must be an integer of at least 1, not 0"),
    (lambda: nn.GRU(3, 4, num_layers=0), "GRU: num_layers must be an integer of at least 1, not 0"),
    (lambda: nn.GRUCell(3, -1), "GRUCell: hidden_size must be an integer of at least 1, not -1"),
    (lambda: nn.LSTM(3, 4, dropout=1.5), "LSTM: dropout must be a number from 0 to 1, not 1.5"),
    (lambda: nn.LSTM(3, 4, proj_size=4), "proj_size is for LSTM, and smaller than hidden_size, not 4"),
    (lambda: nn.GRU(3, 4)(X[..., :2]), r"GRU: the input must have two or three axes, .* not \(5, 2, 2\)"),
    (lambda: nn.GRU(3, 4)(X[0, 0]), r"GRU: the input must have two or three axes, the last of length 3, not \(3,\)"),
    (lambda: nn.GRU(3, 4)(X[:0]), r"GRU: there is no time step in an input of shape \(0, 2, 3\)"),
    (lambda: nn.GRU(3, 4)(X, H[0]), r"GRU: an initial state of shape \(2, 4\) does not fit: .* here \(1, 2, 4\)"),
    (lambda: nn.GRU(3, 4)(X, (H, H)), r"GRU: an initial state of shape \(2, 1, 2, 4\) does not fit"),
    (lambda: nn.GRU(3, 4, bidirectional=True)(X, H), r"GRU: an initial state of shape \(1, 2, 4\) .* here \(2, 2, 4\)"),
    (lambda: nn.LSTM(3, 4)(X, H), r"LSTM: the initial state is a pair \(h, c\), not ndarray"),
    (lambda: nn.LSTM(3, 4)(X, (H,)), r"LSTM: the initial state is a pair \(h, c\), not tuple"),
    (lambda: nn.LSTM(3, 4)(X, (H, H[:, :1])), r"LSTM: .* \(1, 2, 4\) and \(1, 1, 4\) does not fit"),
    (lambda: nn.LSTM(3, 4)(X[:, 0], (H, H)), r"LSTM: .* here \(1, 4\) and \(1, 4\)"),
    (lambda: nn.LSTMCell(3, 4)(X[0], H[0]), r"LSTMCell: the state must be a pair \(h, c\) of shape \(2, 4\) each, not"),
    (lambda: nn.GRUCell(3, 4)(X[0], H), r"GRUCell: the state must be of shape \(2, 4\), not \(1, 2, 4\)"),
    (lambda: nn.GRUCell(3, 4)(X), r"GRUCell: the input must have one or two axes, .* not \(5, 2, 3\)"),
])  # fmt: skip
def test_what_does_not_fit_is_named(call, text):
    with pytest.raises(errors.ArgumentError, match=text):
        call()


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
def test_single_precision_input_of_a_layer_in_double_precision(layer):
    mg.manual_seed(0)
    net = layer(3, 4, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype(np.float32)
    expected, _ = net(mg.asarray(x))
    assert expected.dtype == np.float64
    compiled = mg.jit(lambda x: net(x)[0])
    for _ in range(3):
        np.testing.assert_array_equal(compiled(x).detach(), expected.detach())
