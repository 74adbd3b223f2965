"""PyTorch with `torch.compile` of the loss: its backward pass is compiled with it, the optimizer is not."""

import os

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # read when torch is imported

import torch

from peers import torch_eager, wrapped

NAMES = [
    "rosenbrock", "scalar_expr", "linreg_minibatch", "softmax_digits", "mlp_digits", "hessian", "hvp",
    "mlp_large", "elementwise_chain", "cnn_small", "transformer_small", "batchnorm_cnn", "vae",
]  # fmt: skip
globals().update(wrapped(torch_eager, torch.compile, NAMES))
