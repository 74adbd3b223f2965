// Curves: losses, learning rates, other measures, and norms if they are few.

const DASHES = ["", "7 4", "2 4", "9 4 2 4"];

// Each line has {name, kind, first, last, y, low, high, bad}, and colour and dashes.
const middle = (line, i) => (line.first[i] + line.last[i]) / 2;

function valueAt(line, step) {
  const i = placeOf(line.first, step);
  if (line.first[i] > step) return { value: null, bad: 0, i };
  const bad = line.bad.find(([place]) => place === i)?.[1] ?? 0;
  return { value: line.y[i], bad, i };
}

// A number with what is not finite beside it, as text.
function reading({ value, bad }) {
  if (!bad) return written(value);
  return value === null ? "not finite" : `${written(value)}, ${counted(bad)} not finite`;
}

function rangeOf(lines, log) {
  let [low, high] = [Infinity, -Infinity];
  for (const line of lines) {
    for (const row of [line.y, line.low, line.high]) {
      for (const value of row ?? []) {
        if (value === null || (log && value <= 0)) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  return low <= high ? [low, high] : null;
}

function scaleOf(lines, log) {
  const range = rangeOf(lines, log);
  return log ? logarithmic(...(range ?? [1, 1])) : linear(...(range ?? [0, 1]));
}

// Everything of one line on a scale, as elements.
function drawLine(panel, line, scale, { log, stepped = false }) {
  const drawable = (value) => value !== null && (!log || value > 0);
  const at = (i, value) => `${panel.x(middle(line, i)).toFixed(2)} ${panel.y(scale.part(value)).toFixed(2)}`;
  const [strokes, dots, below] = [[], [], []];
  let pieces = 0;
  for (let i = 0; i < line.y.length; i++) {
    const value = line.y[i];
    if (!drawable(value)) {
      if (value !== null) below.push(`M${panel.x(middle(line, i)).toFixed(2)} ${TOP + panel.inner - 6}v6`);
      pieces = 0;
      continue;
    }
    const height = panel.y(scale.part(value)).toFixed(2);
    if (pieces && stepped) strokes.push(`H${panel.x(middle(line, i)).toFixed(2)}V${height}`);
    else strokes.push(`${pieces ? "L" : "M"}${at(i, value)}`);
    const alone = !pieces && (i + 1 === line.y.length || !drawable(line.y[i + 1]));
    if (alone || (line.kind !== "step" && line.y.length <= 60)) dots.push(`M${at(i, value)}h0`);
    pieces++;
  }
  const colour = `stroke: var(--c${line.colour % 7})`;
  const own = line.shade ? `stroke: ${line.shade}` : colour;
  const kind = `${line.look ? ` ${line.look}` : ""}${line.kind === "step" ? "" : " wide"}`;
  return [
    line.low ? band(panel, line, scale, drawable) : null,
    make("path", { class: `curve${kind}`, d: strokes.join(""), style: own, "stroke-dasharray": line.dashes || null,
      "data-line": line.name }),
    dots.length ? make("path", { class: "curve dots", d: dots.join(""), style: own }) : null,
    below.length ? make("path", { class: "below", d: below.join(""), style: own }) : null,
  ].filter(Boolean);
}

function band(panel, line, scale, drawable) {
  const pieces = [];
  let [top, bottom] = [[], []];
  const finish = () => {
    if (top.length) pieces.push(`M${top.join("L")}L${bottom.reverse().join("L")}Z`);
    [top, bottom] = [[], []];
  };
  for (let i = 0; i < line.y.length; i++) {
    if (!drawable(line.y[i]) || !drawable(line.high[i])) {
      finish();
      continue;
    }
    const x = panel.x(middle(line, i)).toFixed(2);
    const least = drawable(line.low[i]) ? Math.max(0, scale.part(line.low[i])) : 0;
    top.push(`${x} ${panel.y(scale.part(line.high[i])).toFixed(2)}`);
    bottom.push(`${x} ${panel.y(least).toFixed(2)}`);
  }
  finish();
  return make("path", { class: "band", d: pieces.join(""), style: `fill: var(--c${line.colour % 7})` });
}

// Where something was not finite: a line from top to bottom, with a tip.
function gaps(panel, lines) {
  const steps = [...new Set(lines.flatMap((line) => line.bad.map(([i]) => middle(line, i))))];
  if (!steps.length) return [];
  const places = steps.map((step) => panel.x(step).toFixed(2));
  return [
    make("path", { class: "gap", d: places.map((x) => `M${x} ${TOP}V${TOP + panel.inner}`).join("") }),
    make("path", { class: "tip", d: places.map((x) => `M${x} ${TOP + 3}l-5 -9h10z`).join("") }),
  ];
}

class LinePanel extends Panel {
  constructor({ lines, log = false, stepped = false, ...about }) {
    super(about);
    Object.assign(this, { lines, log, stepped, hidden: new Set() });
    const names = [...new Set(lines.map(({ name }) => name))];
    for (const line of lines) {
      line.colour = names.indexOf(line.name);
      line.dashes = DASHES[Math.floor(line.colour / 7) % DASHES.length];
      const hasMean = lines.some(({ name, kind }) => name === line.name && kind === "mean");
      line.look = line.kind === "step" && hasMean ? "pale" : "";
    }
    this.logButton = this.tool("Log scale", log, () => this.setLog(!this.log));
    this.readings = lines.map(() => make("b", {}));
    put(this.legend, ...lines.map((line, i) => this.entry(line, i)));
  }

  setLog(log) {
    this.log = log;
    this.logButton.setAttribute("aria-pressed", log);
    this.draw();
  }

  entry(line, i) {
    const thick = line.kind === "step" ? "" : " wide";
    const look = { class: `curve ${line.look}${thick}`, style: `stroke: var(--c${line.colour % 7})` };
    const stroke = make("path", { ...look, d: "M2 6H24", "stroke-dasharray": line.dashes || null });
    const sample = make("svg", { viewBox: "0 0 26 12" }, stroke);
    const toggle = () => {
      if (!this.hidden.delete(i)) this.hidden.add(i);
      button.setAttribute("aria-pressed", !this.hidden.has(i));
      this.draw();
    };
    const name = make("span", { class: "name", title: this.named(line) }, this.named(line));
    const button = make("button", { "aria-pressed": true, click: toggle }, sample, name, this.readings[i]);
    return make("li", {}, button);
  }

  named(line) {
    return line.kind === "mean" ? `${line.name}, per epoch` : line.name;
  }

  shown() {
    return this.lines.filter((_, i) => !this.hidden.has(i));
  }

  paint() {
    const lines = this.shown();
    this.scale = scaleOf(lines, this.log);
    const order = [...lines].sort((a, b) => (a.kind === "step") - (b.kind === "step")).reverse();
    const drawn = order.flatMap((line) => drawLine(this, line, this.scale, this));
    return [this.heights(this.scale), ...gaps(this, lines), ...drawn];
  }

  spots() {
    return this.shown().flatMap((line) => {
      const { value, i } = valueAt(line, state.step);
      if (value === null || (this.log && value <= 0)) return [];
      const place = { cx: this.x(middle(line, i)), cy: this.y(this.scale.part(value)) };
      return [make("circle", { class: "spot", r: 4.5, ...place, style: `fill: var(--c${line.colour % 7})` })];
    });
  }

  showStep() {
    super.showStep();
    this.lines.forEach((line, i) => {
      const found = valueAt(line, state.step);
      this.readings[i].textContent = reading(found);
      this.readings[i].classList.toggle("odd", found.bad > 0);
    });
  }

  told() {
    return this.shown().map((line) => [this.named(line), reading(valueAt(line, state.step))]);
  }

  summary() {
    const ends = this.shown().map((line) => {
      const known = line.y.filter((value) => value !== null);
      const bad = line.bad.length ? ", in places not finite" : "";
      return `${this.named(line)} from ${written(known[0])} to ${written(known.at(-1))}${bad}`;
    });
    return `${this.title} over the ${data.unit}s: ${ends.join("; ")}`;
  }
}
