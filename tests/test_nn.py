"""Modules, their state, layers and losses."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn

F = nn.functional


class Block(nn.Module):
    """Parts of every kind."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter([2.0, 3.0])
        self.inner = nn.Linear(2, 2)
        self.register_buffer("offset", mg.ones(2))
        self.register_buffer("cache", mg.zeros(2), persistent=False)
        self.last = nn.Parameter(1.0)
        self.note = "nothing to register"

    def forward(self, x):
        return self.inner(x) * self.scale + self.offset + self.last


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(mg.tanh(self.a(x)))


def names(pairs):
    return [name for name, _ in pairs]


def values(module):
    return {name: tensor.tolist() for name, tensor in module.state_dict().items()}


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


# Parts


def test_parts_are_registered_in_the_order_of_assignment():
    block = Block()
    assert names(block.named_parameters()) == ["scale", "last", "inner.weight", "inner.bias"]
    assert names(block.named_parameters("model")) == ["model." + name for name in names(block.named_parameters())]
    assert names(block.named_buffers()) == ["offset", "cache"]
    assert names(block.named_modules()) == ["", "inner"]
    assert [*block.children()] == [block.inner]
    assert "note" in vars(block)
    assert "scale" not in vars(block)
    assert {"scale", "inner", "offset", "note", "forward"} <= set(dir(block))
    assert block.scale.name == "scale"


def test_a_part_may_be_replaced_by_one_of_another_kind():
    block = Block()
    block.inner = nn.Parameter([1.0])
    assert names(block.named_parameters()) == ["scale", "last", "inner"]
    block.note = nn.Tanh()
    assert names(block.named_children()) == ["note"]
    block.scale = None
    assert block.scale is None
    assert names(block.named_parameters()) == ["last", "inner"]
    block.offset = mg.zeros(3)
    assert dict(block.named_buffers())["offset"].shape == (3,)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("scale", mg.ones(2), "Parameter"), ("inner", 3, "Module"), ("offset", [1.0], "Tensor")],
)
def test_a_part_is_not_replaced_by_something_else(name, value, kind):
    block = Block()
    before = getattr(block, name)
    with pytest.raises(TypeError, match=f"'{name}' of Block must be a {kind} or None, not {type(value).__name__}"):
        setattr(block, name, value)
    assert getattr(block, name) is before


def test_parts_can_be_deleted():
    block = Block()
    for name in ("scale", "inner", "offset", "note"):
        delattr(block, name)
        assert not hasattr(block, name)
        with pytest.raises(AttributeError, match=f"Block has no attribute '{name}'"):
            delattr(block, name)
    assert names(block.named_parameters()) == ["last"]


def test_forgetting_super_init_is_explained():
    class Forgetful(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([1.0])

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) in Forgetful.__init__"):
        Forgetful()


def test_forgetting_forward_is_explained():
    with pytest.raises(NotImplementedError, match=r"Module defines no forward\(\)"):
        nn.Module()(1.0)


def test_tied_parameters_come_once_but_are_saved_under_all_names():
    tied = Tied()
    assert names(tied.named_parameters()) == ["a.weight", "a.bias"]
    assert len([*tied.parameters()]) == 2
    assert names(tied.named_parameters(remove_duplicate=False)) == ["a.weight", "a.bias", "b.weight"]
    assert [*tied.state_dict()] == ["a.weight", "a.bias", "b.weight"]


def test_a_shared_module_is_walked_once():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.Tanh(), layer)
    assert names(model.named_modules()) == ["", "0", "1"]
    assert len([*model.parameters()]) == 2


def test_modes_and_apply_reach_all_parts():
    model = nn.Sequential(Block(), nn.Tanh())
    assert model.eval() is model
    assert not any(part.training for part in model.modules())
    assert all(part.training for part in model.train().modules())
    seen = []
    assert model.apply(seen.append) is model
    assert seen == [model[0].inner, model[0], model[1], model]


def test_zero_grad_and_freezing():
    block = Block()
    block(mg.ones(2)).sum().backward()
    assert all(p.grad is not None for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())
    assert block.requires_grad_(False) is block
    assert not block(mg.ones(2)).requires_grad
    block.zero_grad()
    block.requires_grad_()
    assert [p.name for p in block.parameters()] == ["scale", "last", "weight", "bias"]
    assert block(mg.ones(2)).requires_grad


