"""Store what PyTorch makes of the expressions of `dialect.py` and the programs of `dialect_programs.py`.

Run where PyTorch is installed:

    python tests/references/make_dialect.py
"""

import json
from pathlib import Path

import torch
from dialect import EXPRESSIONS, FUNCTIONS, NAMES
from dialect_programs import PROGRAMS
from torch.nn import functional


def stored(value):
    """A value as JSON: Tensors with their dtypes, tuples as lists."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        numbers = [None if v != v else v for v in value.reshape(-1).tolist()]
        return {"dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape), "numbers": numbers}
    if isinstance(value, torch.Size):
        return list(value)
    if isinstance(value, tuple | list):
        return [stored(part) for part in value]
    return str(value).removeprefix("torch.") if isinstance(value, torch.dtype) else value


def main():
    space = {"torch": torch, "F": functional}
    exec(NAMES + FUNCTIONS, space)
    values = {text: stored(eval(text, dict(space))) for text in EXPRESSIONS}
    losses = {name: program(torch, torch.nn, functional) for name, program in PROGRAMS.items()}
    path = Path(__file__).with_name("dialect.json")
    path.write_text(
        json.dumps({"torch": torch.__version__, "values": values, "losses": losses}, indent=0) + "\n", encoding="utf-8"
    )
    print(f"{len(values)} values")


if __name__ == "__main__":
    main()
