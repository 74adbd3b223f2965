"""Modules: their parts and names, their state, copies, and calls with other parameters."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

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


def shared():
    """One layer in two places."""
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.Tanh(), layer)


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
    assert names(block.named_modules("model")) == ["model", "model.inner"]
    assert names(block.named_children()) == ["inner"]
    assert [*block.children()] == [block.inner]
    assert [*block.modules()] == [block, block.inner]
    assert "note" in vars(block)
    assert "scale" not in vars(block)
    assert {"scale", "inner", "offset", "note", "forward"} <= set(dir(block))
    assert block.scale.name == "scale"


def test_parts_of_the_module_alone():
    block = Block()
    assert names(block.named_parameters(recurse=False)) == ["scale", "last"]
    assert [*block.parameters(recurse=False)] == [block.scale, block.last]
    assert names(nn.Sequential(block).named_buffers(recurse=False)) == []
    assert names(nn.Sequential(block).named_parameters("m", False)) == []
    assert [*nn.Sequential(block).buffers()] == [block.offset, block.cache]


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
    for name in ("scale", "inner", "offset", "cache", "note"):
        delattr(block, name)
        assert not hasattr(block, name)
        with pytest.raises(AttributeError, match=f"Block has no attribute '{name}'"):
            delattr(block, name)
    assert names(block.named_parameters()) == ["last"]


def test_a_buffer_may_stop_and_start_being_saved():
    block = Block()
    block.register_buffer("cache", block.cache)
    assert "cache" in block.state_dict()
    block.register_buffer("cache", block.cache, persistent=False)
    assert "cache" not in block.state_dict()
    del block.cache
    block.register_buffer("cache", mg.ones(1))
    assert "cache" in block.state_dict()


def test_forgetting_super_init_is_explained():
    class Forgetful(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([1.0])

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\) in Forgetful.__init__"):
        Forgetful()


def test_forgetting_forward_is_explained():
    with pytest.raises(NotImplementedError, match=r"Module defines no forward\(\)"):
        nn.Module()(1.0)


def test_unknown_attributes_are_named():
    with pytest.raises(AttributeError, match="Linear has no attribute 'wieght'"):
        _ = nn.Linear(1, 1).wieght


@each(("register", "text"), [
    (lambda m: m.register_buffer("weight", mg.zeros(1)), "Linear has another attribute 'weight'"),
    (lambda m: m.register_parameter("training", nn.Parameter(1.0)), "Linear has another attribute 'training'"),
    (lambda m: m.add_module("forward", nn.Tanh()), "Linear has another attribute 'forward'"),
    (lambda m: m.add_module("a.b", nn.Tanh()), "must not be empty or have a dot, as 'a.b'"),
    (lambda m: m.add_module("", nn.Tanh()), "must not be empty or have a dot, as ''"),
    (lambda m: m.add_module("a", 3), "'a' of Linear must be a Module or None, not 3"),
    (lambda m: m.register_parameter("a", mg.zeros(1)), "'a' of Linear must be a Parameter or None"),
    (lambda m: m.register_buffer("a", np.zeros(1)), "'a' of Linear must be a Tensor or None"),
])  # fmt: skip
def test_a_part_that_cannot_be_registered(register, text):
    layer = nn.Linear(2, 1)
    before = {**vars(layer)}
    with pytest.raises(errors.MinigradError, match=text):
        register(layer)
    assert vars(layer) == before
    assert names(layer.named_parameters()) == ["weight", "bias"]


def test_absent_parts_keep_their_place():
    layer = nn.Linear(2, 1, bias=False)
    layer.register_buffer("nothing", None)
    layer.add_module("empty", None)
    assert (layer.bias, layer.nothing, layer.empty) == (None, None, None)
    assert [*layer.state_dict()] == ["weight"]
    assert names(layer.named_modules()) == [""]
    layer.bias = nn.Parameter(mg.zeros(1))
    assert names(layer.named_parameters()) == ["weight", "bias"]


def test_parts_are_found_by_their_paths():
    model = nn.Sequential(Block(), nn.Tanh())
    assert model.get_submodule("") is model
    assert model.get_submodule("0.inner") is model[0].inner
    assert model.get_parameter("0.inner.weight") is model[0].inner.weight
    assert model.get_parameter("0.scale") is model[0].scale
    assert model.get_buffer("0.cache") is model[0].cache


@pytest.mark.parametrize(("method", "path", "text"), [
    ("get_submodule", "0.outer", "Sequential has no part '0.outer'"),
    ("get_submodule", "0.scale", "Sequential has no part '0.scale'"),
    ("get_submodule", "5", "Sequential has no part '5'"),
    ("get_parameter", "0.offset", "Sequential has no parameter '0.offset'"),
    ("get_parameter", "0.no.weight", "Block has no part 'no'|Sequential has no part '0.no'"),
    ("get_buffer", "0.scale", "Sequential has no buffer '0.scale'"),
    ("get_buffer", "", "Sequential has no buffer ''"),
])  # fmt: skip
def test_a_path_that_leads_nowhere(method, path, text):
    model = nn.Sequential(Block(), nn.Tanh())
    with pytest.raises(AttributeError, match=text):
        getattr(model, method)(path)


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
    block.zero_grad(set_to_none=False)
    assert all(p.grad.tolist() == np.zeros(p.shape).tolist() for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())
    assert block.requires_grad_(False) is block
    assert not block(mg.ones(2)).requires_grad
    assert not any(p.requires_grad for p in block.parameters())
    block.zero_grad()
    block.requires_grad_()
    assert [p.name for p in block.parameters()] == ["scale", "last", "weight", "bias"]
    assert block(mg.ones(2)).requires_grad


def test_a_part_can_be_frozen_alone():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    model(mg.ones(2)).sum().backward()
    assert model[0].weight.grad is None
    assert model[1].weight.grad is not None
    assert names(model.named_parameters()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


@pytest.mark.parametrize("convert", [lambda m: m.astype(np.float32), lambda m: m.astype("float32"), nn.Module.float])
def test_astype_converts_in_place(convert):
    block = Block()
    before = [*block.parameters()]
    block(mg.ones(2)).sum().backward()
    assert convert(block) is block
    assert all(old is new for old, new in zip(before, block.parameters(), strict=True))
    assert {t.dtype for t in (*block.parameters(), *block.buffers())} == {np.dtype(np.float32)}
    assert [p.name for p in before] == ["scale", "last", "weight", "bias"]
    assert all(p.grad is None for p in before)
    y = block(mg.ones(2, dtype=np.float32))
    y.sum().backward()
    assert (y.dtype, before[0].grad.dtype) == (np.float32, np.float32)
    assert {p.dtype for p in block.double().parameters()} == {np.dtype(np.float64)}


def test_astype_leaves_integers_and_frozen_parameters_as_they_are():
    norm = nn.BatchNorm1d(2)
    norm.weight.requires_grad_(False)
    norm.astype(np.float32)
    assert (norm.num_batches_tracked.dtype, norm.running_mean.dtype) == (np.int64, np.float32)
    assert (norm.weight.requires_grad, norm.bias.requires_grad) == (False, True)
    with pytest.raises(errors.DTypeError, match="floating-point numbers, and int64 is no such dtype"):
        norm.astype(np.int64)


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
    with pytest.raises(errors.DTypeError, match="only floating-point and complex Tensors can require grad"):
        nn.Parameter(np.array([1, 2]))


# Tied parameters and shared modules


def test_tied_parameters_come_once_but_are_saved_under_all_names():
    tied = Tied()
    assert names(tied.named_parameters()) == ["a.weight", "a.bias"]
    assert len([*tied.parameters()]) == 2
    assert names(tied.named_parameters(remove_duplicate=False)) == ["a.weight", "a.bias", "b.weight"]
    assert [*tied.state_dict()] == ["a.weight", "a.bias", "b.weight"]


def test_a_shared_module_is_walked_once_but_saved_under_all_names():
    model = shared()
    assert names(model.named_modules()) == ["", "0", "1"]
    assert names(model.named_modules(remove_duplicate=False)) == ["", "0", "1", "2"]
    assert len([*model.parameters()]) == 2
    assert [*model.state_dict()] == ["0.weight", "0.bias", "2.weight", "2.bias"]  # as PyTorch's


def test_buffers_that_are_not_saved_are_not_saved_under_any_name():
    block = Block()
    assert not any("cache" in name for name in nn.Sequential(block, block).state_dict())


@pytest.mark.parametrize("make", [Tied, shared])
@pytest.mark.parametrize("change", [
    lambda m, other: m.load_state_dict(other.state_dict()),
    lambda m, other: m.astype(np.float32),
    lambda m, other: m.requires_grad_(False).requires_grad_(),
    lambda m, other: m(mg.ones(2)).sum().backward(),
])  # fmt: skip
def test_what_is_tied_stays_tied(make, change):
    model = make()
    change(model, make())
    state = {path: id(p) for path, p in model.named_parameters(remove_duplicate=False)}
    assert len(state) > len(set(state.values())) == 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_what_is_tied_stays_tied_in_copies(copied):
    made = copied(Tied())
    assert made.a.weight is made.b.weight
    made = copied(shared())
    assert made[0] is made[2]
    made = copied(nn.ModuleList([nn.Linear(2, 2), Tied()]))
    assert made[1].a.weight is made[1].b.weight


@pytest.mark.parametrize(("make", "lacking"), [(Tied, "b.weight"), (Tied, "a.weight"), (shared, "2.weight")])
def test_of_tied_parameters_one_name_is_enough(make, lacking):
    one, other = make(), make()
    state = one.state_dict()
    del state[lacking]
    assert other.load_state_dict(state) == ([], [])
    assert values(other) == values(one)


def test_a_tied_parameter_without_any_name_is_missing():
    state = Tied().state_dict()
    del state["a.weight"], state["b.weight"]
    with pytest.raises(errors.StateDictError, match=r"missing: a\.weight, b\.weight"):
        Tied().load_state_dict(state)


def test_a_shared_layer_gets_the_gradient_of_both_places():
    model = shared()
    x = np.array([[0.3, -0.2]])

    def loss(weight):
        return nn.functional_call(model, {"0.weight": weight}, x).sum()

    assert mg.gradcheck(loss, (model[0].weight,))


# State


def test_state_goes_round():
    one, other = Block(), Block()
    state = one.state_dict()
    assert sorted(state) == ["inner.bias", "inner.weight", "last", "offset", "scale"]
    assert not any(t.requires_grad for t in state.values())
    assert all(type(t) is mg.Tensor for t in state.values())
    assert values(other) != values(one)
    addresses = [p.data.ctypes.data for p in other.parameters()]
    assert other.load_state_dict(state) == ([], [])
    assert values(other) == values(one)
    assert [p.data.ctypes.data for p in other.parameters()] == addresses
    state["scale"].data[...] = 7.0
    assert one.scale.tolist() == other.scale.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("kind", [np.asarray, lambda t: t.tolist(), lambda t: np.float32(t.data)])
def test_a_state_may_consist_of_arrays_lists_and_other_precisions(kind):
    one, other = Block(), Block()
    other.load_state_dict({name: kind(tensor) for name, tensor in one.state_dict().items()})
    assert {p.dtype for p in other.parameters()} == {np.dtype(float)}
    for ours, theirs in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-6)


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
    assert "Block" in text
    assert values(block) == before


def test_not_strict_loads_what_there_is():
    block = Block()
    missing, unexpected = block.load_state_dict({"last": 5.0, "extra": 1.0}, strict=False)
    assert (missing, unexpected) == (["scale", "inner.weight", "inner.bias", "offset"], ["extra"])
    assert block.last.item() == 5.0
    with pytest.raises(errors.StateDictError, match=r"last: shape \(2,\)"):
        block.load_state_dict({"scale": np.zeros(2), "last": np.ones(2)}, strict=False)
    assert block.scale.tolist() == [2.0, 3.0]


def test_a_state_dict_of_other_kinds_of_values_changes_nothing():
    layer = nn.Linear(2, 1)
    before = values(layer)
    for bad in (["a"], np.array([1j]), [[1.0], [2.0, 3.0]], None, np.array([None])):
        with pytest.raises(errors.MinigradError, match="bias"):
            layer.load_state_dict({"weight": np.zeros((1, 2)), "bias": bad})
        assert values(layer) == before


def test_loading_makes_old_graphs_stale():
    layer = nn.Linear(2, 1)
    loss = (layer(mg.ones(2)) * layer.weight).sum()
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(errors.StaleValueError):
        loss.backward()


def test_frozen_parameters_and_buffers_are_loaded():
    layer = nn.BatchNorm1d(2).requires_grad_(False)
    layer.load_state_dict({"weight": [5.0, 6.0], "bias": [1.0, 2.0], "running_mean": [3.0, 4.0], "running_var": [1, 1],
                           "num_batches_tracked": 7})  # fmt: skip
    assert layer.weight.tolist() == [5.0, 6.0]
    assert layer.running_mean.tolist() == [3.0, 4.0]
    assert (layer.num_batches_tracked.item(), layer.num_batches_tracked.dtype) == (7, np.int64)


# Copies


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_copies_are_independent(copied):
    for model in (Block(), Tied(), shared(), nn.Sequential(Block(), nn.BatchNorm1d(2)).eval()):
        made = copied(model)
        assert values(made) == values(model)
        assert names(made.named_parameters()) == names(model.named_parameters())
        assert [part.training for part in made.modules()] == [part.training for part in model.modules()]
        for ours, theirs in zip(model.parameters(), made.parameters(), strict=True):
            assert type(theirs) is nn.Parameter
            assert (theirs.requires_grad, theirs.name) == (True, ours.name)
            assert not np.shares_memory(ours.data, theirs.data)
        for ours, theirs in zip(model.buffers(), made.buffers(), strict=True):
            assert not np.shares_memory(ours.data, theirs.data)
        made(mg.ones((1, 2))).sum().backward()
        assert all(p.grad is None for p in model.parameters())


def test_a_copy_after_a_backward_pass_has_the_values_alone():
    layer = nn.Linear(2, 1)
    loss = layer(mg.ones(2)).sum()
    loss.backward()
    made = copy.deepcopy(layer)
    assert values(made) == values(layer)
    assert made.weight.is_leaf


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


@pytest.mark.parametrize("path", ["a.weight", "b.weight"])
def test_functional_call_replaces_what_is_tied_too(path):
    tied, eye = Tied(), mg.tensor(np.eye(2))
    zero = {"a.bias": mg.zeros(2)}
    assert nn.functional_call(tied, {path: eye, **zero}, mg.ones(2)).tolist() == [np.tanh(1)] * 2
    assert nn.functional_call(tied, {"a.weight": eye, "b.weight": 2.0 * eye, **zero}, mg.ones(2)).tolist() == (
        [2 * np.tanh(1)] * 2
    )
    assert tied.a.weight is tied.b.weight


def test_derivatives_of_a_tied_model_count_all_places():
    tied, x = Tied(), np.array([0.5, -1.0])
    paths = names(tied.named_parameters())

    def loss(*parameters):
        return nn.functional_call(tied, dict(zip(paths, parameters, strict=True)), x).sum()

    assert mg.gradcheck(loss, tuple(tied.parameters()))


def test_functional_call_reaches_both_places_of_a_shared_module():
    model = shared()
    for path in ("0.weight", "2.weight"):
        y = nn.functional_call(model, {path: mg.zeros((2, 2))}, mg.ones(2))
        assert y.tolist() == model[0].bias.tolist()


def test_functional_call_sets_and_keeps_absent_parts():
    layer = nn.Linear(2, 1, bias=False)
    y = nn.functional_call(layer, {"bias": mg.full(1, 3.0), "weight": mg.zeros((1, 2))}, mg.ones(2))
    assert y.tolist() == [3.0]
    assert layer.bias is None


def test_functional_call_takes_keyword_arguments():
    attention = nn.MultiheadAttention(2, 1)
    x = mg.ones((3, 2))
    assert nn.functional_call(attention, {}, x, x, x, need_weights=False)[1] is None


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


# Display and the whole


def test_repr():
    assert repr(nn.Sequential(nn.Linear(2, 1), nn.Sequential(nn.Tanh()))) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=1, bias=True)\n"
        "  (1): Sequential(\n    (0): Tanh()\n  )\n)"
    )
    assert repr(nn.Module()) == "Module()"
    assert "(inner): Linear(" in repr(Block())


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
