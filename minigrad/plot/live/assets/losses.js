// The losses of the runs against the steps: on a logarithmic scale, above the least loss that is known.

const ROOM = { left: 52, top: 8, right: 14, bottom: 28 };

// What is subtracted from all losses, and how the axis is called: a known minimum, nothing, or no logarithm.
function lossScale(runs, shown) {
  const known = MINIMA.map((m) => m.value).filter(Number.isFinite);
  const all = runs.flatMap(({ run }) => [run.losses.subarray(0, run.at(shown) + 1)]);
  const least = Math.min(...all.map((losses) => losses.reduce((a, b) => (b < a ? b : a), Infinity)));
  const base = known.length ? Math.min(...known) : 0;
  if (least < base - 1e-9 * Math.abs(base) || (base === 0 && least < 0)) return { base: 0, log: false, name: "" };
  return { base, log: true, name: base === 0 ? "on a logarithmic scale" : "above the minimum, on a logarithmic scale" };
}

// Draw them, and say in words what the axis is.
function drawLosses(canvas, runs, shown, total, chosen) {
  const { g, width, height } = fitted(canvas), scale = lossScale(runs, shown);
  g.clearRect(0, 0, width, height);
  const { left, top, right, bottom } = ROOM;
  const box = { left, top, width: width - left - right, height: height - top - bottom };
  const { low, high } = limits(runs, shown, scale);
  const x = (k) => box.left + (box.width * k) / total;
  const y = (loss) => {
    const t = scale.log ? Math.log10(Math.max(loss - scale.base, 10 ** (low - 1))) : loss;
    return box.top + box.height * (1 - (t - low) / (high - low));
  };
  drawGrid(g, box, low, high, total, scale);
  g.save();
  g.beginPath();
  g.rect(box.left, box.top - 2, box.width + 2, box.height + 4);
  g.clip();
  const order = [...runs].sort((a, b) => (a.number === chosen) - (b.number === chosen));
  for (const { run, number } of order) {
    const last = run.at(shown), each = Math.max(1, Math.floor(last / (2 * box.width)));
    g.beginPath();
    for (let k = 0; k <= last; k += k + each > last && k < last ? last - k : each) {
      if (Number.isFinite(run.losses[k])) g.lineTo(x(k), Math.max(y(run.losses[k]), -1e4));
    }
    g.strokeStyle = colourOf(number);
    g.lineWidth = number === chosen ? 3 : 2;
    g.lineJoin = "round";
    g.stroke();
  }
  g.restore();
  for (const { run, number } of order) {
    const last = run.at(shown), v = y(run.losses[last]);
    if (!Number.isFinite(v)) continue;
    const kept = Math.min(Math.max(v, box.top), box.top + box.height);
    drawMark(g, PATHS[number % PATHS.length], x(last), kept, colourOf(number), LOOK.paper, 0.9);
  }
  return scale.name;
}

// The lowest and highest values of the axis: a run that diverges does not make all others flat.
function limits(runs, shown, { base, log }) {
  let least = Infinity, most = -Infinity, start = -Infinity;
  for (const { run } of runs) {
    const last = run.at(shown);
    start = Math.max(start, run.losses[0] - (log ? base : 0));
    for (let k = 0; k <= last; k++) {
      const loss = run.losses[k] - (log ? base : 0);
      if (!Number.isFinite(loss) || (log && loss <= 0)) continue;
      if (loss < least) least = loss;
      if (loss > most) most = loss;
    }
  }
  if (!(least <= most)) return { low: log ? -1 : 0, high: 1 };
  if (!log) {
    const high = Math.min(most, start + 2 * (start - least || 1)), room = 0.05 * (high - least) || 1;
    return { low: least - room, high: high + room };
  }
  const high = Math.log10(Math.min(most, start > 0 ? start * 100 : most)), low = Math.max(Math.log10(least), high - 16);
  return { low: low - 0.05 * (high - low) - 0.05, high: high + 0.05 * (high - low) + 0.05 };
}

function drawGrid(g, box, low, high, total, { log }) {
  g.font = FONT;
  g.textBaseline = "middle";
  g.textAlign = "right";
  for (const tick of log ? decades(low, high, box.height / 34) : ticks(low, high, box.height / 40)) {
    const y = box.top + box.height * (1 - (tick - low) / (high - low));
    g.fillStyle = LOOK.rule;
    g.fillRect(box.left, Math.round(y), box.width, 1);
    g.fillStyle = LOOK.faint;
    g.fillText(log ? power(tick) : short(tick, 3), box.left - 8, y);
  }
  g.textBaseline = "top";
  g.textAlign = "center";
  for (const tick of ticks(0, total, box.width / 80).filter(Number.isInteger)) {
    g.fillText(String(tick), box.left + (box.width * tick) / total, box.top + box.height + 8);
  }
}

// Whole powers of ten, about so many; of less than two decades also those between.
function decades(low, high, many) {
  const each = Math.max(1, Math.ceil((high - low) / Math.max(many, 1))), found = [];
  for (let i = Math.ceil(low / each) * each; i <= high; i += each) found.push(i);
  if (high - low > 2) return found;
  const near = range(Math.floor(low), Math.ceil(high) + 1).flatMap((i) => [1, 2, 5].map((x) => i + Math.log10(x)));
  return near.filter((x) => x >= low && x <= high);
}

// A power of ten as one writes it by hand.
function power(exponent) {
  if (!Number.isInteger(exponent)) return short(10 ** exponent, 1);
  if (exponent >= -2 && exponent <= 3) return String(Number((10 ** exponent).toPrecision(1)));
  return `10${String(exponent).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)])}`;
}
