"""Training in several processes: the same script alone, and on as many ranks as there are cores.

Run it alone with ``python examples/distributed.py``, or on two ranks with
``mpiexec -n 2 python -m mpi4py examples/distributed.py``; that needs mpi4py and an MPI (the extra ``mpi``).  A batch
has the same samples on any number of ranks, and so the losses are the same up to rounding.  The model is a
convolutional network on scikit-learn's digits, or with ``--model gpt`` that of ``gpt.py``.  After each epoch there is a
checkpoint, from which ``--resume`` goes on, with another number of ranks too.  ``--scaling`` runs the script on 1, 2,
... ranks, and draws how many samples per second they train on.
"""

import argparse
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gpt  # the example beside this one, of which the model is used
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

import minigrad as mg
from minigrad import distributed, nn, optim
from minigrad.data import DataLoader, DistributedSampler, TensorDataset
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter


class Task(NamedTuple):
    model: nn.Module
    train: tuple[np.ndarray, ...]  # arrays with an entry for each sample
    held_out: tuple[np.ndarray, ...]
    batch: int  # on all ranks together
    rate: float
    epochs: int
    loss: Callable[..., Any]  # of a model and a batch: the mean over its samples
    score: Callable[..., Any]  # of a model and a batch: the sum over its samples
    words: str  # what the mean of the scores says


def digits(quick):
    """1,797 real digits of 8 x 8 pixels; a quarter is held out."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).reshape(-1, 1, 8, 8).astype(np.float32)
    x, test_x, y, test_y = train_test_split(images, labels, test_size=0.25, stratify=labels, random_state=0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 4 * 4, 128), nn.ReLU(), nn.Linear(128, 10)),
    )
    return Task(
        model, (x, y), (test_x, test_y), batch=96, rate=5e-3, epochs=3 if quick else 15,
        loss=lambda model, x, y: F.cross_entropy(model(x), y, label_smoothing=0.1),
        score=lambda model, x, y: (model(x).numpy().argmax(axis=1) == y).sum(),
        words="{:.2%} of the held-out digits are recognised",
    )  # fmt: skip


def small_gpt(quick):
    """Python's help texts, in windows that do not overlap."""
    characters, codes, test_codes = gpt.texts()

    def windows(codes, most):
        starts = np.arange(0, len(codes) - gpt.CONTEXT, gpt.CONTEXT)[:most]
        return codes[starts[:, None] + np.arange(gpt.CONTEXT + 1)]

    return Task(
        gpt.GPT(len(characters)), (windows(codes, 480 if quick else None),),
        (windows(test_codes, 96 if quick else None),), batch=48, rate=5e-3, epochs=2 if quick else 3,
        loss=lambda model, windows: gpt.losses(model, np.asarray(windows)),
        score=lambda model, windows: gpt.losses(model, windows).item() * len(windows) / math.log(2),
        words="{:.3f} bits per held-out character",
    )  # fmt: skip


TASKS = {"digits": digits, "gpt": small_gpt}


