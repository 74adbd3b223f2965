"""The main job in one script: check gradients, train on real data, minimise a function, draw a graph.

Run it with ``python examples/quickstart.py``; it needs scikit-learn for its handwritten digits.
"""

import argparse
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

import minigrad as mg
from minigrad import nn, objectives, optim
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter


def digits():
    """1,797 real digits of 8 x 8 pixels, scaled to 0..1; a quarter is held out for the test and for nothing else."""
    images, labels = load_digits(return_X_y=True)
    return train_test_split(images / 16, labels, test_size=0.25, stratify=labels, random_state=0)


def classifier(hidden):
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def check_gradients(images, labels):
    """Compare every derivative of a small classifier's loss with finite differences, in float64."""
    model = nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10))
    names, parameters = zip(*model.named_parameters(), strict=True)

    def loss(*values):
        return F.cross_entropy(nn.functional_call(model, dict(zip(names, values, strict=True)), images), labels)

    mg.gradcheck(loss, parameters)
    return sum(parameter.size for parameter in parameters)


def train(model, images, labels, epochs):
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    order = np.random.default_rng(0)
    history = []
    for _ in (bar := mg.progress.Progress(range(epochs), "training")):
        losses = []
        for rows in np.array_split(order.permutation(len(images)), len(images) // 32):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images[rows]), labels[rows], label_smoothing=0.1)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history.append(np.mean(losses))
        bar.note(f"loss {history[-1]:.4f}")
    return history


def accuracy(model, images, labels):
    with mg.no_grad():
        return float((model(images).numpy().argmax(axis=1) == labels).mean())


def minimise_rosenbrock(steps):
    """Walk down Rosenbrock's valley from (-1.5, 2); the gradient comes from the graph."""
    w = mg.tensor([-1.5, 2.0], requires_grad=True, name="w")
    optimizer = optim.Adam([w], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = objectives.rosenbrock(w)
        loss.backward()
        optimizer.step()
    return w.tolist(), loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="train for a few epochs only")
    parser.add_argument("--output", default="quickstart.svg", help="where to save the picture of the model's graph")
    options = parser.parse_args()
    start = time.perf_counter()
    mg.manual_seed(0)

    train_images, test_images, train_labels, test_labels = digits()
    count = check_gradients(train_images[:5], train_labels[:5])
    print(f"gradients    {count} derivatives of a small classifier's loss agree with finite differences, in float64")

    mg.set_default_dtype(np.float32)
    model = classifier(128)
    train_images, test_images = train_images.astype(np.float32), test_images.astype(np.float32)
    history = train(model, train_images, train_labels, epochs=5 if options.quick else 40)
    print(f"training     {sum(p.size for p in model.parameters()):,} parameters, float32, {len(train_images)} images")
    print(f"             {'epoch':>8} {'loss':>8}")
    for epoch in sorted({1, 2, 5, 10, 20, len(history)} & set(range(1, len(history) + 1))):
        print(f"             {epoch:>8} {history[epoch - 1]:>8.4f}")
    right = accuracy(model, test_images, test_labels)
    print(f"test         {right:.2%} of {len(test_images)} held-out digits are recognised")

    mg.set_default_dtype(np.float64)
    point, value = minimise_rosenbrock(500 if options.quick else 2000)
    print(f"Rosenbrock   from (-1.5, 2) to ({point[0]:.6f}, {point[1]:.6f}), where the value is {value:.1e}")

    loss = F.cross_entropy(model(train_images[:32]), train_labels[:32])
    mg.graph.draw(loss, path=options.output, names=dict(model.named_parameters()))
    print(f"graph        of the model's loss drawn in {options.output}")
    print(f"time         {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other more than they work
        main()
