"""How long it takes to draw large graphs, and how many boxes the pictures have.

    python tests/benchmarks/drawing.py          # up to 10,000 nodes
    python tests/benchmarks/drawing.py --large  # and a chain of 1,000,000 operations, which takes a gigabyte of memory

Each graph is drawn from the Tensor to the finished file; a second figure tells how long its computation had taken.
"""

import argparse
import os
import tempfile
import time

import numpy as np

import minigrad as mg
from minigrad import graph, nn


def loop(turns):
    x = mg.tensor(1.0, requires_grad=True, name="x")
    y = x
    for _ in range(turns):
        y = mg.sin(y) * 1.1 + x
    return y


def transformer(layers):
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0), layers)
    with graph.profile():
        return model(mg.tensor(np.random.default_rng(0).normal(size=(10, 2, 32)))).sum()


def tangle(nodes):
    """No two parts of it are alike."""
    rng = np.random.default_rng(0)
    values = [mg.tensor(rng.normal(size=3), requires_grad=True) for _ in range(5)]
    functions = [mg.sin, mg.tanh, mg.cos, mg.sigmoid]
    while len(values) < nodes:
        back = rng.integers(1, min(len(values), 8), 2)
        if rng.random() < 0.5:
            values.append(functions[rng.integers(4)](values[-back[0]]))
        else:
            values.append(values[-back[0]] * values[-back[1]])
    return sum(value.sum() for value in values[-8:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--output", help="a folder to keep the pictures in")
    options = parser.parse_args()
    workloads = {
        "loop of 3,333 turns": lambda: loop(3333),
        "encoder of 180 layers": lambda: transformer(180),
        "random graph": lambda: tangle(12000),
    }
    if options.large:
        workloads["loop of 333,333 turns"] = lambda: loop(333_333)
    print(f"{'graph':24} {'nodes':>10} {'boxes':>6} {'computed':>9} {'svg':>8} {'png':>8} {'html':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in workloads.items():
            start = time.perf_counter()
            y = make()
            computed = time.perf_counter() - start
            took = []
            for form in ("svg", "png", "html"):
                path = os.path.join(options.output or folder, f"{name.replace(' ', '-').replace(',', '')}.{form}")
                start = time.perf_counter()
                picture = graph.draw(y, path=path)
                took.append(time.perf_counter() - start)
            boxes = picture.source.count(" [label=<<TABLE")
            times = " ".join(f"{seconds:6.2f} s" for seconds in took)
            print(f"{name:24} {len(graph.capture(y)):10,} {boxes:6} {computed:7.2f} s {times}")


if __name__ == "__main__":
    main()
