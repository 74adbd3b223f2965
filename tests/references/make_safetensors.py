"""Writes what PyTorch saves: torch_model.safetensors, torch_bfloat16.safetensors and torch_optimizers.json.

This needs PyTorch 2.13 and safetensors, installed in an environment of their own.  The test suite only reads the files:
``python tests/references/make_safetensors.py``.

The model's file holds its state_dict, and as ``input``, ``output`` and ``output64`` a batch and what the model makes of
it in float32 and in float64.  The optimizers' file holds for each the parameter and the state_dict after three steps,
Tensors in it as ``{"tensor": [...]}``, and the parameter after two more.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent
OPTIMIZERS = {
    "SGD": {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "Adam": {"lr": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1, "betas": (0.8, 0.95)},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.1},
    "Adadelta": {"eps": 1e-3},
    "Adamax": {},
    "NAdam": {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1},
    "RAdam": {"lr": 0.1, "betas": (0.9, 0.9)},
    "Rprop": {},
    "ASGD": {"lr": 0.1, "t0": 1},
    "Adafactor": {"lr": 0.1},
    "LBFGS": {"lr": 0.3, "max_iter": 2, "history_size": 3},
}


def loss(w):
    """What the optimizers minimize; the test has the same."""
    return (w**4).sum() + (w * torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.1, -1.0]])).sum()


def model():
    """A model with buffers, in eval mode, after two batches."""
    torch.manual_seed(0)
    made = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, padding=1),
        torch.nn.BatchNorm2d(3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(3 * 4 * 4, 5),
    )
    for _ in range(2):
        made(torch.randn(4, 2, 4, 4))
    return made.eval()


def plain(tree):
    """A state_dict as JSON has it."""
    if isinstance(tree, torch.Tensor):
        return {"tensor": tree.tolist()}
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    return [plain(value) for value in tree] if isinstance(tree, (list, tuple)) else tree


def steps(optimizer, w, count):
    """So many steps; the parameter then."""

    def closure():
        optimizer.zero_grad()
        value = loss(w)
        value.backward()
        return value

    for _ in range(count):
        optimizer.step(closure)
    return w.tolist()


def main():
    """Write the files."""
    torch.set_num_threads(1)
    made, x = model(), torch.randn(2, 2, 4, 4)
    with torch.no_grad():
        results = {"input": x, "output": made(x), "output64": made.double()(x.double())}
    save_file({**made.float().state_dict(), **results}, FOLDER / "torch_model.safetensors", {"format": "pt"})

    values = [0.0, -0.0, 1.0, -3.140625, 1e38, 1e-40, float("inf"), float("-inf"), float("nan")]
    short = torch.tensor(values).bfloat16()
    named = {"short": short, "long": short.float(), "none": torch.zeros((0, 2), dtype=torch.bfloat16)}
    save_file(
        {**named, "count": torch.tensor(3), "flags": torch.tensor([True, False])}, FOLDER / "torch_bfloat16.safetensors"
    )

    torch.set_default_dtype(torch.float64)
    kept = {}
    for name, options in OPTIMIZERS.items():
        w = torch.tensor([[0.3, -0.2, 1.5], [2.0, -1.0, 0.7]], requires_grad=True)
        optimizer = getattr(torch.optim, name)([w], **options)
        before, state = steps(optimizer, w, 3), plain(optimizer.state_dict())
        kept[name] = {"before": before, "state": state, "after": steps(optimizer, w, 2)}
    text = json.dumps(kept, indent=None, separators=(",", ":")).replace('},"', '},\n"')
    (FOLDER / "torch_optimizers.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
