"""Utilities: clipping, vectors of parameters, weights that are computed from others."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

utils = nn.utils
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


def with_gradients(*gradients):
    made = [nn.Parameter(np.zeros(np.shape(g)), name=f"p{i}") for i, g in enumerate(gradients)]
    for p, g in zip(made, gradients, strict=True):
        p.grad = mg.tensor(np.array(g, float))
    return made


# Clipping


@pytest.mark.parametrize(("norm_type", "norm"), [(2.0, 13.0), (1.0, 19.0), (np.inf, 12.0), (3.0, 1819 ** (1 / 3))])
def test_the_norm_of_all_gradients_together(norm_type, norm):
    p = [*with_gradients([3.0, -4.0], [[12.0]]), nn.Parameter([1.0])]
    assert utils.clip_grad_norm_(p, 1.0, norm_type) == pytest.approx(norm)
    np.testing.assert_allclose(p[0].grad, [3 / norm, -4 / norm], rtol=1e-6)
    np.testing.assert_allclose(p[1].grad, [[12 / norm]], rtol=1e-6)
    assert p[2].grad is None
    assert utils.get_total_norm([q.grad for q in p[:2]], norm_type) == pytest.approx(1, rel=1e-6)


def test_small_gradients_are_left_alone():
    p = with_gradients([0.3, 0.4])
    memory = p[0].grad.data
    assert utils.clip_grad_norm_(iter(p), 1.0) == 0.5
    assert p[0].grad.data is memory
    assert memory.tolist() == [0.3, 0.4]
    assert utils.clip_grad_norm_(p[0], 0.05) == 0.5
    np.testing.assert_allclose(memory, [0.03, 0.04], rtol=1e-5)


def test_nothing_to_clip():
    assert utils.clip_grad_norm_([], 1.0) == 0.0
    assert utils.clip_grad_norm_([nn.Parameter([1.0])], 1.0) == 0.0
    assert utils.clip_grad_norm_(with_gradients(np.zeros((0, 3))), 1.0) == 0.0
    utils.clip_grad_value_([nn.Parameter([1.0])], 1.0)


def test_a_single_number_and_single_precision():
    p = nn.Parameter(np.float32(3.0))
    (p * p).backward()
    assert utils.clip_grad_norm_([p], 1.0) == 6.0
    assert p.grad.item() == pytest.approx(1, rel=1e-6)
    assert p.grad.dtype == np.float32
    utils.clip_grad_value_(p, 0.5)
    assert p.grad.item() == 0.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_says_whose_it_is_and_changes_nothing(bad):
    p = [nn.Parameter([9.0]), *with_gradients([1.0, 2.0], np.zeros(0), [bad, 5.0], [bad])]
    with pytest.raises(errors.AnomalyError) as caught:
        utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    text = str(caught.value)
    assert "the first gradient at fault is number 3, 'p2'" in text.lower()
    assert f"float64 (2,), 1 {'NaN' if np.isnan(bad) else 'inf'}" in text
    assert "nothing was changed" in text
    assert p[1].grad.tolist() == [1.0, 2.0]
    with pytest.raises(errors.AnomalyError, match="number 1:"):
        utils.get_total_norm([p[1].grad, p[3].grad], error_if_nonfinite=True)


def test_a_norm_that_is_too_large_to_be_a_number():
    p = with_gradients([1.0], [1e308], [1e308])
    with pytest.raises(errors.AnomalyError, match=r"norm of the gradients is inf.*number 1, 'p1'"):
        utils.clip_grad_norm_(p, 1.0, norm_type=1.0, error_if_nonfinite=True)
    assert [q.grad.item() for q in p] == [1.0, 1e308, 1e308]


SIZES = {
    np.float16: (3e4, 1e-4, 6e-8),
    np.float32: (3e38, 1e20, 1e-30, 1e-40),
    np.float64: (1.7e308, 1e200, 1e-200, 1e-310),
}


@each("dtype", SIZES)
@each("norm_type", [2.0, 1.0, 3.0, 0.5, "inf"])
def test_norms_of_numbers_whose_powers_are_none(dtype, norm_type):
    """The norm of a multiple is the multiple of the norm."""
    for size in SIZES[dtype]:
        directions = [np.array([3.0, -4.0]) / 12, np.array([[1.0]])]
        for bound in (size / 100, size / 2):
            p = [nn.Parameter((size * d).astype(dtype)) for d in directions]
            for q in p:
                q.grad = q.detach()
            given = [q.grad.data.astype(float) for q in p]
            exact = np.linalg.norm(
                [np.linalg.norm(g.ravel() / size, float(norm_type)) for g in given], float(norm_type)
            )
            found = utils.clip_grad_norm_(p, bound, norm_type)
            with np.errstate(over="ignore"):
                assert found == pytest.approx(exact * size, rel=1e-3 if dtype is np.float16 else 1e-6)
            factor = min(1.0, (bound / size) / (exact + 1e-6 / size))
            grain = np.finfo(dtype).smallest_subnormal
            for q, g in zip(p, given, strict=True):
                np.testing.assert_allclose(
                    q.grad.data.astype(float), g * factor, rtol=4 * np.finfo(dtype).eps, atol=grain, err_msg=f"{size}"
                )


def test_norms_of_any_order():
    p = with_gradients([3.0, 0.0, -4.0], [12.0])
    assert utils.get_total_norm([q.grad for q in p], 0) == 3  # how many are not 0
    assert utils.get_total_norm([q.grad for q in p], -np.inf) == 0
    assert utils.get_total_norm([q.grad for q in p], -1) == 0
    whole = [g[g != 0] for g in (q.grad.data for q in p)]
    assert utils.get_total_norm(whole, -1) == pytest.approx(1 / (1 / 3 + 1 / 4 + 1 / 12))
    assert utils.get_total_norm([1e-300 * g for g in whole], -2) == pytest.approx(
        1e-300 * (1 / 9 + 1 / 16 + 1 / 144) ** -0.5
    )
    assert utils.get_total_norm([np.zeros(3), np.zeros(0)]) == 0
    assert utils.get_total_norm([np.array([3.0 + 4.0j])]) == 5
    with pytest.raises(errors.ArgumentError, match="a norm is of some order"):
        utils.get_total_norm(whole, np.nan)


def test_bounds_that_would_turn_gradients_round_are_refused():
    for bound in (-1.0, -0.5, np.nan, -np.inf):
        p = with_gradients([3.0, 4.0])
        for clip in (
            utils.clip_grad_norm_,
            utils.clip_grad_value_,
            lambda p, b: utils.clip_grads_with_norm_(p, b, 5.0),
        ):
            with pytest.raises(errors.ArgumentError, match="must be a number of at least 0, not"):
                clip(p, bound)
        assert p[0].grad.tolist() == [3.0, 4.0]
    with pytest.raises(errors.ArgumentError, match="total_norm must be a number of at least 0, not -5"):
        utils.clip_grads_with_norm_(p, 1.0, -5.0)
    assert utils.clip_grad_norm_(p, np.inf) == 5.0
    assert p[0].grad.tolist() == [3.0, 4.0]
    assert utils.clip_grad_norm_(p, 0.0) == 5.0
    assert p[0].grad.tolist() == [0.0, 0.0]


def test_a_generator_that_is_used_up_warns():
    model = nn.Linear(2, 1)
    model(mg.ones(2)).sum().backward()
    parameters = model.parameters()
    assert utils.clip_grad_norm_(parameters, 100.0) > 0
    for clip in (
        lambda p: utils.clip_grad_norm_(p, 1.0),
        lambda p: utils.clip_grad_value_(p, 1.0),
        lambda p: utils.clip_grads_with_norm_(p, 1.0, 5.0),
        lambda p: utils.get_total_norm(p),
        lambda p: mg.optim.SGD([{"params": p}], lr=1.0),
    ):
        with pytest.warns(UserWarning, match="got a generator that gives no parameters") as caught:
            clip(parameters)
        assert caught[0].filename == __file__
        with pytest.raises(errors.DTypeError, match=r"model\.parameters\(\)"):
            clip(model.named_parameters())
    for clip in (utils.clip_grad_norm_, utils.clip_grad_value_):
        with pytest.raises(errors.DTypeError, match=r"this is a Linear: write model\.parameters\(\)"):
            clip(model, 1.0)


def test_gradients_that_are_numpy_scalars_are_clipped():
    p = nn.Parameter(3.0)
    p.grad = mg.tensor(12.0)
    p.grad.data = np.float64(12.0)
    assert utils.clip_grad_norm_([p], 1.0) == 12.0
    assert p.grad.item() == pytest.approx(1, rel=1e-6)
    p.grad.data = np.float64(12.0)
    utils.clip_grad_value_([p], 1.0)
    assert p.grad.item() == 1


def test_a_norm_that_is_known_already():
    p = with_gradients([3.0, 4.0])
    utils.clip_grads_with_norm_(p, 1.0, mg.tensor(10.0))
    np.testing.assert_allclose(p[0].grad, [0.3, 0.4], rtol=1e-6)
    utils.clip_grads_with_norm_(p, 1.0, 0.5)
    np.testing.assert_allclose(p[0].grad, [0.3, 0.4], rtol=1e-6)


def test_values_of_half_precision_are_cut_at_any_bound():
    p = with_gradients([3.0, -4.0])
    p[0].grad = p[0].grad.astype(np.float16)
    for bound in (np.inf, 1e30):
        utils.clip_grad_value_(p, bound)
        assert p[0].grad.tolist() == [3.0, -4.0]


def test_without_a_check_nan_spreads_as_in_pytorch():
    p = with_gradients([1.0, np.nan], [2.0])
    assert np.isnan(utils.clip_grad_norm_(p, 1.0))
    assert np.isnan(p[1].grad.data).all()


def test_values_are_cut():
    p = with_gradients([3.0, -0.1, -7.0])
    utils.clip_grad_value_(p, 1.0)
    assert p[0].grad.tolist() == [1.0, -0.1, -1.0]
    for bad in (-1.0, np.nan):
        with pytest.raises(errors.ArgumentError, match="clip_value must be a number of at least 0"):
            utils.clip_grad_value_(p, bad)


# Vectors


def test_parameters_as_a_vector_and_back():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    vector = utils.parameters_to_vector(model.parameters())
    assert vector.shape == (13,)
    assert vector.requires_grad
    other = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    addresses = [p.data.ctypes.data for p in other.parameters()]
    utils.vector_to_parameters(vector, other.parameters())
    assert [p.data.ctypes.data for p in other.parameters()] == addresses
    np.testing.assert_array_equal(utils.parameters_to_vector(other.parameters()).data, vector.data)
    utils.vector_to_parameters(list(range(13)), other.parameters())
    assert other[1].bias.tolist() == [12]


def test_the_vector_is_differentiable():
    def norm(*parameters):
        return (utils.parameters_to_vector(parameters) ** 2).sum()

    assert mg.gradcheck(norm, (RNG.normal(size=(2, 2)), RNG.normal(size=3)))


@pytest.mark.parametrize("size", [0, 12, 14])
def test_a_vector_of_another_length_changes_nothing(size):
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = utils.parameters_to_vector(model.parameters()).data.copy()
    with pytest.raises(errors.ShapeError, match=rf"the parameters have 13 elements, the vector has \({size},\)"):
        utils.vector_to_parameters(mg.zeros(size), model.parameters())
    with pytest.raises(errors.ShapeError, match=r"the vector has \(13, 1\)"):
        utils.vector_to_parameters(mg.zeros((13, 1)), model.parameters())
    np.testing.assert_array_equal(utils.parameters_to_vector(model.parameters()).data, before)


def test_writing_a_vector_makes_old_graphs_stale():
    p = nn.Parameter([1.0, 2.0])
    loss = (p * p).sum()
    utils.vector_to_parameters([3.0, 4.0], [p])
    with pytest.raises(errors.StaleValueError, match=r"test_utils\.py"):
        loss.backward()


# Weight normalization


@each("dim", [0, 1, -1, None])
@pytest.mark.parametrize("make", [
    lambda: nn.Linear(3, 2), lambda: nn.Conv1d(3, 2, 2), lambda: nn.ConvTranspose1d(3, 2, 2),
])  # fmt: skip
def test_weight_norm_changes_nothing_at_first(make, dim):
    layer = make()
    x = RNG.normal(size=(2, 3) if isinstance(layer, nn.Linear) else (2, 3, 4))
    before, weight = layer(x).data, layer.weight.tolist()
    assert utils.weight_norm(layer, dim=dim) is layer
    np.testing.assert_allclose(layer(x).data, before)
    assert sorted(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    assert sorted(name for name, _ in layer.named_parameters()) == ["bias", "weight_g", "weight_v"]
    np.testing.assert_allclose(utils.remove_weight_norm(layer).weight.data, weight)


def test_an_axis_that_there_is_not_changes_nothing():
    for install in (utils.weight_norm, utils.spectral_norm):
        layer = nn.Linear(3, 2)
        with pytest.raises(errors.AxisError):
            install(layer, dim=2)
        assert sorted(layer.state_dict()) == ["bias", "weight"]


def test_the_length_is_trained_apart_from_the_direction():
    layer = utils.weight_norm(nn.Linear(3, 2))
    optimizer = mg.optim.SGD(layer.parameters(), lr=0.1)
    x = RNG.normal(size=(4, 3))
    for _ in range(3):
        optimizer.zero_grad()
        (layer(x) ** 2).sum().backward()
        assert layer.weight_g.grad is not None
        # The direction does not become longer or shorter at first order.
        np.testing.assert_allclose(np.vecdot(layer.weight_v.grad.data, layer.weight_v.data), 0, atol=1e-10)
        optimizer.step()
    layer(x)
    np.testing.assert_allclose(np.linalg.norm(layer.weight.data, axis=1), np.abs(layer.weight_g.data[:, 0]))


def test_removal_keeps_the_last_step():
    layer = utils.weight_norm(nn.Linear(3, 2))
    expected = -layer.weight.data
    layer.weight_g.data[...] *= -1  # as a step of an optimizer would
    np.testing.assert_allclose(utils.remove_weight_norm(layer).weight.data, expected)
    layer = utils.spectral_norm(nn.Linear(3, 2))
    layer.weight_orig.data[...] = w = RNG.normal(size=(2, 3))
    expected = w / (layer.weight_u.data @ w @ layer.weight_v.data)
    np.testing.assert_allclose(utils.remove_spectral_norm(layer).weight.data, expected)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_after_removal_the_layer_is_as_before(name):
    layer = getattr(utils, name)(nn.Linear(3, 2))
    layer(np.ones(3)).sum().backward()
    getattr(utils, "remove_" + name)(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert isinstance(layer.weight, nn.Parameter)
    layer(np.ones(3)).sum().backward()
    assert layer.weight.grad is not None
    getattr(utils, name)(layer)  # once more


def test_derivatives_of_a_normalized_weight():
    for layer in (utils.weight_norm(nn.Linear(3, 2)), utils.spectral_norm(nn.Linear(3, 2)).eval()):
        paths = [name for name, _ in layer.named_parameters()]
        x = RNG.normal(size=(2, 3))

        def function(*parameters, layer=layer, paths=paths, x=x):
            return nn.functional_call(layer, dict(zip(paths, parameters, strict=True)), x)

        assert mg.gradcheck(function, tuple(layer.parameters()))
        assert mg.gradgradcheck(function, tuple(layer.parameters()))


# Spectral normalization


@pytest.mark.parametrize("make", [
    lambda: nn.Linear(4, 3), lambda: nn.Conv2d(2, 3, 2), lambda: nn.ConvTranspose2d(2, 3, 2),
])  # fmt: skip
def test_the_largest_singular_value_becomes_one(make):
    layer = make()
    transposed = isinstance(layer, nn.ConvTranspose2d)
    utils.spectral_norm(layer, n_power_iterations=30)
    x = np.ones((1, 4)) if isinstance(layer, nn.Linear) else np.ones((1, 2, 3, 3))
    layer(x)
    matrix = np.moveaxis(layer.weight.data, int(transposed), 0).reshape(layer.weight.shape[int(transposed)], -1)
    assert np.linalg.svd(matrix)[1][0] == pytest.approx(1, rel=1e-6)
    assert sorted(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    assert sorted(name for name, _ in layer.named_parameters()) == ["bias", "weight_orig"]


def test_the_vectors_move_in_training_only():
    layer = utils.spectral_norm(nn.Linear(4, 3))
    nn.init.normal_(layer.weight_orig)

    def vectors():
        return layer.weight_u.tolist(), layer.weight_v.tolist()

    layer.eval()
    before = vectors()
    one = layer(np.ones(4)).tolist()
    assert layer(np.ones(4)).tolist() == one
    assert vectors() == before
    layer.train()
    layer(np.ones(4))
    assert vectors() != before


@pytest.mark.parametrize("install", [utils.weight_norm, utils.spectral_norm])
def test_normalized_layers_are_copied_saved_and_converted(install):
    layer = install(nn.Linear(3, 2)).eval()
    x = RNG.normal(size=(2, 3))
    expected = layer(x).data
    for made in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), install(nn.Linear(3, 2)).eval()):
        made.load_state_dict(layer.state_dict())
        np.testing.assert_allclose(made(x).data, expected)
        nn.init.zeros_(made.bias)
        made(x).sum().backward()
        assert all(p.grad is None for p in layer.parameters())
        getattr(utils, "remove_" + install.__name__)(made)
    y = layer.astype(np.float32)(x.astype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data, expected, rtol=1e-5)


def test_both_and_several_names():
    layer = nn.LSTM(2, 3)
    utils.weight_norm(layer, "weight_ih_l0")
    utils.weight_norm(layer, "weight_hh_l0")
    y, _ = layer(RNG.normal(size=(3, 2)))
    y.sum().backward()
    assert layer.weight_hh_l0_g.grad is not None
    utils.remove_weight_norm(layer, "weight_ih_l0")
    assert {"weight_hh_l0_g", "weight_hh_l0_v", "weight_ih_l0"} < set(layer.state_dict())


@each(("call", "text"), [
    (lambda: utils.weight_norm(nn.Linear(2, 1), "wieght"), "Linear has no parameter 'wieght'$"),
    (lambda: utils.weight_norm(nn.Linear(2, 1, bias=False), "bias"), "Linear has no parameter 'bias'"),
    (lambda: utils.weight_norm(utils.weight_norm(nn.Linear(2, 1))), "Linear has no parameter 'weight' any more"),
    (lambda: utils.remove_weight_norm(nn.Linear(2, 1)), "'weight' of Linear is not computed by weight_norm"),
    (lambda: utils.remove_weight_norm(utils.spectral_norm(nn.Linear(2, 1))), "is not computed by weight_norm"),
    (lambda: utils.remove_spectral_norm(nn.Linear(2, 1)), "'weight' of Linear is not computed by spectral_norm"),
    (lambda: utils.spectral_norm(nn.Linear(2, 1), n_power_iterations=0), "n_power_iterations must be an integer"),
])  # fmt: skip
def test_what_cannot_be_normalized(call, text):
    with pytest.raises(errors.ArgumentError, match=text):
        call()
