"""How much memory an epoch of a convolutional network takes: the peak beyond what the process had before.

    python tests/benchmarks/memory.py                          # minigrad
    python tests/benchmarks/memory.py --torch PYTHON           # and PyTorch, in an environment that has it

The model is that of examples/mnist_cnn.py, on as many images of that size; the same code runs on both.  Linux only: the
figures are the kernel's own (`VmRSS` before, `VmHWM` after).
"""

import argparse
import os
import subprocess
import sys

COUNT, BATCH = 4000, 64


def kilobytes(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def epoch(nn, functional, optim, tensor):
    """One epoch; returns the peak beyond the start, in MB."""
    import numpy as np

    def block(channels, filters):
        layers = nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters)
        return *layers, nn.ReLU(), nn.MaxPool2d(2)

    def train(model, images, labels):
        optimizer = optim.AdamW(model.parameters())
        for start in range(0, len(images), BATCH):
            optimizer.zero_grad()
            part = slice(start, start + BATCH)
            functional.cross_entropy(model(tensor(images[part])), tensor(labels[part])).backward()
            optimizer.step()

    rng = np.random.default_rng(0)
    images = rng.standard_normal((COUNT, 1, 28, 28), dtype=np.float32)
    labels = rng.integers(0, 10, COUNT)
    model = nn.Sequential(*block(1, 16), *block(16, 32), *block(32, 64), nn.Flatten(), nn.Linear(64 * 3 * 3, 10))
    train(model, images[:2], labels[:2])  # loads code that is loaded when it is first needed
    before = kilobytes("VmRSS")
    train(model, images, labels)
    return (kilobytes("VmHWM") - before) / 1000


def measure(kind):
    if kind == "torch":
        import torch

        torch.set_num_threads(1)
        return epoch(torch.nn, torch.nn.functional, torch.optim, torch.tensor)
    import numpy as np

    import minigrad as mg

    mg.set_default_dtype(np.float32)
    return epoch(mg.nn, mg.nn.functional, mg.optim, mg.tensor)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", help="a Python that can import torch")
    parser.add_argument("--measure", choices=["minigrad", "torch"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(measure(options.measure))
        return
    pythons = {"minigrad": sys.executable} | ({"torch": options.torch} if options.torch else {})
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    peaks = {}
    for kind, python in pythons.items():
        command = [python, __file__, "--measure", kind]
        runs = [subprocess.run(command, capture_output=True, text=True, check=True, env=environment) for _ in range(3)]
        peaks[kind] = sorted(float(run.stdout) for run in runs)[1]
        print(f"{kind:10} {peaks[kind]:7.1f} MB beyond the start")
    if len(peaks) == 2:
        print(f"ratio      {peaks['minigrad'] / peaks['torch']:7.2f}")


if __name__ == "__main__":
    main()
