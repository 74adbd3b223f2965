"""An LSTM that reads characters one after another: Python's own help texts, whose state goes on from window to window.

Run it with ``python examples/char_lstm.py``; it needs nothing but minigrad.  Gradients go back through 64 characters,
but the state is handed on, so that the network may remember more.  ``examples/gpt.py`` learns the same texts.
"""

import argparse
import math
import time
from pydoc_data.topics import topics

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

WIDTH, HIDDEN, WINDOW, STREAMS = 64, 192, 64, 32
PROMPT = "A function is "


class CharLSTM(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.characters = nn.Embedding(characters, WIDTH)
        self.lstm = nn.LSTM(WIDTH, HIDDEN)
        self.narrow = nn.Linear(HIDDEN, WIDTH)
        self.bias = nn.Parameter(mg.zeros(characters))
        nn.init.normal_(self.characters.weight, std=WIDTH**-0.5)

    def forward(self, codes, state=None):
        hidden, state = self.lstm(self.characters(codes), state)  # the first axis is time
        return F.linear(self.narrow(hidden), self.characters.weight, self.bias), state  # tied: no second matrix


def texts():
    """The pages of Python's help() in a row, as numbers of characters: 90 % to train on, and the rest."""
    text = "\n".join(topics[key] for key in sorted(topics))
    characters, codes = np.unique(np.array(list(text)), return_inverse=True)
    cut = len(codes) * 9 // 10
    return characters, codes[:cut], codes[cut:]


def windows(codes, first=0):
    """The text cut into streams that are read side by side, window by window: what is read, and what comes next."""
    length = (len(codes) - 1 - first) // STREAMS
    streams = first + length * np.arange(STREAMS)
    for start in range(0, length, WINDOW):
        places = np.arange(start, min(start + WINDOW, length))[:, None] + streams
        yield codes[places], codes[places + 1]


def bits_of(model, inputs, targets, state, reduction="mean"):
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.ravel(), reduction=reduction)
    return loss / math.log(2), state


def train(model, codes, epochs, limit=None):
    optimizer = optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.99))
    per_epoch = min(sum(1 for _ in windows(codes)), limit or len(codes))
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=1e-2, total_steps=epochs * per_epoch, pct_start=0.1, cycle_momentum=False
    )
    rng = np.random.default_rng(0)
    history = []
    for _ in (bar := mg.progress.Progress(range(epochs), "training")):
        state, losses = None, []
        for _, (inputs, targets) in zip(range(per_epoch), windows(codes, int(rng.integers(WINDOW))), strict=False):
            optimizer.zero_grad()
            loss, state = bits_of(model, inputs, targets, state)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            schedule.step()
            state = tuple(part.detach() for part in state)  # the gradient ends here, the memory does not
            losses.append(loss.item())
        history.append(np.mean(losses))
        bar.note(f"{history[-1]:.3f} bits per character")
    return history


def bits_per_character(model, codes):
    """The mean over all characters that follow another in one of the streams, each predicted once."""
    state, total, count = None, 0.0, 0
    with mg.no_grad():
        for inputs, targets in windows(codes):
            bits, state = bits_of(model, inputs, targets, state, reduction="sum")
            total, count = total + bits.item(), count + targets.size
    return total / count


def sample(model, codes, length, rng, temperature=0.7):
    """Characters that go on from some given ones, drawn one by one."""
    found, codes, state = [], np.array(codes), None
    with mg.no_grad():
        for _ in range(length):
            logits, state = model(codes[:, None], state)
            scores = logits.numpy()[-1, 0].astype(float) / temperature
            chances = np.exp(scores - scores.max())
            codes = rng.choice(len(chances), size=1, p=chances / chances.sum())
            found.append(codes[0])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="twenty steps only, and less to evaluate")
    options = parser.parse_args()
    mg.manual_seed(0)
    mg.set_default_dtype(np.float32)

    characters, train_codes, test_codes = texts()
    if options.quick:
        options.epochs, test_codes = 1, test_codes[:5000]
    model = CharLSTM(len(characters))
    print(f"text      {len(train_codes):,} characters to train on, {len(test_codes):,} held out")
    print(f"model     {sum(p.size for p in model.parameters()):,} parameters, float32")
    start = time.perf_counter()
    history = train(model, train_codes, options.epochs, 20 if options.quick else None)
    print(f"training  {options.epochs} epochs in {time.perf_counter() - start:.0f} s")
    for epoch, bits in enumerate(history, 1):
        print(f"          {epoch:>6} {bits:.3f} bits per character")
    print(f"held out  {bits_per_character(model, test_codes):.3f} bits per character")
    prompt = np.searchsorted(characters, list(PROMPT))
    text = sample(model, prompt, 100 if options.quick else 400, np.random.default_rng(0))
    print(f"sample\n\n{PROMPT}{''.join(characters[text])}")


if __name__ == "__main__":
    main()