def test_astype_converts_in_place():
    block = Block()
    before = [*block.parameters()]
    assert block.astype(np.float32) is block
    assert all(old is new for old, new in zip(before, block.parameters(), strict=True))
    assert {t.dtype for t in (*block.parameters(), *block.buffers())} == {np.dtype(np.float32)}
    assert [p.name for p in before] == ["scale", "last", "weight", "bias"]
    y = block(mg.ones(2, dtype=np.float32))
    y.sum().backward()
    assert (y.dtype, before[0].grad.dtype) == (np.float32, np.float32)


def test_results_of_a_parameter_are_tensors():
    p = nn.Parameter([[1.0, 2.0]])
    for made in (p * 2, -p, p.T, p[0], p.sum(), p.detach(), p.reshape(2), mg.exp(p), 1.0 + p):
        assert type(made) is mg.Tensor
    assert repr(p).startswith("Parameter([[1., 2.]]")


def test_a_parameter_owns_its_memory():
    array = np.ones(2)
    p = nn.Parameter(array)
    assert not np.shares_memory(p.data, array)
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad


# State


def test_state_goes_round():
    one, other = Block(), Block()
    state = one.state_dict()
    assert sorted(state) == ["inner.bias", "inner.weight", "last", "offset", "scale"]
    assert not any(t.requires_grad for t in state.values())
    assert values(other) != values(one)
    addresses = [p.data.ctypes.data for p in other.parameters()]
    assert other.load_state_dict(state) == ([], [])
    assert values(other) == values(one)
    assert [p.data.ctypes.data for p in other.parameters()] == addresses
    state["scale"].data[...] = 7.0
    assert one.scale.tolist() == other.scale.tolist() == [2.0, 3.0]


def test_a_misfit_names_everything_and_changes_nothing():
    block = Block()
    before, state = values(block), block.state_dict()
    del state["scale"], state["last"]
    state |= {"inner.bias": np.ones(3), "inner.weight": np.ones((3, 2)), "extra": 1.0, "more": 2.0}
    state["offset"] = np.full(2, 9.0)
    with pytest.raises(errors.StateDictError) as caught:
        block.load_state_dict(state)
    text = str(caught.value)
    for words in ("missing: scale, last", "unexpected: extra, more", "inner.bias: shape (3,)", "the model has (2, 2)"):
        assert words in text
    assert values(block) == before


def test_not_strict_loads_what_there_is():
    block = Block()
    missing, unexpected = block.load_state_dict({"last": 5.0, "extra": 1.0}, strict=False)
    assert (missing, unexpected) == (["scale", "inner.weight", "inner.bias", "offset"], ["extra"])
    assert block.last.item() == 5.0
    with pytest.raises(errors.StateDictError, match=r"last: shape \(2,\)"):
        block.load_state_dict({"last": np.ones(2)}, strict=False)


def test_tied_weights_stay_tied_when_loaded():
    one, other = Tied(), Tied()
    other.load_state_dict(one.state_dict())
    assert other.a.weight is other.b.weight
    assert values(other) == values(one)


def test_loading_makes_old_graphs_stale():
    layer = nn.Linear(2, 1)
    loss = (layer(mg.ones(2)) * layer.weight).sum()
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(errors.StaleValueError):
        loss.backward()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_copies_are_independent(copied):
    for model in (Block(), Tied()):
        made = copied(model)
        assert values(made) == values(model)
        assert names(made.named_parameters()) == names(model.named_parameters())
        for ours, theirs in zip(model.parameters(), made.parameters(), strict=True):
            assert type(theirs) is nn.Parameter
            assert (theirs.requires_grad, theirs.name) == (True, ours.name)
            assert not np.shares_memory(ours.data, theirs.data)
        made(mg.ones(2)).sum().backward()
        assert all(p.grad is None for p in model.parameters())


# functional_call


def test_functional_call_uses_what_it_is_given():
    block = Block()
    given = {name: p.detach() * 0.0 for name, p in block.named_parameters()} | {"offset": mg.full(2, 4.0)}
    assert nn.functional_call(block, given, mg.ones(2)).tolist() == [4.0, 4.0]
    assert block.offset.tolist() == [1.0, 1.0]


def test_functional_call_restores_after_an_exception():
    layer = nn.Linear(2, 1)
    weight, bias = layer.weight, layer.bias
    for given, error in (({"weight": mg.ones((5, 5))}, errors.ShapeError), ({"weight": 1, "x.y": 2}, RuntimeError)):
        with pytest.raises(error):
            nn.functional_call(layer, given, mg.ones(2))
        assert layer.weight is weight
        assert layer.bias is bias


