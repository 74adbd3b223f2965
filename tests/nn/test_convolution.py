"""Convolutions, folding, padding and resizing: sizes, and what does not fit."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors, nn
from tests.rows import each

F = nn.functional
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _seed():
    mg.manual_seed(0)


# Convolution


@each("kernel", [1, 2, 3, 4])
@each("dilation", [1, 2, 3])
@each("length", [1, 2, 5])
def test_same_keeps_the_length_even_if_the_kernel_is_longer(kernel, dilation, length):
    layer = nn.Conv1d(1, 1, kernel, padding="same", dilation=dilation)
    assert layer(mg.ones((2, 1, length))).shape == (2, 1, length)


def test_each_group_sees_its_own_channels():
    x = RNG.normal(size=(2, 4, 5))
    layer = nn.Conv1d(4, 6, 2, groups=2)
    halves = [F.conv1d(x[:, i : i + 2], layer.weight[j : j + 3]) for i, j in ((0, 0), (2, 3))]
    expected = np.concatenate([h.data for h in halves], axis=1) + layer.bias.data[:, None]
    np.testing.assert_allclose(layer(x).data, expected, rtol=1e-12)


@pytest.mark.parametrize(("d", "size"), [(1, (6,)), (2, (5, 6)), (3, (3, 4, 3))])
@each("stride", [1, 2])
def test_a_transposed_convolution_is_the_gradient_of_a_convolution(d, size, stride):
    x = mg.tensor(RNG.normal(size=(2, 2, *size)), requires_grad=True)
    w = RNG.normal(size=(3, 2, *(2,) * d))
    y = getattr(F, f"conv{d}d")(x, w, stride=stride, padding=1)
    g = RNG.normal(size=y.shape)
    (y * g).sum().backward()
    missing = [n - ((m - 1) * stride - 2 + 2) for n, m in zip(size, y.shape[2:], strict=True)]
    back = getattr(F, f"conv_transpose{d}d")(g, w, stride=stride, padding=1, output_padding=missing)
    np.testing.assert_allclose(x.grad, back, rtol=1e-12, atol=1e-12)


def test_every_output_size_can_be_had():
    layer = nn.ConvTranspose1d(1, 1, 2, stride=3)
    for n in (5, 6, 7):
        for size in ((n,), [n], (2, 1, n)):
            assert layer(mg.ones((2, 1, 2)), output_size=size).shape == (2, 1, n)
    for n in (4, 8):
        with pytest.raises(errors.ShapeError, match=rf"ConvTranspose1d: an output of \({n},\) .* \[5\] to \[7\]"):
            layer(mg.ones((2, 1, 2)), output_size=(n,))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_are_what_pad_makes(mode):
    x = mg.tensor(RNG.normal(size=(2, 1, 4, 5)))
    layer = nn.Conv2d(1, 2, 3, padding=(1, 2), padding_mode=mode)
    y = F.conv2d(F.pad(x, (2, 2, 1, 1), mode), layer.weight, layer.bias)
    np.testing.assert_allclose(layer(x).data, y.data, rtol=1e-12)


def test_initial_values_stay_within_the_bound():
    layer = nn.Conv2d(4, 50, 5)
    for p in layer.parameters():
        assert 0.05 < np.abs(p.data).max() <= 0.1
    assert nn.Conv2d(1, 1, 1, bias=False).bias is None


def test_options_are_shown():
    assert repr(nn.Conv2d(4, 6, 3)) == "Conv2d(4, 6, kernel_size=(3, 3), stride=(1, 1))"
    text = repr(nn.Conv2d(4, 6, (3, 1), stride=2, padding=1, dilation=2, groups=2, bias=False))
    assert text == (
        "Conv2d(4, 6, kernel_size=(3, 1), stride=(2, 2), padding=(1, 1), dilation=(2, 2), groups=2, bias=False)"
    )
    assert "output_padding=(1,)" in repr(nn.ConvTranspose1d(1, 1, 2, stride=2, output_padding=1))
    assert "padding_mode='circular'" in repr(nn.Conv1d(1, 1, 1, padding_mode="circular"))


X = np.ones((2, 4, 5, 6))


@each(("call", "text"), [
    (lambda: nn.Conv2d(4, 6, 3, groups=3), "Conv2d: 3 groups do not divide 4 and 6 channels"),
    (lambda: nn.Conv2d(4, 6, 3, groups=0), "Conv2d: groups must be an integer of at least 1, not 0"),
    (lambda: nn.Conv2d(0, 6, 3), "Conv2d: in_channels must be an integer of at least 1, not 0"),
    (lambda: nn.Conv2d(4, 2.5, 3), "Conv2d: out_channels must be an integer of at least 1, not 2.5"),
    (lambda: nn.Conv2d(4, 6, 0), "kernel_size must be an integer of at least 1, or 2 of them, not 0"),
    (lambda: nn.Conv2d(4, 6, (3, 3, 3)), r"kernel_size must be .* or 2 of them, not \(3, 3, 3\)"),
    (lambda: nn.Conv2d(4, 6, 3, stride=0), "stride must be an integer of at least 1"),
    (lambda: nn.Conv2d(4, 6, 3, padding=-1), "Conv2d: padding must be an integer of at least 0"),
    (lambda: nn.Conv2d(4, 6, 3, dilation=1.5), "Conv2d: dilation must be an integer of at least 1"),
    (lambda: nn.Conv2d(4, 6, 3, padding="full"), "padding must be .*, 'same' or 'valid', not 'full'"),
    (lambda: nn.Conv2d(4, 6, 3, padding="same", stride=2), r"padding='same' goes with a stride of 1, not \(2, 2\)"),
    (lambda: nn.Conv2d(4, 6, 3, padding_mode="mirror"), "Conv2d: padding_mode must be 'zeros', .*, not 'mirror'"),
    (lambda: nn.ConvTranspose2d(4, 6, 3, padding_mode="reflect"), "padding_mode must be 'zeros', not 'reflect'"),
    (lambda: nn.Conv2d(3, 6, 3)(X), r"conv2d: a weight of shape \(6, 3, 3, 3\) in 1 group\(s\) does not fit an input "
                                    r"of shape \(2, 4, 5, 6\).*the input has 4 channels"),
    (lambda: nn.Conv2d(4, 6, 3)(X[0, 0]), r"conv2d: the input must have shape \(N, C, d1, d2\) or \(C, d1, d2\)"),
    (lambda: nn.Conv2d(4, 6, 3)(X[None]), "conv2d: the input must have shape"),
    (lambda: nn.Conv2d(4, 6, 3, dilation=3)(X), r"conv2d: not one window fits: a kernel of size \(3, 3\) with dilation "
                                                r"\(3, 3\) is \(7, 7\) elements wide, .* lengths \(5, 6\)"),
    (lambda: F.conv2d(X, np.ones((6, 4, 3))), r"conv2d: a weight of shape \(6, 4, 3\)"),
    (lambda: F.conv2d(X, np.ones((6, 4, 1, 1)), np.ones(5)), r"conv2d: a bias of shape \(5,\) does not fit 6 output"),
    (lambda: F.conv2d(X, np.ones((6, 4, 1, 1)), np.ones((6, 1, 1))), "conv2d: a bias of shape"),
    (lambda: F.conv2d(X, np.ones((6, 4, 0, 1))), "windows of"),
    (lambda: F.conv_transpose2d(X, np.ones((3, 2, 1, 1))), "conv_transpose2d: a weight of shape .* 4 channels"),
    (lambda: F.conv_transpose2d(X, np.ones((4, 2, 1, 1)), np.ones(3)), "conv_transpose2d: a bias of shape"),
    (lambda: F.conv_transpose2d(X, np.ones((4, 2, 1, 1)), output_padding=1), "smaller than the stride"),
    (lambda: F.conv_transpose2d(X, np.ones((4, 2, 1, 1)), padding=3), "conv_transpose2d: nothing would be left"),
])  # fmt: skip
def test_what_does_not_fit_a_convolution(call, text):
    with pytest.raises(errors.ArgumentError, match=text):
        call()


# Folding


@pytest.mark.parametrize("options", [
    {"kernel_size": 2}, {"kernel_size": (2, 3), "stride": 2}, {"kernel_size": 2, "padding": 1, "dilation": 2},
])  # fmt: skip
def test_folding_counts_how_often_each_place_is_covered(options):
    x = RNG.normal(size=(2, 3, 5, 6))
    cover = F.fold(F.unfold(np.ones_like(x), **options), (5, 6), **options)
    np.testing.assert_allclose(F.fold(F.unfold(x, **options), (5, 6), **options), x * cover, rtol=1e-12)


def test_a_convolution_is_a_product_with_unfolded_windows():
    x, w = RNG.normal(size=(2, 3, 5, 6)), RNG.normal(size=(4, 3, 2, 3))
    columns = F.unfold(x, (2, 3), stride=2)
    y = np.einsum("of,nfl->nol", w.reshape(4, -1), columns).reshape(2, 4, 2, 2)
    np.testing.assert_allclose(F.conv2d(x, w, stride=2), y, rtol=1e-12)


def test_shuffling_and_back():
    x = RNG.normal(size=(2, 8, 3, 4))
    np.testing.assert_array_equal(F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2), x)
    np.testing.assert_array_equal(F.channel_shuffle(F.channel_shuffle(x, 2), 4), x)
    np.testing.assert_array_equal(F.pixel_shuffle(x, 1), x)
    assert F.channel_shuffle(np.arange(6.0).reshape(1, 6, 1), 3).ravel().tolist() == [0, 2, 4, 1, 3, 5]


@each(("call", "text"), [
    (lambda: F.unfold(X[0, 0], 2), r"unfold: the input must have shape \(N, C, H, W\) or \(C, H, W\), not \(5, 6\)"),
    (lambda: F.unfold(X, 7), "unfold: not one window fits"),
    (lambda: F.fold(np.ones((2, 5, 4)), 3, 2), r"fold: 4 windows of 4 elements a channel make .*shape \(2, 5, 4\)"),
    (lambda: F.fold(np.ones((2, 4, 5)), 3, 2), "fold: 4 windows of 4 elements"),
    (lambda: F.fold(np.ones((2, 4, 5)), 1, 2), "fold: not one window fits"),
    (lambda: F.pixel_shuffle(np.ones((3, 2, 2)), 2), r"pixel_shuffle: 3 channels are not a multiple of 2 \* 2"),
    (lambda: F.pixel_shuffle(np.ones((2, 2)), 2), r"pixel_shuffle: the input must have shape \(..., C, H, W\)"),
    (lambda: F.pixel_shuffle(X, 0), "upscale_factor must be an integer of at least 1, not 0"),
    (lambda: F.pixel_unshuffle(X, 2), "pixel_unshuffle: images of 5 x 6 pixels cannot be divided by 2"),
    (lambda: F.channel_shuffle(X, 3), "channel_shuffle: 3 groups do not divide the channels"),
    (lambda: F.channel_shuffle(X, 0), "channel_shuffle: 0 groups"),
])  # fmt: skip
def test_what_cannot_be_folded(call, text):
    with pytest.raises(errors.ArgumentError, match=text):
        call()


# Padding and resizing


def test_negative_padding_cuts():
    x = np.arange(5.0)
    assert F.pad(x, (-1, -2)).tolist() == [1, 2]
    assert F.pad(x, (-5, 0)).tolist() == []
    assert F.pad(x, (-1, 2), mode="replicate").tolist() == [1, 2, 3, 4, 4, 4]
    assert F.pad(x, (0, 0)) is x
    assert F.pad(x, ()) is x
    assert F.pad(x, (1, 0), value=np.inf).tolist() == [np.inf, 0, 1, 2, 3, 4]


# PyTorch 2.13's values for 0, 1, 2, 3
CUT_AND_PADDED = {
    ("reflect", (-1, 1)): [1, 2, 3, 2],
    ("reflect", (1, -2)): [1, 0, 1],
    ("reflect", (3, -1)): [3, 2, 1, 0, 1, 2],
    ("reflect", (-3, 2)): [3, 2, 1],
    ("reflect", (-3, 3)): [3, 2, 1, 0],
    ("reflect", (-4, 2)): [2, 1],
    ("reflect", (-5, 3)): [1, 0],
    ("reflect", (3, -4)): [3, 2, 1],
    ("replicate", (-3, 2)): [3, 3, 3],
    ("replicate", (-5, 3)): [3, 3],
    ("replicate", (5, -1)): [0, 0, 0, 0, 0, 0, 1, 2],
    ("replicate", (2, -4)): [0, 0],
    ("circular", (-1, 1)): [1, 2, 3, 1],
    ("circular", (1, -2)): [1, 0, 1],
    ("circular", (3, -1)): [0, 1, 2, 0, 1, 2],
    ("constant", (3, -4)): [0, 0, 0],
    ("constant", (-2, 3)): [2, 3, 0, 0, 0],
}


def test_a_mirror_image_is_one_of_the_whole_whatever_is_taken_off():
    for (mode, widths), expected in CUT_AND_PADDED.items():
        assert F.pad(np.arange(4.0), widths, mode).tolist() == expected, (mode, widths)
    image = mg.tensor(np.arange(9.0).reshape(1, 3, 3), requires_grad=True)
    y = nn.ReflectionPad2d((-1, 2, 0, 0))(image)
    assert y.tolist() == [[[1, 2, 1, 0], [4, 5, 4, 3], [7, 8, 7, 6]]]
    y.sum().backward()
    assert image.grad.tolist() == [[[1, 2, 1]] * 3]
    for mode, widths in (("reflect", (-1, 4)), ("reflect", (-6, 1)), ("circular", (-3, 2)), ("constant", (-5, 3))):
        with pytest.raises(errors.ShapeError, match=r"an axis is too short|takes more off"):
            F.pad(np.arange(4.0), widths, mode)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_gradients_of_padding_are_added_up(mode):
    x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    F.pad(x, (2, 2), mode).sum().backward()
    assert x.grad.tolist() == {"reflect": [2, 3, 2], "replicate": [3, 1, 3], "circular": [2, 3, 2]}[mode]


@each(("call", "text"), [
    (lambda: F.pad(np.ones(3), 1), r"pad: two numbers for each axis, the last first, as in \(1, 1\), not 1"),
    (lambda: F.pad(np.ones(3), (1,)), r"pad: two numbers for each axis, the last first, not \(1,\) for shape \(3,\)"),
    (lambda: F.pad(np.ones(3), (1, 1, 1, 1)), "pad: two numbers for each axis"),
    (lambda: F.pad(np.ones(3), (-2, -2)), r"pad: \(-2, -2\) takes more off the edges than an array"),
    (lambda: F.pad(np.ones(3), (1, 1), "mirror"), "pad: mode must be 'constant', 'reflect', .* not 'mirror'"),
    (lambda: F.pad(np.ones(3), (1, 1), "reflect", 2.0), "pad: mode 'reflect' takes no value"),
    (lambda: F.pad(np.ones(3), (3, 0), "reflect"), "pad: mode 'reflect' cannot pad .* an axis is too short"),
    (lambda: F.pad(np.ones(3), (4, 0), "circular"), "pad: mode 'circular' cannot pad"),
    (lambda: nn.ZeroPad2d((1, 2, 3)), r"ZeroPad2d: padding is one number or 4, not \(1, 2, 3\)"),
    (lambda: nn.ZeroPad2d(1)(np.ones((2, 2))), "ZeroPad2d: the input must have 3 or 4 axes"),
    (lambda: nn.ReflectionPad1d(3)(np.ones((1, 3))), "pad: mode 'reflect' cannot pad"),
])  # fmt: skip
def test_what_cannot_be_padded(call, text):
    with pytest.raises(errors.ArgumentError, match=text):
        call()


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear", "area"])
def test_the_same_size_changes_nothing_and_a_constant_stays(mode):
    x = RNG.normal(size=(2, 3, 5))
    np.testing.assert_allclose(F.interpolate(x, size=5, mode=mode), x)
    np.testing.assert_allclose(F.interpolate(np.ones((1, 1, 5)), scale_factor=1.7, mode=mode), 1)
    assert F.interpolate(np.ones((1, 1, 1)), size=4, mode=mode).tolist() == [[[1.0] * 4]]


# PyTorch 2.13's values for the squares of 0 to 9
ANTIALIASED = {
    ("bilinear", False): ([3.525423729, 22.075757576, 57.677966102], [1.727272727, 11.56, 34.24, 64.727272727]),
    ("bilinear", True): ([7.112676056, 40.205128205, 70.761904762], [2.5, 17.333333333, 50.333333333, 75.333333333]),
    ("bicubic", False): ([1.878194208, 21.009415335, 60.539182283], [0.8108283, 10.50128382, 33.79320561, 67.40228645]),
    ("bicubic", True): ([4.320741107, 41.740896931, 81.172157623], [1.413333333, 15.81707317, 51.8452381, 80.74074074]),
}  # fmt: skip


@pytest.mark.parametrize(("mode", "aligned"), ANTIALIASED)
def test_antialiasing(mode, aligned):
    x = (np.arange(10.0) ** 2).reshape(1, 1, 1, 10)
    for expected in ANTIALIASED[mode, aligned]:
        y = F.interpolate(x, size=(1, len(expected)), mode=mode, align_corners=aligned, antialias=True)
        np.testing.assert_allclose(y.ravel(), expected, rtol=1e-8)
    np.testing.assert_allclose(F.interpolate(x, size=(3, 10), mode=mode, antialias=True), np.repeat(x, 3, axis=2))
    columns = np.swapaxes(x, 2, 3)
    down = F.interpolate(columns, size=(4, 1), mode=mode, align_corners=aligned, antialias=True)
    np.testing.assert_allclose(down.ravel(), ANTIALIASED[mode, aligned][1], rtol=1e-8)
    assert mg.gradcheck(lambda x: F.interpolate(x, size=(1, 3), mode=mode, antialias=True), (x[..., :5],))


@each(("options", "text"), [
    ({"size": 2, "mode": "linear"}, "mode 'linear' is not one of those for 2 axes: nearest"),
    ({"size": 2, "mode": "lanczos"}, "mode 'lanczos' is not one"),
    ({"size": 2, "align_corners": True}, "align_corners is for the linear and cubic modes, not for 'nearest'"),
    ({"size": 2, "antialias": True}, "antialias is for the modes 'bilinear' and 'bicubic', not for 'nearest'"),
    ({}, "give either size or scale_factor"),
    ({"size": 2, "scale_factor": 2.0}, "give either size or scale_factor"),
    ({"size": 2, "recompute_scale_factor": True}, "recompute_scale_factor goes with scale_factor"),
    ({"size": (2, 2, 2)}, "one number, or one for each of 2 axes"),
    ({"size": 0}, "nothing would be left"),
    ({"scale_factor": 0.1}, "nothing would be left"),
])  # fmt: skip
def test_what_cannot_be_resized(options, text):
    with pytest.raises(errors.ArgumentError, match="interpolate: .*" + text):
        F.interpolate(np.ones((1, 1, 4, 4)), **options)
    with pytest.raises(errors.ShapeError, match="interpolate: the input must have shape"):
        F.interpolate(np.ones((1, 4)), size=2)
