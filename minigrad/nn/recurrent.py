"""Layers that go through a sequence and carry a state along: RNN, LSTM, GRU, and their single steps."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from minigrad.control import scan
from minigrad.core import interpreter, unwrap
from minigrad.creation import zeros
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import init
from minigrad.nn.activation import relu
from minigrad.nn.dropout import dropout
from minigrad.nn.layer import fan_bound, operand
from minigrad.nn.linear import linear
from minigrad.nn.module import Module, Parameter
from minigrad.ops import elementwise, shaping
from minigrad.options import one_of, real_number, whole_number

State = tuple[Any, ...]
Step = Callable[[Any, Any, State, Any], State]

# One step: from the gates' share of the input, the layer's hidden weights and bias, and the state before.  The first of
# the new state is what the layer gives out.


def _simple(activation: Callable[[Any], Any]) -> Step:
    def step(gates: Any, weight: Any, state: State, bias: Any) -> State:
        return (activation(gates + linear(state[0], weight, bias)),)

    return step


def _lstm(gates: Any, weight: Any, state: State, bias: Any) -> State:
    """S. Hochreiter and J. Schmidhuber, 1997, with the forget gate of F. Gers et al., 2000."""
    enter, forget, candidate, leave = shaping.split(gates + linear(state[0], weight, bias), 4, axis=-1)
    cell = elementwise.sigmoid(forget) * state[1] + elementwise.sigmoid(enter) * elementwise.tanh(candidate)
    return elementwise.sigmoid(leave) * elementwise.tanh(cell), cell


def _gru(gates: Any, weight: Any, state: State, bias: Any) -> State:
    """K. Cho et al., 2014, with the reset gate after the matrix product, as in PyTorch."""
    reset, update, new = shaping.split(gates, 3, axis=-1)
    own_reset, own_update, own_new = shaping.split(linear(state[0], weight, bias), 3, axis=-1)
    candidate = elementwise.tanh(new + elementwise.sigmoid(reset + own_reset) * own_new)
    update = elementwise.sigmoid(update + own_update)
    return (candidate + update * (state[0] - candidate),)


_STEPS: dict[str, Step] = {
    "RNN_TANH": _simple(elementwise.tanh),
    "RNN_RELU": _simple(relu),
    "LSTM": _lstm,
    "GRU": _gru,
}
_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def _simple_mode(name: str, nonlinearity: str) -> str:
    return f"RNN_{one_of(nonlinearity, f'{name}: nonlinearity', ('tanh', 'relu')).upper()}"


def _shapes(parts: Any) -> str:
    return " and ".join(str(np.shape(part)) for part in (parts if isinstance(parts, Sequence) else (parts,)))


class RNNBase(Module):
    """What RNN, LSTM and GRU share: their parameters, and the walk over layers, directions and times.

    Parameters
    ----------
    mode : {"RNN_TANH", "RNN_RELU", "LSTM", "GRU"}
        Which of them it is; the other parameters are those of `RNN` and `LSTM`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.RNNBase("GRU", 3, 5)
    RNNBase(3, 5)
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        one_of(mode, f"{name}: mode", tuple(_STEPS))
        real_number(dropout, f"{name}: dropout", least=0, most=1)
        if proj_size and (mode != "LSTM" or not 0 < proj_size < hidden_size):
            raise ArgumentError(f"{name}: proj_size is for LSTM, and smaller than hidden_size, not {proj_size}")
        self.mode, self.input_size = mode, whole_number(input_size, f"{name}: input_size")
        self.hidden_size = whole_number(hidden_size, f"{name}: hidden_size")
        self.num_layers = whole_number(num_layers, f"{name}: num_layers")
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.proj_size = bidirectional, proj_size
        width = _GATES[mode] * hidden_size
        given = proj_size or hidden_size
        self._names: list[list[str]] = []  # for each layer and direction
        for layer in range(num_layers):
            entering = given * (1 + bidirectional) if layer else input_size
            for suffix in ("", "_reverse")[: 1 + bidirectional]:
                shapes: dict[str, Any] = {"weight_ih": (width, entering), "weight_hh": (width, given)}
                if bias:
                    shapes |= {"bias_ih": width, "bias_hh": width}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                self._names.append([f"{name}_l{layer}{suffix}" for name in shapes])
                for name, shape in zip(self._names[-1], shapes.values(), strict=True):
                    setattr(self, name, Parameter(zeros(shape, dtype=dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values: uniform up to ``1 / sqrt(hidden_size)``."""
        bound = fan_bound(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _weights(self, number: int) -> tuple[Any, Any, Any, Any, Any]:
        """Of a layer and direction: both weights, both biases, and the projection."""
        found = {name.split("_l")[0]: getattr(self, name) for name in self._names[number]}
        return (*(found.get(n) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")),)  # type: ignore[return-value]

    def _direction(self, number: int, x: Any, state: State, backwards: bool) -> tuple[Any, State]:
        """One layer in one direction over all times: its outputs and its last state."""
        weight, own_weight, bias, own_bias, projection = self._weights(number)
        step = _STEPS[self.mode]
        gates = linear(x, weight, bias)  # of all times at once
        # Names of their own, so that their gradients are summed over the times before others are added, as in a scan.
        own_weight, own_bias, projection = (
            x if x is None else elementwise.positive(x) for x in (own_weight, own_bias, projection)
        )

        def moved(state: State, gates: Any) -> tuple[State, Any]:
            state = step(gates, own_weight, state, own_bias)
            if projection is not None:
                state = (linear(state[0], projection), *state[1:])
            return state, state[0]

        if interpreter() is not None:  # one operation of the program, however many times there are
            dtype = np.result_type(*(unwrap(x).dtype for x in (gates, own_weight, *state)))
            state = tuple(x if x.dtype == dtype else shaping.astype(x, dtype) for x in state)
            state, outputs = scan(moved, state, gates, reverse=backwards)
            return outputs, state
        outputs = []
        for t in reversed(range(x.shape[0])) if backwards else range(x.shape[0]):
            state, y = moved(state, gates[t])
            outputs.append(y)
        return shaping.stack(outputs[::-1] if backwards else outputs), state

    def _run(self, x: Any, states: list[State]) -> tuple[Any, list[State]]:
        """All layers over an input of shape (time, batch, features)."""
        directions = 1 + self.bidirectional
        last = []
        for layer in range(self.num_layers):
            results = [
                self._direction(number, x, states[number], bool(number % directions))
                for number in range(layer * directions, (layer + 1) * directions)
            ]
            last += [state for _, state in results]
            x = results[0][0] if directions == 1 else shaping.concat([y for y, _ in results], axis=-1)
            if self.dropout and layer + 1 < self.num_layers:
                x = dropout(x, self.dropout, self.training)
        return x, last

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Go through a sequence.

        Parameters
        ----------
        input : array of shape (L, N, input_size), (N, L, input_size) if `batch_first`, or (L, input_size)
        hx : array of shape ``(layers * directions, N, hidden_size)``, or (layers * directions, hidden_size), optional
            The state at the start, zeros by default; of an LSTM a pair, of hidden state and cell state.

        Returns
        -------
        output : array of the input's shape, with directions * hidden_size features
            What the last layer gave at each time.
        hx : array, or pair of arrays
            The state at the end, as `hx`.
        """
        x = operand(input)
        name = type(self).__name__
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: the input must have two or three axes, the last of length {self.input_size}, not {x.shape}"
            )
        single = x.ndim == 2
        if single:
            x = x.reshape(x.shape[0], 1, x.shape[1])
        elif self.batch_first:
            x = shaping.swapaxes(x, 0, 1)
        if not x.shape[0]:
            raise ShapeError(f"{name}: there is no time step in an input of shape {np.shape(input)}")
        count = len(self._names)
        sizes = [self.proj_size or self.hidden_size, self.hidden_size][: 1 + (self.mode == "LSTM")]
        given = [np.zeros((count, x.shape[1], n), x.dtype) for n in sizes]
        if hx is not None:
            parts = hx if self.mode == "LSTM" else (hx,)
            if not isinstance(parts, Sequence) or len(parts) != len(sizes):
                raise ShapeError(f"{name}: the initial state is a pair (h, c), not {type(hx).__name__}")
            wanted = [(count, n) if single else (count, x.shape[1], n) for n in sizes]
            if [np.shape(part) for part in parts] != wanted:
                raise ShapeError(
                    f"{name}: an initial state of shape {_shapes(parts)} does not fit: it must have the axes (layers * "
                    f"directions, N, features), here {' and '.join(map(str, wanted))}"
                )
            given = [operand(part).reshape(count, x.shape[1], n) for part, n in zip(parts, sizes, strict=True)]
        y, last = self._run(x, [tuple(part[i] for part in given) for i in range(count)])
        final = [shaping.stack([state[k] for state in last]) for k in range(len(sizes))]
        if single:
            y, final = y.reshape(y.shape[0], -1), [part.reshape(count, -1) for part in final]
        elif self.batch_first:
            y = shaping.swapaxes(y, 0, 1)
        return y, tuple(final) if self.mode == "LSTM" else final[0]

    def extra_repr(self) -> str:
        """The sizes, and what is not as usual."""
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        usual["proj_size"] = 0
        words = [f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *words])


class RNN(RNNBase):
    """The simple recurrent network: ``h = tanh(W_ih x + b_ih + W_hh h + b_hh)`` (J. L. Elman, 1990).

    Parameters
    ----------
    input_size, hidden_size : int
    num_layers : int
        How many layers lie on each other.
    nonlinearity : {"tanh", "relu"}
    bias : bool
    batch_first : bool
        Whether the batch, and not the time, is the first axis of input and output.
    dropout : float
        Probability of dropout between layers.
    bidirectional : bool
        Whether there is a second network that goes backwards.
    dtype : dtype, optional

    Examples
    --------
    >>> import minigrad as mg
    >>> output, h = mg.nn.RNN(3, 5, num_layers=2)(mg.zeros((7, 2, 3)))
    >>> output.shape, h.shape
    ((7, 2, 5), (2, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        mode = _simple_mode("RNN", nonlinearity)
        super().__init__(mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory; the parameters are those of `RNN`.

    S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997. With `proj_size` the hidden state is projected to
    fewer features (H. Sak et al., 2014).

    Examples
    --------
    >>> import minigrad as mg
    >>> output, (h, c) = mg.nn.LSTM(3, 5, batch_first=True, bidirectional=True)(mg.zeros((2, 7, 3)))
    >>> output.shape, h.shape, c.shape
    ((2, 7, 10), (2, 2, 5), (2, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, dtype
        )


class GRU(RNNBase):
    """Gated recurrent units (K. Cho et al., EMNLP 2014); the parameters are those of `RNN`.

    Examples
    --------
    >>> import minigrad as mg
    >>> output, h = mg.nn.GRU(3, 5)(mg.zeros((7, 3)))
    >>> output.shape, h.shape
    ((7, 5), (1, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype
        )


# Single steps


class RNNCellBase(Module):
    """One step of a recurrent network, with parameters of its own.

    Examples
    --------
    >>> import minigrad as mg
    >>> isinstance(mg.nn.GRUCell(3, 5), mg.nn.RNNCellBase)
    True
    """

    states: ClassVar[int] = 1

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, bias: bool = True, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.mode, self.bias = mode, bias
        self.input_size = whole_number(input_size, f"{name}: input_size")
        self.hidden_size = whole_number(hidden_size, f"{name}: hidden_size")
        width = _GATES[mode] * hidden_size
        self.weight_ih = Parameter(zeros((width, input_size), dtype=dtype))
        self.weight_hh = Parameter(zeros((width, hidden_size), dtype=dtype))
        self.register_parameter("bias_ih", Parameter(zeros(width, dtype=dtype)) if bias else None)
        self.register_parameter("bias_hh", Parameter(zeros(width, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values: uniform up to ``1 / sqrt(hidden_size)``."""
        bound = fan_bound(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Make one step: from an input of shape (N, input_size) or (input_size,) and a state, to the next state."""
        x = operand(input)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__}: the input must have one or two axes, the last of length {self.input_size}, "
                f"not {x.shape}"
            )
        shape = (*x.shape[:-1], self.hidden_size)
        given = (np.zeros(shape, x.dtype),) * self.states if hx is None else hx if self.states > 1 else (hx,)
        if not isinstance(given, Sequence) or [np.shape(part) for part in given] != [shape] * self.states:
            wanted = f"a pair (h, c) of shape {shape} each" if self.states > 1 else f"of shape {shape}"
            raise ShapeError(f"{type(self).__name__}: the state must be {wanted}, not {_shapes(given)}")
        state = tuple(operand(part) for part in given)
        after = _STEPS[self.mode](linear(x, self.weight_ih, self.bias_ih), self.weight_hh, state, self.bias_hh)
        return after if self.states > 1 else after[0]

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of an `RNN`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.RNNCell(3, 5)(mg.zeros((2, 3))).shape
    (2, 5)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(_simple_mode("RNNCell", nonlinearity), input_size, hidden_size, bias, dtype)
        self.nonlinearity = nonlinearity


class LSTMCell(RNNCellBase):
    """One step of an `LSTM`: the state is a pair of hidden state and cell state.

    Examples
    --------
    >>> import minigrad as mg
    >>> h, c = mg.nn.LSTMCell(3, 5)(mg.zeros((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    states = 2

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: DTypeLike | None = None) -> None:
        super().__init__("LSTM", input_size, hidden_size, bias, dtype)


class GRUCell(RNNCellBase):
    """One step of a `GRU`.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.nn.GRUCell(3, 5)(mg.zeros(3)).shape
    (5,)
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: DTypeLike | None = None) -> None:
        super().__init__("GRU", input_size, hidden_size, bias, dtype)