def mean_score(task, model):
    """The mean over what is held out, of which each rank looks at a part."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    own = [array[rank::size] for array in task.held_out]
    model.eval()
    with mg.no_grad():
        total = sum(float(task.score(model, *(a[i : i + 96] for a in own))) for i in range(0, len(own[0]), 96))
    model.train()
    return distributed.all_reduce(np.array(total)).item() / len(task.held_out[0])


def train(task, options):
    """The mean loss and the seconds of each epoch."""
    size = distributed.get_world_size()
    if task.batch % size:
        raise SystemExit(f"{size} ranks cannot share a batch of {task.batch} equally")
    model = nn.parallel.DistributedDataParallel(task.model)
    samples = TensorDataset(*task.train)
    sampler = DistributedSampler(samples, seed=0, drop_last=True)
    loader = DataLoader(samples, batch_size=task.batch // size, sampler=sampler, drop_last=True)
    optimizer = optim.AdamW(model.parameters(), weight_decay=1e-2)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=task.rate, epochs=task.epochs, steps_per_epoch=len(loader)
    )
    parts = {"model": model.module, "optimizer": optimizer, "schedule": schedule, "loader": loader}
    history = []
    if options.resume:
        history = mg.io.load_checkpoint(options.checkpoint, **parts)["history"]
        say(f"resumed   after epoch {len(history)}")
    while len(history) < task.epochs:
        sampler.set_epoch(len(history))
        distributed.barrier()
        start, losses = time.perf_counter(), []
        for batch in loader:
            optimizer.zero_grad()
            loss = task.loss(model, *batch)
            loss.backward()  # at the end of which gradients are averaged over all ranks
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        seconds = time.perf_counter() - start
        mean = distributed.all_reduce(np.mean(losses, keepdims=True), "mean").item()
        history.append((mean, seconds, task.batch * len(loader) / seconds))
        mg.io.save_checkpoint(options.checkpoint, **parts, history=history)
        say(f"          {len(history):>6} {mean:>8.4f} {seconds:>8.2f} {history[-1][2]:>12,.0f}")
    return history


def say(text):
    """Print it once, and not on each rank."""
    if distributed.get_rank() == 0:
        print(text, flush=True)


def run(options):
    distributed.init_process_group()
    mg.manual_seed(0)
    mg.set_default_dtype(np.float32)
    task = TASKS[options.model](options.quick)
    if options.epochs:
        task = task._replace(epochs=options.epochs)
    size = distributed.get_world_size()
    distributed.manual_seed(0)  # from here on each rank draws numbers of its own
    say(f"model     {sum(p.size for p in task.model.parameters()):,} parameters, float32")
    say(f"ranks     {size}, with {task.batch // size} of the {task.batch} samples of a batch on each")
    say(f"training  {'epoch':>6} {'loss':>8} {'seconds':>8} {'samples/s':>12}")
    history = train(task, options)
    say(f"held out  {task.words.format(mean_score(task, task.model))}")
    say(f"median    {np.median([rate for _, _, rate in history]):.1f} samples per second")
    say(f"saved     a checkpoint in {options.checkpoint}")
    distributed.destroy_process_group()


# How the speed grows with the number of ranks


def throughput(model, ranks, folder):
    """Samples per second, as the script itself says when it is started on so many ranks."""
    beside = Path(sys.executable).with_name("mpiexec")
    launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
    if launcher is None:
        raise SystemExit("--scaling needs mpiexec: pip install mpi4py mpich (the extra `mpi`)")
    command = [launcher, "-n", str(ranks), sys.executable, "-m", "mpi4py", __file__, "--model", model]
    command += ["--checkpoint", str(Path(folder, "scaling.npz"))]
    command += ["--quick", "--epochs", "4"] if model == "gpt" else ["--epochs", "6"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(re.search(r"median +([\d.]+)", done.stdout)[1])


def scaling(models, cores, times=5):
    """The best of several runs for each model and number of ranks, which take turns."""
    from tempfile import TemporaryDirectory

    found = {}
    with TemporaryDirectory() as folder:
        for model in models:
            ranks = [n for n in range(1, cores + 1) if 48 % n == 0]  # which share both models' batches equally
            for _ in range(times):
                for n in ranks:
                    found.setdefault(model, {}).setdefault(n, []).append(throughput(model, n, folder))
            best = {n: max(rates) for n, rates in found[model].items()}
            for n, rate in best.items():
                runs = ", ".join(f"{x:,.0f}" for x in sorted(found[model][n]))
                print(f"{model:8} {n:>3} ranks {rate:>9,.0f} samples/s {rate / best[1]:>6.2f} x, of {runs}", flush=True)
            found[model] = best
    return found


def picture(found, path):
    """For each model, samples per second against ranks, and the line of twice as many for twice the ranks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.8), layout="constrained")
    titles = {"digits": "convolutional network on digits", "gpt": "small GPT"}
    for axis, (model, rates) in zip(figure.subplots(1, len(found)), found.items(), strict=True):
        ranks, most = list(rates), max(rates)
        axis.plot([1, most], [rates[1], most * rates[1]], color="0.6", linestyle="--", label="ideal")
        axis.plot(ranks, list(rates.values()), marker="o", label="measured")
        for n, rate in rates.items():
            side, down = ("left", -9) if n == 1 else ("right", -32)  # below the lines
            text, place = f"{rate:,.0f}\n{rate / rates[1]:.2f} x", (0, down)
            axis.annotate(text, (n, rate), xytext=place, textcoords="offset points", ha=side, va="top")
        axis.set(title=titles[model], xlabel="ranks, with a core each", xticks=ranks, ylim=(0, None))
        axis.set_ylabel("samples per second")
        axis.grid(alpha=0.3)
        axis.legend(loc="upper left")
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=list(TASKS), default="digits")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--quick", action="store_true", help="for a few epochs only, the GPT with a part of its text")
    parser.add_argument("--checkpoint", default="distributed.npz", help="where to save after each epoch")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--scaling", action="store_true", help="measure on 1, 2, ... ranks, and draw it")
    parser.add_argument("--output", default="scaling.png", help="where to save the picture of --scaling")
    options = parser.parse_args()
    if options.scaling:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        picture(scaling(TASKS, cores), options.output)
        print(f"picture  in {options.output}")
    else:
        run(options)


if __name__ == "__main__":
    with threadpool_limits(1):  # ranks share the cores among them: threads of each would only wait
        main()
