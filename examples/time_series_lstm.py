"""Sunspots forecast by an LSTM that L-BFGS has trained, in float64, and by simpler means.

Run it with ``python examples/time_series_lstm.py``; it needs threadpoolctl, and matplotlib for the picture.  The
data are the yearly sunspot numbers 1700-2008; the years from 1920 on are held out, and each of them is forecast from
all years before it.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

SPLIT, LAGS, YEARS = 1920, 9, 30
HIDDEN, STEPS, DECAY = 10, 20, 3e-3


def to_scale(numbers):
    """Of the order of 1, and with peaks that are not so much higher than the rest."""
    return np.sqrt(numbers) / 4 - 1.5


def from_scale(values):
    return np.maximum(4 * (values + 1.5), 0) ** 2


class Forecaster(nn.Module):
    """The series up to each year to a forecast of the next."""

    def __init__(self, hidden):
        super().__init__()
        self.lstm, self.head = nn.LSTM(1, hidden), nn.Linear(hidden, 1)

    def forward(self, series, state=None):
        hidden, state = self.lstm(series.reshape(-1, 1), state)
        return self.head(hidden).reshape(-1), state


def train(model, series, steps, decay):
    optimizer = optim.LBFGS(model.parameters(), max_iter=5, history_size=30, line_search_fn="strong_wolfe")
    matrices = [p for p in model.parameters() if p.ndim == 2]

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(model(series[:-1])[0], series[1:]) + decay * sum(mg.sum(m * m) for m in matrices)
        loss.backward()
        return loss

    for _ in (bar := mg.progress.Progress(range(steps), "training")):
        bar.note(f"loss {optimizer.step(closure).item():.4f}")
    return model


def one_ahead(model, series):
    with mg.no_grad():
        return model(series[:-1])[0].numpy()


def continued(model, series, years):
    """A forecast that goes on from its own forecasts."""
    with mg.no_grad():
        found, state = model(series)
        values = [found.numpy()[-1:]]
        while len(values) < years:
            found, state = model(values[-1], state)
            values.append(found.numpy())
    return np.concatenate(values)


def autoregression(series, fitted):
    """Each value from the LAGS values before it by the weights that fit the first ones best, and a constant."""
    windows = np.lib.stride_tricks.sliding_window_view(series, LAGS)[:-1]
    rows = np.column_stack([windows, np.ones(len(windows))])
    weights = np.linalg.lstsq(rows[: fitted - LAGS], series[LAGS:fitted], rcond=None)[0]
    return rows @ weights


def error(differences):
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(differences))))


def picture(years, numbers, ahead, onward, path):
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharey=True)
    top.set_ylim(-5, 235)  # the legend has its place above the curves
    test = years >= SPLIT
    for axis, first, last in ((top, SPLIT - 40, 2009), (bottom, SPLIT - 40, SPLIT + len(onward) + 5)):
        shown = (years >= first) & (years < last)
        axis.plot(years[shown], numbers[shown], color="0.55", linewidth=1.5, label="observed")
        axis.axvline(SPLIT - 0.5, color="black", linewidth=0.8, linestyle=":")
        axis.set(xlim=(first, last - 1), ylabel="sunspot number")
    top.plot(years[test], ahead, color="#0072B2", linewidth=1.2, label="LSTM, one year ahead")
    top.set_title("Each year forecast from all years before it", fontsize=10, loc="left")
    bottom.plot(
        SPLIT + np.arange(len(onward)), onward, color="#D55E00", linewidth=1.5, label="LSTM, on its own forecasts"
    )
    bottom.set_title(f"{len(onward)} years forecast from the years before {SPLIT} only", fontsize=10, loc="left")
    bottom.set_xlabel("year")
    for axis in (top, bottom):
        axis.text(SPLIT - 1, 0.7, "training", ha="right", fontsize=9, transform=axis.get_xaxis_transform())
        axis.legend(loc="upper left", ncols=2, fontsize=9, frameon=False)
    figure.savefig(path, dpi=100)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="train with a few steps only")
    parser.add_argument("--output", default="time_series_lstm.png", help="where to save the picture")
    options = parser.parse_args()
    mg.manual_seed(0)

    years, numbers = np.loadtxt(Path(__file__).with_name("sunspots.txt")).T
    count = int((years < SPLIT).sum())
    series, wanted = to_scale(numbers), numbers[count:]
    model = Forecaster(HIDDEN)
    start = time.perf_counter()
    train(model, series[:count], 2 if options.quick else STEPS, DECAY)
    print(
        f"training  {sum(p.size for p in model.parameters())} parameters, {time.perf_counter() - start:.0f} s of L-BFGS"
    )
    ahead = from_scale(one_ahead(model, series))[count - 1 :]
    forecasts = {
        "last value": numbers[count - 1 : -1],
        f"AR({LAGS})": autoregression(numbers, count)[count - LAGS :],
        "LSTM": ahead,
    }
    print("held out  each year is forecast from all years before it; root mean square error, in sunspots:")
    print(f"          {'':<12} {SPLIT}-{SPLIT + YEARS - 1}  {SPLIT + YEARS}-2008  all {len(wanted)} years")
    for name, forecast in forecasts.items():
        parts = [error((forecast - wanted)[part]) for part in (slice(YEARS), slice(YEARS, None), slice(None))]
        print(f"          {name:<12} {parts[0]:>9.1f}  {parts[1]:>9.1f}  {parts[2]:>9.1f}")
    onward = from_scale(continued(model, series[:count], YEARS))
    first = wanted[:YEARS]
    print(f"onward    {YEARS} years forecast from the years before {SPLIT} only, with an error of")
    print(f"          {error(numbers[:count].mean() - first):>6.1f}  mean of those years")
    print(f"          {error(onward - first):>6.1f}  LSTM on its own forecasts")
    if picture(years, numbers, ahead, onward, options.output):
        print(f"picture   of both forecasts in {options.output}")


if __name__ == "__main__":
    with threadpool_limits(1):  # the matrices are small: threads would wait for each other more than they work
        main()
