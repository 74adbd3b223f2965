"""Containers: lists and dicts of modules and parameters."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn


def names(pairs):
    return [name for name, _ in pairs]


def parts(count):
    return [nn.Linear(2, 2) for _ in range(count)]


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


# Sequential


def test_sequential():
    one, tanh, other = nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)
    model = nn.Sequential(one, tanh, other)
    assert len(model) == 3
    assert [*model] == [one, tanh, other]
    assert (model[0], model[-1], model[np.int64(1)]) == (one, other, tanh)
    x = mg.ones((4, 2))
    np.testing.assert_array_equal(model(x).data, other(mg.tanh(one(x))).data)
    assert tanh in model
    assert nn.Tanh() not in model
    assert nn.Sequential()(x) is x
    assert len(nn.Sequential()) == 0


def test_slices_of_sequential_keep_names_and_share_parts():
    model = nn.Sequential(*parts(4))
    tail = model[1:]
    assert type(tail) is nn.Sequential
    assert [*tail] == [*model][1:]
    assert names(tail.named_children()) == ["1", "2", "3"]
    assert names(model[::-2].named_children()) == ["3", "1"]
    assert len(model[7:]) == 0
    assert model[:2](mg.ones(2)).tolist() == model[1](model[0](mg.ones(2))).tolist()


def test_sequential_of_a_dict():
    model = nn.Sequential({"in": nn.Linear(2, 3), "out": nn.Linear(3, 1)})
    assert names(model.named_parameters()) == ["in.weight", "in.bias", "out.weight", "out.bias"]
    assert getattr(model, "in") is model[0]
    assert model(mg.ones(2)).shape == (1,)


def test_what_is_added_to_named_parts_gets_a_number():
    model = nn.Sequential({"in": nn.Tanh()}).append(nn.ReLU()).extend([nn.ELU(), nn.Tanh()])
    assert names(model.named_children()) == ["in", "1", "2", "3"]
    assert names(nn.Sequential({"1": nn.Tanh()}).append(nn.ReLU()).named_children()) == ["1", "2"]


def test_a_part_that_takes_two_arguments_is_not_for_sequential():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        nn.Sequential(nn.Bilinear(2, 2, 1))(mg.ones(2))


# What lists of modules share


@pytest.mark.parametrize("make", [lambda p: nn.Sequential(*p), nn.ModuleList])
def test_lists_change_as_lists_do(make):
    a, b, c, d, e = parts(5)
    held = make([a, b])
    assert held.append(c) is held
    assert held.extend(iter([d])) is held
    assert held.insert(1, e) is held
    assert [*held] == [a, e, b, c, d]
    held[-1] = nn.Tanh()
    assert isinstance(held[4], nn.Tanh)
    del held[0]
    del held[1:3]
    assert held[0] is e
    assert names(held.named_children()) == ["0", "1"]
    assert names(held.named_parameters()) == ["0.weight", "0.bias"]


@pytest.mark.parametrize("make", [lambda p: nn.Sequential(*p), nn.ModuleList])
@pytest.mark.parametrize("index", [2, -3, 100])
def test_an_index_out_of_range(make, index):
    held = make(parts(2))
    for use in (lambda: held[index], lambda: held.__setitem__(index, nn.Tanh())):
        with pytest.raises(errors.IndexingError, match=f"{type(held).__name__} has 2 modules, and no number {index}"):
            use()
    with pytest.raises(IndexError):
        del held[index]
    assert len(held) == 2


@pytest.mark.parametrize("make", [lambda p: nn.Sequential(*p), nn.ModuleList])
@pytest.mark.parametrize("wrong", [3, None, nn.Tanh, lambda x: x], ids=["number", "None", "class", "function"])
def test_what_is_no_module_changes_nothing(make, wrong):
    held = make(parts(2))
    before = [*held]
    for use in (
        lambda: held.append(wrong),
        lambda: held.extend([nn.Tanh(), wrong]),
        lambda: held.insert(0, wrong),
        lambda: held.__setitem__(0, wrong),
        lambda: make([nn.Tanh(), wrong]),
    ):
        with pytest.raises(errors.DTypeError, match="must be a Module"):
            use()
    assert [*held] == before


# ModuleList


def test_module_list():
    a, b, c = parts(3)
    held = nn.ModuleList([a])
    assert [*(held + [b, c])] == [a, b, c]  # noqa: RUF005  # the operator is meant
    assert len(held) == 1
    assert held.extend([b, c]).pop() is c
    assert held.pop(0) is a
    assert [*held] == [b]
    assert [*held[:1]] == [b]
    assert type(held[:1]) is nn.ModuleList
    assert len(nn.ModuleList()) == len(nn.ModuleList(iter([]))) == 0
    with pytest.raises(errors.IndexingError, match="ModuleList has 0 modules"):
        nn.ModuleList().pop()


def test_a_module_list_holds_parts_but_cannot_be_called():
    held = nn.ModuleList(parts(2))
    assert len([*held.parameters()]) == 4
    held.eval()
    assert not held[0].training
    with pytest.raises(NotImplementedError, match=r"ModuleList defines no forward\(\)"):
        held(mg.ones(2))
    assert repr(nn.ModuleList([nn.Tanh()])) == "ModuleList(\n  (0): Tanh()\n)"


# ModuleDict


@pytest.mark.parametrize("given", [
    {"a": nn.Tanh(), "b": nn.ReLU()}, [("a", nn.Tanh()), ("b", nn.ReLU())], [["a", nn.Tanh()], ["b", nn.ReLU()]],
    nn.ModuleDict({"a": nn.Tanh(), "b": nn.ReLU()}),
])  # fmt: skip
def test_module_dict(given):
    held = nn.ModuleDict(given)
    assert [*held] == [*held.keys()] == ["a", "b"]
    assert [type(m) for m in held.values()] == [nn.Tanh, nn.ReLU]
    assert [name for name, _ in held.items()] == ["a", "b"]
    assert "a" in held
    assert "c" not in held
    held["c"] = layer = nn.Linear(2, 1)
    assert held["c"] is held.c is layer
    held["a"] = nn.ELU()
    assert [*held] == ["a", "b", "c"]
    assert held.pop("b") is not None
    del held["a"]
    assert names(held.named_parameters()) == ["c.weight", "c.bias"]
    held.update({"d": nn.Tanh()})
    assert len(held) == 2
    held.clear()
    assert len(held) == 0


def test_mistakes_with_a_module_dict():
    held = nn.ModuleDict({"a": nn.Tanh()})
    for use in (lambda: held["b"], lambda: held.pop("b"), lambda: held.__delitem__("b")):
        with pytest.raises(KeyError, match="b"):
            use()
    for wrong in (3, None):
        with pytest.raises(errors.DTypeError, match="'b' of ModuleDict must be a Module"):
            held["b"] = wrong
    with pytest.raises(errors.ArgumentError, match="ModuleDict has another attribute 'keys'"):
        held["keys"] = nn.Tanh()
    with pytest.raises(errors.ArgumentError, match="must not be empty or have a dot"):
        held["a.b"] = nn.Tanh()
    assert [*held] == ["a"]


# Parameters


def test_parameter_list():
    p = nn.Parameter([3.0])
    held = nn.ParameterList([mg.ones(2), [1.0, 2.0, 3.0], p])
    assert names(held.named_parameters()) == ["0", "1", "2"]
    assert [q.name for q in held] == ["0", "1", "2"]
    assert held[2] is held[-1] is p
    assert all(type(q) is nn.Parameter for q in held)
    held[0] = np.zeros(4)
    assert held[0].shape == (4,)
    assert held.append(2.0) is held
    assert len(held.extend([mg.ones(1)])) == 5
    assert [q.shape for q in held[1:3]] == [(3,), (1,)]
    assert held[1:3][1] is p
    assert held.extra_repr() == "(4,), (3,), (1,), (), (1,)"
    with pytest.raises(errors.IndexingError, match="ParameterList has 5 parameters, and no number 5"):
        held[5]
    sum(q.sum() for q in held).backward()
    assert all(q.grad is not None for q in held)


def test_parameter_dict():
    held = nn.ParameterDict({"left": mg.ones(2)})
    held["right"] = p = nn.Parameter([1.0])
    held.update([("more", np.ones(3))])
    assert [*held] == [*held.keys()] == ["left", "right", "more"]
    assert held["right"] is held.right is p
    assert [q.shape for q in held.values()] == [(2,), (1,), (3,)]
    assert names(held.items()) == names(held.named_parameters()) == ["left", "right", "more"]
    assert "left" in held
    assert held.left.name == "left"
    del held["left"]
    assert len(held) == 2
    assert held.extra_repr() == "right: (1,), more: (3,)"
    with pytest.raises(KeyError, match="left"):
        held["left"]
    with pytest.raises(errors.DTypeError):
        held["words"] = "abc"


def test_a_tensor_with_history_becomes_a_leaf():
    x = mg.tensor([1.0, 1.0], requires_grad=True)
    held = nn.ParameterList([2.0 * x])
    assert held[0].is_leaf
    assert held[0].tolist() == [2.0, 2.0]


def test_state_of_containers():
    held = nn.ModuleDict({"list": nn.ModuleList(parts(1)), "numbers": nn.ParameterList([[1.0]])})
    held["named"] = nn.ParameterDict({"w": [2.0]})
    assert [*held.state_dict()] == ["list.0.weight", "list.0.bias", "numbers.0", "named.w"]
    held.load_state_dict({**held.state_dict(), "numbers.0": [5.0]})
    assert held["numbers"][0].tolist() == [5.0]
