// The norms of gradients: a row for each parameter, layer or block, over the steps.

const [NONE, ZERO, BAD, FIRST] = [0, 1, 2, 3];
const MANY = 60; // rows: with more, parameters are taken together at first
const FEW = 6; // rows that are curves at first
const BOLD = 1.12; // times as wide is what is written in bold

// What parameters are taken together, from the finest to the coarsest.
function levelsOf(names) {
  if (!data.paths) return [{ label: "each run", keys: names }];
  const paths = names.map((name) => name.split("."));
  const deepest = Math.max(...paths.map((path) => path.length));
  const cut = (depth) => paths.map((path) => path.slice(0, Math.min(depth, path.length - 1)).join(".") || path[0]);
  const found = [{ label: "each parameter", keys: names }];
  for (let depth = deepest - 1; depth >= 1; depth--) {
    found.push({ label: depth === deepest - 1 ? "each layer" : `blocks of depth ${depth}`, keys: cut(depth) });
  }
  found.push({ label: "all together", keys: names.map(() => "all") });
  const count = ({ keys }) => new Set(keys).size;
  const one = found.findIndex((level) => count(level) === 1);
  const several = found.slice(0, one).filter((level, i) => i === 0 || count(level) < count(found[i - 1]));
  return [...several, one ? found.at(-1) : found[0]];
}

// Between two columns, the step from which on the second one is nearer.
function edgesOf(first, last) {
  return first.map((step, i) => (i ? (last[i - 1] + step) / 2 : -Infinity));
}

class GradientPanel extends Panel {
  constructor(about) {
    super(about);
    Object.assign(this, data.gradients, { codes: new Uint16Array(bytesOf(data.gradients.codes)), hovered: null });
    this.edges = edgesOf(this.first, this.last);
    this.levels = levelsOf(data.names);
    this.readout.hidden = false;
    if (this.levels.length > 1) {
      this.select = this.choice("Gradients of", this.levels.map(({ label }) => label), (level) => this.setLevel(level));
    }
    this.heatButton = this.tool("Heat map", false, () => this.setHeat(!this.heat));
    const counts = this.levels.map(({ keys }) => new Set(keys).size);
    const fits = counts.findIndex((count) => count <= MANY);
    this.group(counts[fits] > 3 ? fits : Math.max(0, fits - 1));
    this.heat = this.rows.length > FEW;
    this.plot.addEventListener("pointerleave", () => this.pointed(-1));
  }

  // Take parameters together: a row is a norm for each column, NaN if not finite, -1 if there is none.
  group(level) {
    this.level = level;
    if (this.select) this.select.value = level;
    const members = new Map();
    this.levels[level].keys.forEach((key, i) => members.set(key, [...(members.get(key) ?? []), i]));
    this.rows = [...members].map(([name, of]) => ({ name, of, norms: this.together(of) }));
  }

  norm(row, column) {
    const code = this.codes[row * this.first.length + column];
    if (code === NONE) return -1;
    if (code === ZERO) return 0;
    if (code === BAD) return NaN;
    return 10 ** (this.low + ((code - FIRST) / (65535 - FIRST)) * (this.high - this.low));
  }

  together(rows) {
    return Float64Array.from(this.first, (_, column) => {
      const norms = rows.map((row) => this.norm(row, column)).filter((norm) => norm !== -1);
      return norms.length ? (norms.some(Number.isNaN) ? NaN : Math.hypot(...norms)) : -1;
    });
  }

  setLevel(level) {
    this.group(level);
    this.heat = this.rows.length > 1 && (this.heat || this.rows.length > FEW);
    this.draw();
  }

  setHeat(heat) {
    this.heat = heat;
    this.draw();
  }

  chosen() {
    return Math.max(0, this.rows.findIndex(({ of }) => of.includes(state.row)));
  }

  pointed(y, pressed) {
    const row = Math.floor(((y - TOP) / this.inner) * this.rows.length);
    this.hovered = this.heat && row >= 0 && row < this.rows.length ? row : null;
    if (pressed && this.hovered !== null) setRow(this.rows[row].of[0]);
    this.read();
  }

  move(rows) {
    const row = Math.max(0, Math.min(this.rows.length - 1, this.chosen() + rows));
    this.hovered = null;
    setRow(this.rows[row].of[0]);
  }

  draw() {
    this.heatButton.setAttribute("aria-pressed", this.heat);
    this.height = TOP + BOTTOM + (this.heat ? Math.max(120, Math.min(340, this.rows.length * 18)) : 210);
    const widest = Math.max(60, Math.min(this.plot.clientWidth * 0.36, 210));
    this.left = this.heat ? Math.min(widest, 12 + BOLD * Math.max(...this.rows.map(({ name }) => widthOf(name)))) : 52;
    super.draw();
  }

  paint() {
    const drawn = this.heat ? this.paintHeat() : this.paintLines();
    this.drawLegend();
    return drawn;
  }

  range() {
    let [low, high] = [Infinity, 0];
    for (const { norms } of this.rows) {
      for (const norm of norms) {
        if (norm > 0 && norm < Infinity) [low, high] = [Math.min(low, norm), Math.max(high, norm)];
      }
    }
    return low <= high ? [low, high] : [1, 1];
  }