def test_functional_call_names_unknown_paths():
    with pytest.raises(errors.StateDictError, match=r"Linear has no parameter or buffer 'b\.c'"):
        nn.functional_call(nn.Linear(2, 1), {"b.c": mg.ones(1)}, mg.ones(2))


def test_derivatives_of_a_model():
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2), nn.Sigmoid())
    paths, x = names(model.named_parameters()), mg.random.randn(4, 3)
    target = np.array([0, 1, 1, 0])

    def loss(*parameters):
        logits = nn.functional_call(model, dict(zip(paths, parameters, strict=True)), x)
        return F.cross_entropy(logits, target, label_smoothing=0.1) + F.mse_loss(logits, mg.ones((4, 2)))

    point = tuple(model.parameters())
    assert mg.gradcheck(loss, point)
    assert mg.gradgradcheck(loss, point)
    assert all(p.grad is None for p in model.parameters())


# Containers and layers


def test_sequential():
    parts = nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)
    model = nn.Sequential(*parts)
    assert len(model) == 3
    assert [*model] == [*parts]
    assert (model[0], model[-1]) == (parts[0], parts[2])
    assert [*model[1:]] == [parts[1], parts[2]]
    assert names(model[1:].named_children()) == ["1", "2"]
    with pytest.raises(IndexError):
        model[3]
    x = mg.ones((4, 2))
    np.testing.assert_array_equal(model(x).data, parts[2](mg.tanh(parts[0](x))).data)


def test_sequential_of_a_dict():
    model = nn.Sequential({"in": nn.Linear(2, 3), "out": nn.Linear(3, 1)})
    assert names(model.named_parameters()) == ["in.weight", "in.bias", "out.weight", "out.bias"]
    assert getattr(model, "in") is model[0]


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape, bias):
    layer, x = nn.Linear(3, 2, bias=bias), mg.random.randn(*shape)
    y = layer(x)
    assert y.shape == (*shape[:-1], 2)
    np.testing.assert_allclose(y.data, x.data @ layer.weight.data.T + (layer.bias.data if bias else 0.0))
    assert names(layer.named_parameters()) == ["weight", "bias"][: 1 + bias]
    assert bias or layer.bias is None


def test_linear_starts_within_its_bounds():
    layer = nn.Linear(100, 50)
    for p in layer.parameters():
        assert 0.05 < np.abs(p.data).max() <= 0.1
        assert abs(p.data.mean()) < 0.03


def test_the_same_seed_gives_the_same_model():
    mg.manual_seed(3)
    one = values(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)))
    assert values(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))) != one
    mg.manual_seed(3)
    assert values(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))) == one


def test_dtypes_of_layers():
    assert nn.Linear(2, 1, dtype=np.float32).weight.dtype == np.float32
    before = mg.get_default_dtype()
    try:
        mg.set_default_dtype(np.float32)
        assert {p.dtype for p in nn.Linear(2, 1).parameters()} == {np.dtype(np.float32)}
        assert nn.Parameter([1.0]).dtype == np.float32
    finally:
        mg.set_default_dtype(before)
    assert nn.Linear(2, 1).weight.dtype == before


@pytest.mark.parametrize("shape", [(), (2,), (3, 2)])
def test_linear_refuses_what_does_not_fit(shape):
    with pytest.raises(errors.ShapeError, match="does not fit a weight"):
        nn.Linear(3, 2)(mg.ones(shape))


@pytest.mark.parametrize(("layer", "function"), [(nn.ReLU, F.relu), (nn.Tanh, F.tanh), (nn.Sigmoid, F.sigmoid)])
def test_activations(layer, function):
    x = mg.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(layer()(x).data, function(x.data))
    assert mg.gradcheck(layer(), x.data + 0.5)


def test_relu_is_flat_at_zero():
    x = mg.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    F.relu(x).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0]


def test_softmax_takes_a_dim():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(F.softmax(x, dim=0).sum(axis=0), 1.0)
    np.testing.assert_allclose(np.exp(F.log_softmax(x)), F.softmax(x))


def test_repr():
    assert repr(nn.Sequential(nn.Linear(2, 1), nn.Sequential(nn.Tanh()))) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=1, bias=True)\n"
        "  (1): Sequential(\n    (0): Tanh()\n  )\n)"
    )


# Losses


