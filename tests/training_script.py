"""A training run that goes on where it was killed, for test_resume.py: everything in it depends on random numbers.

``python training_script.py CHECKPOINT RESULT STEPS EVERY MEGABYTES SCHEDULE`` goes on from the checkpoint if there is
one, saves it anew after EVERY steps (0 for never), with so much more in it, and saves in the end what all has come to.
"""

import sys
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.optim import lr_scheduler, swa_utils


class Noisy(mg.data.Dataset):
    """A regression with a random augmentation."""

    def __getitem__(self, i):
        x = np.sin(np.arange(1.0, 7.0) * i) + 0.1 * mg.random.randn(6).data
        return x.astype(np.float32), np.float32(np.cos(i))

    def __len__(self):
        return 37


def schedule(kind, optimizer, steps):
    """A schedule of learning rates."""
    if kind == "OneCycleLR":
        return lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=steps)
    parts = [lr_scheduler.LinearLR(optimizer, total_iters=10), lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)]
    return lr_scheduler.SequentialLR(optimizer, parts, milestones=[10])


def main(checkpoint, result, steps, every, megabytes, kind):
    """Train."""
    mg.set_default_dtype(np.float32)
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.GELU(), nn.Dropout(0.2), nn.Linear(16, 1))
    optimizer = mg.optim.AdamW(model.parameters(), lr=0.01)
    average = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9))
    loader = mg.data.DataLoader(Noisy(), batch_size=8, shuffle=True, num_workers=2)
    scheduler, plateau = (
        schedule(kind, optimizer, steps),
        lr_scheduler.ReduceLROnPlateau(optimizer, patience=4, factor=0.9),
    )
    parts = {
        "model": model, "optimizer": optimizer, "average": average, "loader": loader, "scheduler": scheduler,
        "plateau": plateau,
    }  # fmt: skip
    losses = []
    if Path(checkpoint).exists():
        rest = mg.io.load_checkpoint(checkpoint, **parts)
        losses = rest["losses"]
        assert (rest["padding"] == len(losses) % 256).all()
    print("started", len(losses), flush=True)
    while len(losses) < steps:
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x)[:, 0], y)
            loss.backward()
            optimizer.step()
            scheduler.step()
            plateau.step(loss)
            average.update_parameters(model)
            losses.append(loss.item())
            if every and len(losses) % every == 0:
                padding = np.full((megabytes, 2**20), len(losses) % 256, np.uint8)
                mg.io.save_checkpoint(checkpoint, **parts, losses=losses, padding=padding)
                print("saved", len(losses), flush=True)
            if len(losses) == steps:
                break
    mg.io.save_checkpoint(result, **parts, losses=losses)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), sys.argv[6])