  paintHeat() {
    const [low, high] = (this.ends = this.range());
    const [start, length] = [Math.log10(low), Math.log10(high) - Math.log10(low) || 1];
    const [width, count] = [Math.round(this.width), this.rows.length];
    const image = new ImageData(width, count);
    const [zero, bad] = [rgbOf("--zero"), rgbOf("--alarm")];
    for (let x = 0; x < width; x++) {
      const from = placeOf(this.edges, data.first + (x / width) * span);
      const to = placeOf(this.edges, data.first + ((x + 0.999) / width) * span);
      this.rows.forEach(({ norms }, row) => {
        let norm = norms[from];
        for (let i = from + 1; i <= to; i++) norm = Math.max(norm, norms[i]); // NaN if any is
        if (norm === -1) return;
        const known = () => colourOf((Math.log10(norm) - start) / length);
        image.data.set([...(Number.isNaN(norm) ? bad : norm === 0 ? zero : known()), 255], 4 * (row * width + x));
      });
    }
    const cells = new OffscreenCanvas(width, count);
    cells.getContext("2d").putImageData(image, 0, 0);
    this.pen.imageSmoothingEnabled = false;
    this.pen.drawImage(cells, this.left, TOP, this.width, this.inner);
    return [this.names()];
  }

  names() {
    const tall = this.inner / this.rows.length;
    const each = Math.ceil(13 / tall);
    const shown = this.rows.map(({ name }, i) => {
      if (i % each) return null;
      const text = make("text", { x: this.left - 6, y: TOP + (i + 0.5) * tall + 4, "text-anchor": "end" });
      text.append(make("title", {}, name), fitted(name, (this.left - 10) / BOLD));
      return text;
    });
    return make("g", { class: "names" }, ...shown);
  }

  paintLines() {
    const many = this.rows.length > FEW;
    const chosen = this.rows.length > 1 ? this.chosen() : -1;
    const shade = (i) => (i === chosen ? "var(--ink)" : `rgb(${colourOf(i / (this.rows.length - 1)).join(" ")})`);
    this.lines = this.rows.map(({ name, norms }, i) => ({
      name,
      kind: "step",
      first: this.first,
      last: this.last,
      colour: i,
      look: i === chosen ? "wide" : many ? "dim" : "",
      shade: many ? shade(i) : null,
      y: Array.from(norms, (norm) => (norm >= 0 ? norm : null)),
      bad: [...norms.keys()].filter((i) => Number.isNaN(norms[i])).map((i) => [i, 1]),
    }));
    this.scale = scaleOf(this.lines, true);
    const order = [...this.lines].sort((a, b) => (a.look === "wide") - (b.look === "wide"));
    const drawn = order.flatMap((line) => drawLine(this, line, this.scale, { log: true }));
    return [this.heights(this.scale), ...gaps(this, this.lines), ...drawn];
  }

  drawLegend() {
    const all = this.rows.flatMap(({ norms }) => Array.from(norms));
    const odd = [
      all.some(Number.isNaN) ? key("not finite", "var(--alarm)") : null,
      this.heat && all.includes(0) ? key("exactly 0", "var(--zero)") : null,
      this.heat && all.includes(-1) ? key("no gradient", "transparent") : null,
    ];
    const colours = SCALE.map((colour) => `rgb(${colour.join(" ")})`);
    const range = ([low, high]) => [make("li", {}, low), key(high, ...colours)];
    if (this.heat) put(this.legend, ...range(this.ends.map((end) => written(end, 2))), ...odd);
    else if (this.rows.length > FEW) put(this.legend, ...range([this.rows[0].name, this.rows.at(-1).name]), ...odd);
    else put(this.legend, ...this.rows.map(({ name }, i) => key(name, `var(--c${i})`)), ...odd);
  }

  showStep() {
    super.showStep();
    this.read();
  }

  spots() {
    if (this.heat) {
      const tall = this.inner / this.rows.length;
      const row = { x: this.left, y: TOP + this.chosen() * tall, width: this.width, height: tall };
      [...this.svg.querySelectorAll(".names text")].forEach((text) => {
        text.classList.toggle("chosen", text.firstChild.textContent === this.rows[this.chosen()].name);
      });
      return this.rows.length > 1 ? [make("rect", { class: "row", ...row })] : [];
    }
    return [];
  }

  at(row) {
    const norm = this.rows[row].norms[placeOf(this.edges, state.step)];
    return norm === -1 ? "no gradient" : Number.isNaN(norm) ? "not finite" : written(norm);
  }

  total() {
    const norms = this.rows.map(({ norms }) => norms[placeOf(this.edges, state.step)]).filter((norm) => norm !== -1);
    return norms.some(Number.isNaN) ? "not finite" : norms.length ? written(Math.hypot(...norms)) : "no gradient";
  }

  told() {
    const row = this.hovered ?? this.chosen();
    const together = this.rows.length > 1 && data.paths ? [["all together", this.total()]] : [];
    return [[this.rows[row].name, this.at(row)], ...together];
  }

  read() {
    this.readout.textContent = this.told().map(([name, text]) => `${name}: ${text}`).join("  ·  ");
  }

  summary() {
    const [low, high] = this.range();
    const what = `${counted(this.rows.length)} rows (${this.levels[this.level].label}) over the ${data.unit}s`;
    return `${this.title}: ${what}, norms from ${written(low)} to ${written(high)}`;
  }
}

const ruler = document.createElement("canvas").getContext("2d");

function widthOf(text) {
  ruler.font = "12px Helvetica, Arial, sans-serif";
  return ruler.measureText(text).width;
}

// The end of a name, which tells more than its beginning, if there is no room for all.
function fitted(name, room) {
  if (widthOf(name) <= room) return name;
  const letters = [...name];
  while (letters.length > 1 && widthOf(`…${letters.join("")}`) > room) letters.shift();
  return `…${letters.join("")}`;
}

function rgbOf(variable) {
  ruler.fillStyle = styleOf(variable);
  return ruler.fillStyle.match(/[0-9a-f]{2}/g).map((pair) => parseInt(pair, 16));
}
