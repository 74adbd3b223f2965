"""One call of every layer, for what all of them have in common.

An input is a shape, for which numbers are drawn, or an array that is taken as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn

N = np.array


@dataclass(frozen=True)
class Call:
    """A layer and its inputs."""

    name: str
    make: Callable[[], nn.Module]
    shapes: tuple[Any, ...]
    batch: int | None  # the axis of the batch, None if there is none that may be empty
    single: bool  # whether inputs without a batch are taken, too
    orders: int  # of derivatives to be checked
    random: bool
    domain: Callable[[np.ndarray], np.ndarray]
    same: bool  # whether all inputs are one

    def __str__(self) -> str:
        return self.name

    def inputs(self, dtype: Any = np.float64) -> list[np.ndarray]:
        rng = np.random.default_rng(len(self.name))
        drawn = [self.domain(rng.normal(size=x)).astype(dtype) if isinstance(x, tuple) else x for x in self.shapes]
        return drawn[:1] * len(drawn) if self.same else drawn

    def layer(self, dtype: Any = np.float64) -> nn.Module:
        """A new layer, always with the same numbers."""
        mg.manual_seed(1)
        made = self.make()
        if self.name.startswith("MultiheadAttention"):  # its biases would be 0
            for p in made.parameters():
                nn.init.normal_(p, std=0.5)
        return made.astype(dtype)


CALLS: list[Call] = []


def call(
    make: Callable[[], nn.Module],
    *shapes: Any,
    batch: int | None = 0,
    single: bool = False,
    orders: int = 1,
    random: bool = False,
    domain: Any = np.asarray,
    same: bool = False,
    tag: str = "",
) -> None:
    name = type(make()).__name__ + tag
    CALLS.append(Call(name, make, shapes, batch, single, orders, random, domain, same))


# Activations

for kind in (
    nn.CELU, nn.ELU, nn.GELU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU, nn.LogSigmoid,
    nn.Mish, nn.PReLU, nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Softshrink, nn.Softsign,
    nn.Tanh, nn.Tanhshrink,
):  # fmt: skip
    call(kind, (4, 3), single=True, orders=2)
call(lambda: nn.GELU("tanh"), (4, 3), single=True, orders=2, tag=" tanh")
call(lambda: nn.PReLU(3), (4, 3), orders=2, tag=" channels")
call(lambda: nn.Threshold(0.1, 2.0), (4, 3), single=True)
call(nn.RReLU, (4, 3), single=True, random=True)
call(nn.GLU, (2, 4), single=True, orders=2)
for kind in (nn.Softmax, nn.LogSoftmax, nn.Softmin):
    call(lambda kind=kind: kind(dim=-1), (2, 3), single=True, orders=2)
call(nn.Softmax2d, (2, 3, 2, 1), single=True)

# Linear

call(nn.Identity, (2, 3), single=True)
call(lambda: nn.Linear(3, 2), (4, 3), single=True, orders=2)
call(lambda: nn.Linear(3, 2, bias=False), (2, 4, 3), single=True, tag=" without bias")
call(lambda: nn.Bilinear(3, 2, 4), (5, 3), (5, 2), single=True, orders=2)
call(nn.Flatten, (2, 3, 4))
call(lambda: nn.Unflatten(1, (2, 2)), (3, 4))

# Convolution and pooling

SIZES = ((5,), (3, 4), (2, 3, 2))
for d, size in enumerate(SIZES, start=1):

    def of(kind: str, *args: Any, d: int = d, **options: Any) -> Callable[[], nn.Module]:
        return lambda: getattr(nn, f"{kind}{d}d")(*args, **options)

    batch = (2, 2, *size)
    call(of("Conv", 2, 2, 2), batch, single=True, orders=2 if d < 3 else 1)
    call(of("Conv", 2, 4, 2, stride=2, padding=1, groups=2), batch, single=True, tag=" grouped")
    call(of("Conv", 2, 1, 2, padding="same", padding_mode="circular"), batch, single=True, tag=" circular")
    call(of("ConvTranspose", 2, 2, 2, stride=2), batch, single=True, orders=2 if d < 3 else 1)
    call(of("ConvTranspose", 2, 4, 2, padding=1, groups=2, dilation=2), batch, single=True, tag=" grouped")
    call(of("MaxPool", 2, padding=1), batch, single=True, orders=2)
    call(of("AvgPool", 2, padding=1), batch, single=True, orders=2)
    call(of("LPPool", 3, 2), batch, single=True, domain=np.exp, orders=2 if d < 3 else 1)
    call(of("AdaptiveAvgPool", 2), batch, single=True, orders=2)
    call(of("AdaptiveMaxPool", 2), batch, single=True, orders=2)
    places = np.arange(4).reshape(2, 2, *(1,) * d) % 2 + np.arange(2 if d == 1 else 1)
    call(of("MaxUnpool", 2), places.shape, places, single=True, orders=2)
    call(of("BatchNorm", 2), batch, batch=None, orders=2 if d < 3 else 1)
    call(lambda of=of: of("BatchNorm", 2)().eval(), batch, tag=" in use")
    call(of("InstanceNorm", 2, affine=True), batch, single=True, orders=2 if d < 3 else 1)
    call(of("Dropout"), batch, single=True, random=True)
    call(of("ConstantPad", 1, 1.5), batch, single=True)
    for kind in ("Zero", "Reflection", "Replication", "Circular"):
        call(of(kind + "Pad", 1), batch, single=True)

# Normalization and dropout

call(lambda: nn.BatchNorm1d(3), (4, 3), batch=None, tag=" of rows")
call(lambda: nn.GroupNorm(2, 4), (2, 4, 3), orders=2)
call(lambda: nn.LayerNorm((3, 2)), (4, 3, 2), single=True, orders=2)
call(lambda: nn.RMSNorm(3), (4, 3), single=True, orders=2)
call(lambda: nn.LocalResponseNorm(2), (2, 3, 4), orders=2)
call(nn.Dropout, (4, 3), single=True, random=True)
call(nn.AlphaDropout, (4, 3), single=True, random=True)
call(nn.FeatureAlphaDropout, (4, 3, 2), random=True)

# Embeddings, folding, resizing, distances

WORDS = N([[1, 2, 1], [0, 2, 4]])
call(lambda: nn.Embedding(5, 3, padding_idx=2), WORDS, single=True, orders=0)
call(lambda: nn.Embedding(5, 3), WORDS, single=True, orders=2, tag=" without padding")
for mode in ("sum", "mean", "max"):
    call(lambda mode=mode: nn.EmbeddingBag(5, 3, mode=mode), WORDS, orders=2, tag=" " + mode)
call(lambda: nn.Unfold(2, padding=1), (2, 2, 2, 3), single=True, orders=2)
call(lambda: nn.Fold((2, 3), 2), (2, 4, 2), single=True, orders=2)
call(lambda: nn.PixelShuffle(2), (2, 4, 2, 3), single=True)
call(lambda: nn.PixelUnshuffle(2), (2, 1, 4, 2), single=True)
call(lambda: nn.ChannelShuffle(2), (2, 4, 3))
call(lambda: nn.Upsample(scale_factor=1.5, mode="linear"), (2, 1, 4))
call(lambda: nn.Upsample(size=3, mode="bicubic"), (2, 1, 4, 2), tag=" bicubic")
call(lambda: nn.UpsamplingNearest2d(scale_factor=2), (2, 1, 2, 3))
call(lambda: nn.UpsamplingBilinear2d(scale_factor=2), (2, 1, 2, 3))
call(nn.CosineSimilarity, (4, 3), (4, 3), orders=2)
call(nn.PairwiseDistance, (4, 3), (4, 3), single=True, orders=2)

# Recurrent layers and attention

for kind in (nn.RNN, nn.LSTM, nn.GRU):
    call(lambda kind=kind: kind(2, 3, bidirectional=True), (3, 2, 2), batch=1, single=True)
    call(lambda kind=kind: kind(2, 2), (2, 1, 2), batch=1, single=True, orders=2, tag=" small")
for kind in (nn.RNNCell, nn.LSTMCell, nn.GRUCell):
    call(lambda kind=kind: kind(2, 3), (4, 2), single=True, orders=2)
call(lambda: nn.MultiheadAttention(4, 2), (3, 2, 4), (3, 2, 4), (3, 2, 4), batch=1, single=True, same=True)
call(lambda: nn.MultiheadAttention(2, 1, kdim=3), (2, 1, 2), (3, 1, 3), (3, 1, 2), batch=1, orders=2, tag=" of two")


def encoder_layer(**options: Any) -> nn.Module:
    return nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, **options)


def decoder_layer(**options: Any) -> nn.Module:
    return nn.TransformerDecoderLayer(4, 2, 6, dropout=0.0, **options)


call(encoder_layer, (3, 2, 4), batch=1, single=True)
call(lambda: encoder_layer(batch_first=True, norm_first=True, activation="gelu"), (2, 3, 4), tag=" norm first")
call(decoder_layer, (3, 2, 4), (2, 2, 4), batch=1, single=True)
call(lambda: nn.TransformerEncoder(encoder_layer(), 2, nn.LayerNorm(4)), (3, 2, 4), batch=1, single=True, orders=0)
call(lambda: nn.TransformerDecoder(decoder_layer(), 2), (3, 2, 4), (2, 2, 4), batch=1, single=True, orders=0)
call(lambda: nn.Transformer(4, 2, 1, 1, 6, dropout=0.0), (3, 2, 4), (2, 2, 4), batch=1, single=True, orders=0)
call(
    lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 6], div_value=2.0, head_bias=True), (3, 4), N([1, 8, 4]),
    batch=None, single=False, orders=2,
)  # fmt: skip

# Losses

LABELS, SIGNS = N([2, 0, 1, 1]), N([1, -1, -1, 1])


def chance(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


call(nn.MSELoss, (4, 3), (4, 3), batch=None, orders=2)
call(nn.L1Loss, (4, 3), (4, 3), batch=None, orders=2)
call(nn.HuberLoss, (4, 3), (4, 3), batch=None, orders=2)
call(nn.SmoothL1Loss, (4, 3), (4, 3), batch=None, orders=2)
call(nn.PoissonNLLLoss, (4, 3), (4, 3), batch=None, domain=np.exp, orders=2)
call(nn.GaussianNLLLoss, (4, 3), (4, 3), (4, 3), batch=None, domain=np.exp, orders=2)
call(nn.KLDivLoss, (4, 3), (4, 3), batch=None, domain=chance, orders=2)
call(nn.CrossEntropyLoss, (4, 3), LABELS, batch=None, orders=2)
call(lambda: nn.CrossEntropyLoss(mg.ones(3)), (2, 3, 2), LABELS.reshape(2, 2), batch=None, orders=2, tag=" weighted")
call(nn.CrossEntropyLoss, (4, 3), (4, 3), batch=None, orders=2, tag=" of chances")
call(nn.NLLLoss, (4, 3), LABELS, batch=None, orders=2)
call(nn.BCELoss, (4, 3), (4, 3), batch=None, domain=chance, orders=2)
call(nn.BCEWithLogitsLoss, (4, 3), (4, 3), batch=None, domain=chance, orders=2)
call(nn.SoftMarginLoss, (4,), SIGNS, batch=None, orders=2)
call(nn.MultiLabelSoftMarginLoss, (4, 3), (4, 3), batch=None, domain=chance, orders=2)
call(nn.MultiMarginLoss, (4, 3), LABELS, batch=None, orders=2)
call(nn.MultiLabelMarginLoss, (2, 3), N([[2, 0, -1], [1, -1, 0]]), batch=None, orders=2)
call(nn.MarginRankingLoss, (4,), (4,), SIGNS, batch=None, orders=2)
call(nn.HingeEmbeddingLoss, (4,), SIGNS, batch=None, orders=2)
call(nn.CosineEmbeddingLoss, (4, 3), (4, 3), SIGNS, batch=None, orders=2)
call(lambda: nn.TripletMarginLoss(margin=2.0), (4, 3), (4, 3), (4, 3), batch=None, orders=2)
call(lambda: nn.TripletMarginWithDistanceLoss(margin=2.0), (4, 3), (4, 3), (4, 3), batch=None, orders=2)
SEQUENCES = N([[1, 2], [2, 0]]), N([4, 3]), N([2, 1])
call(nn.CTCLoss, (4, 2, 3), *SEQUENCES, batch=None, domain=lambda z: -np.exp(z), orders=2)

# What is no layer, or has no `forward` of its own
OTHERS = {
    "Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "RNNBase", "RNNCellBase",
}  # fmt: skip