def test_losses_refuse_shapes_that_would_broadcast():
    with pytest.raises(errors.ShapeError, match=r"shape \(3, 1\) and a target of shape \(3,\)"):
        F.mse_loss(mg.ones((3, 1)), mg.ones(3))
    with pytest.raises(errors.ShapeError, match=r"labels of shape \(3, 1\)"):
        F.cross_entropy(mg.ones((3, 2)), np.zeros((3, 1), int))


@pytest.mark.parametrize("label", [-1, -3, 3, 100])
def test_labels_are_in_range(label):
    with pytest.raises(errors.IndexingError, match=f"label {label} is not one of the classes 0 to 2"):
        F.cross_entropy(mg.ones((2, 3)), [0, label])


def test_labels_are_integers():
    with pytest.raises(errors.DTypeError, match="labels must be integers, not float64"):
        F.cross_entropy(mg.ones((2, 3)), [0.0, 1.0])


@pytest.mark.parametrize("loss", [F.mse_loss, F.cross_entropy])
def test_reductions_are_known(loss):
    with pytest.raises(ValueError, match="reduction must be 'none', 'mean' or 'sum', not 'avg'"):
        loss(mg.ones((2, 3)), mg.ones((2, 3)), reduction="avg")


def test_label_smoothing_is_a_share():
    with pytest.raises(ValueError, match="label_smoothing must be from 0 to 1"):
        F.cross_entropy(mg.ones((2, 3)), [0, 1], label_smoothing=1.5)


def test_cross_entropy_of_a_softmax_warns():
    x = mg.random.randn(2, 3, requires_grad=True)
    with pytest.warns(UserWarning, match="give it the logits"):
        F.cross_entropy(F.softmax(x), [0, 1])


def test_large_logits_do_not_overflow():
    x = mg.tensor([[1000.0, 0.0], [-1000.0, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, [0, 0])
    loss.backward()
    assert loss.item() == 500.0
    np.testing.assert_allclose(x.grad, [[0.0, 0.0], [-0.5, 0.5]])


def test_training_reduces_the_loss():
    X = mg.random.randn(32, 2)
    labels = (X.data[:, 0] * X.data[:, 1] > 0).astype(int)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = mg.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_a_masked_logit_costs_nothing_and_has_no_gradient():
    logits = mg.tensor([[0.0, -np.inf, 0.0]], requires_grad=True)
    loss = F.cross_entropy(logits, np.array([0]))
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    np.testing.assert_allclose(logits.grad.numpy(), [[-0.5, 0.0, 0.5]])


@pytest.mark.parametrize(("do", "exception"), [
    (lambda: F.cross_entropy(np.zeros((2, 3)), np.array([0, 1]), weight=np.ones(2)), errors.ShapeError),
    (lambda: F.cross_entropy(np.float64(1.0), np.array(0)), errors.ShapeError),
    (lambda: F.linear(np.ones(3), np.ones(3)), errors.ShapeError),
    (lambda: F.mse_loss([1.0], [1.0, 2.0]), errors.ShapeError),
    (lambda: nn.Linear(2, 1).astype(np.int64), errors.DTypeError),
    (lambda: nn.Linear(2, 1).register_buffer("weight", mg.zeros(1)), errors.ArgumentError),
    (lambda: nn.Linear(2, 1).add_module("a.b", nn.Tanh()), errors.ArgumentError),
    (lambda: nn.Linear(2, 1).register_parameter("training", nn.Parameter(1.0)), errors.ArgumentError),
    (lambda: nn.Sequential(3), errors.DTypeError),
])  # fmt: skip
def test_other_bad_input_is_named(do, exception):
    with pytest.raises(exception):
        do()


def test_a_state_dict_of_other_kinds_of_values_changes_nothing():
    layer = nn.Linear(2, 1)
    before = {name: value.tolist() for name, value in layer.state_dict().items()}
    for bad in ({"weight": np.zeros((1, 2)), "bias": ["a"]}, {"weight": np.zeros((1, 2)), "bias": np.array([1j])}):
        with pytest.raises(errors.MinigradError, match="bias"):
            layer.load_state_dict(bad)
        assert {name: value.tolist() for name, value in layer.state_dict().items()} == before


def test_edge_sizes():
    assert len(nn.Sequential()) == 0
    assert nn.Linear(0, 2)(mg.zeros((3, 0))).shape == (3, 2)
    assert F.cross_entropy([[0.0, 0.0]], np.array([0])) == pytest.approx(np.log(2))
    assert np.isnan(F.cross_entropy(np.zeros((1, 2)), np.array([-100])))
