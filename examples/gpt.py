"""A small GPT, trained for two minutes on one core: the characters of Python's own help texts.

Run it with ``python examples/gpt.py``; it needs nothing but minigrad.  The model is GPT-2's in small: layers of causal
attention and a two-layer perceptron, each behind a layer norm and around a shortcut, and one matrix that both embeds
characters and scores them.  ``--seconds 600`` trains for longer, ``--quick`` for a few steps only.
"""

import argparse
import math
import time
from pydoc_data.topics import topics

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

LAYERS, WIDTH, HEADS, CONTEXT, BATCH = 2, 128, 4, 64, 32
PROMPT = "A function is "


class Block(nn.Module):
    """What happens between two states of the stream of features: characters look back, then each thinks alone."""

    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.mix = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def attend(self, x):
        count, length, _ = x.shape
        heads = self.qkv(x).reshape(count, length, 3, HEADS, WIDTH // HEADS)
        q, k, v = mg.permute_dims(heads, (2, 0, 3, 1, 4))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.mix(mg.permute_dims(seen, (0, 2, 1, 3)).reshape(count, length, WIDTH))

    def forward(self, x):
        x = x + self.attend(self.norm_1(x))
        return x + self.down(F.gelu(self.up(self.norm_2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.characters, self.places = nn.Embedding(characters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                # Rows of embeddings have a length of about 1: with GPT-2's 0.02 so narrow a model starts very slowly.
                scale = WIDTH**-0.5 * (0.5 if name.startswith("blocks") else 1)
                # What is added to the stream 2 * LAYERS times is smaller, so that the sum is not larger.
                shrink = math.sqrt(2 * LAYERS) if "mix" in name or "down" in name else 1
                nn.init.normal_(parameter, std=scale / shrink)
            elif "bias" in name:
                nn.init.zeros_(parameter)

    def forward(self, codes):
        x = self.characters(codes) + self.places.weight[: codes.shape[1]]
        return F.linear(self.norm(self.blocks(x)), self.characters.weight)  # tied: no second matrix


def texts():
    """The pages of Python's help() in a row, as numbers of characters: 90 % to train on, and the rest."""
    text = "\n".join(topics[key] for key in sorted(topics))
    characters, codes = np.unique(np.array(list(text)), return_inverse=True)
    cut = len(codes) * 9 // 10
    return characters, codes[:cut], codes[cut:]


def batches(codes, rng):
    """Windows of one character more than the context, without end: each epoch cuts the text elsewhere."""
    while True:
        starts = np.arange(rng.integers(CONTEXT), len(codes) - CONTEXT, CONTEXT)
        rng.shuffle(starts)
        for some in range(0, len(starts) - BATCH + 1, BATCH):
            yield codes[starts[some : some + BATCH, None] + np.arange(CONTEXT + 1)]


def losses(model, windows, reduction="mean"):
    """Cross-entropy of each character of the windows but the first, given those before it."""
    logits = model(windows[:, :-1])
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), windows[:, 1:].ravel(), reduction=reduction)


def shares(seconds, steps):
    """Which share of the training is done, before each step: by the clock, or of a number of steps."""
    start, step, done = time.perf_counter(), 0, 0.0
    while done < 1:
        yield done
        step += 1
        done = step / steps if steps else (time.perf_counter() - start) / seconds


def rate(done, warm_up=0.05):
    """The learning rate's share of its highest: up in a line, and down to 0 in another."""
    return min(done / warm_up, (1 - done) / (1 - warm_up))


def train(model, codes, options):
    matrices, others = [], []  # only matrices that multiply decay: not embeddings, biases or norms
    for name, parameter in model.named_parameters():
        (matrices if parameter.ndim == 2 and name.startswith("blocks") else others).append(parameter)
    groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    optimizer = optim.AdamW(groups, lr=options.lr, betas=(0.9, options.beta2), weight_decay=options.weight_decay)
    schedule = optim.lr_scheduler.LambdaLR(optimizer, rate)
    steps, mean = 0, math.log(model.characters.weight.shape[0])
    for done, windows in (
        bar := mg.progress.Progress(
            zip(shares(options.seconds, options.steps), batches(codes, np.random.default_rng(0)), strict=False),
            "training",
        )
    ):
        optimizer.zero_grad()
        loss = losses(model, windows)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step(done)
        steps, mean = steps + 1, 0.98 * mean + 0.02 * loss.item()
        bar.note(f"{done:.0%} done, {mean / math.log(2):.3f} bits per character")
    return steps, mean / math.log(2)


def bits_per_character(model, codes, stride):
    """The mean over all characters but the first, each predicted once, from what a window shows of those before it.

    Windows end every `stride` characters, and what an earlier one has predicted does not count again.  With a stride
    of the whole context the windows do not overlap, and the first character of each has one before it only.
    """
    ends = np.array([*range(CONTEXT, len(codes) - 1, stride), len(codes) - 1])
    new = np.diff(ends, prepend=0)
    total = 0.0
    with mg.no_grad():
        for some in np.array_split(np.arange(len(ends)), len(ends) // 64 + 1):
            windows = codes[ends[some, None] + np.arange(-CONTEXT, 1)]
            each = losses(model, windows, reduction="none").numpy().reshape(len(some), CONTEXT)
            total += each.sum(where=np.arange(CONTEXT) >= CONTEXT - new[some, None], dtype=float)
    return total / (len(codes) - 1) / math.log(2)


def sample(model, codes, length, rng, temperature=0.7):
    """Characters that go on from some given ones, drawn one by one."""
    codes = list(codes)
    with mg.no_grad():
        for _ in range(length):
            logits = model(np.array([codes[-CONTEXT:]])).numpy()[0, -1]
            chances = np.exp((logits - logits.max()).astype(float) / temperature)
            codes.append(rng.choice(len(chances), p=chances / chances.sum()))
    return codes[-length:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="of training")
    parser.add_argument("--steps", type=int, help="train for so many steps instead: the result is the same every time")
    parser.add_argument("--quick", action="store_true", help="the same as --steps 30, and less to evaluate")
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--beta2", type=float, default=0.99)
    parser.add_argument("--weight-decay", type=float, default=0.03)
    options = parser.parse_args()
    if options.quick:
        options.steps = 30
    mg.manual_seed(0)
    mg.set_default_dtype(np.float32)

    characters, train_codes, test_codes = texts()
    if options.quick:
        test_codes = test_codes[:5000]
    model = GPT(len(characters))
    print(
        f"text      {len(train_codes):,} characters to train on, {len(test_codes):,} held out, {len(characters)} kinds"
    )
    print(f"model     {sum(p.size for p in model.parameters()):,} parameters, float32")
    start = time.perf_counter()
    steps, bits = train(model, train_codes, options)
    seconds = time.perf_counter() - start
    print(
        f"training  {steps} steps in {seconds:.0f} s, {1000 * seconds / steps:.0f} ms each, at last "
        f"{bits:.3f} bits per character"
    )
    for stride, words in (
        (CONTEXT, "windows that do not overlap"),
        (CONTEXT // 2, "half a window or more before each"),
    ):
        print(f"held out  {bits_per_character(model, test_codes, stride):.3f} bits per character, {words}")
    prompt = np.searchsorted(characters, list(PROMPT))
    text = sample(model, prompt, 100 if options.quick else 400, np.random.default_rng(0))
    print(f"sample\n\n{PROMPT}{''.join(characters[text])}")


if __name__ == "__main__":
    main()
