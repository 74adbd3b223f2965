// Histograms of one parameter over the steps, and beside them the one at the cursor.

const STRIP = 96; // pixels for the histogram at the cursor

class WeightPanel extends Panel {
  constructor(about) {
    super({ ...about, right: STRIP });
    const { steps, bins, facts, bars, bad } = data.weights;
    Object.assign(this, { steps, bins, facts: new Float32Array(bytesOf(facts)), bars: new Uint8Array(bytesOf(bars)) });
    this.bad = new Map(bad.map(([parameter, place, count]) => [`${parameter} ${place}`, count]));
    this.edges = edgesOf(steps, steps);
    this.readout.hidden = false;
    this.select = this.choice("Parameter", data.names, (row) => setRow(row));
    put(this.legend, make("li", {}, "few"), key("many values there", "rgb(var(--low))", "rgb(var(--full))"));
  }

  // The histogram of the chosen parameter at one place: its ends, mean, deviation, and the height of each bin.
  histogram(place) {
    const at = state.row * this.steps.length + place;
    const [low, high, mean, std] = this.facts.subarray(4 * at, 4 * at + 4);
    const counts = Array.from(this.bars.subarray(this.bins * at, this.bins * (at + 1)), (bar) => bar * bar);
    const all = counts.reduce((a, b) => a + b, 0) || 1;
    const merged = this.merged();
    const heights = new Array(this.bins / merged).fill(0);
    counts.forEach((count, i) => (heights[Math.floor(i / merged)] += count / all));
    return { low, high, mean, std, heights, bad: this.bad.get(`${state.row} ${place}`) ?? 0 };
  }

  // How many bins make one, so that few values make a shape: two for each cube root of their number (Rice's rule).
  merged() {
    let count = Math.max(1, Math.round(this.bins / (2 * Math.cbrt(data.weights.sizes[state.row] || 1))));
    while (this.bins % count) count--; // so that all are alike
    return count;
  }

  draw() {
    this.select.value = state.row;
    this.right = this.plot.clientWidth < 480 ? STRIP * 0.65 : STRIP;
    super.draw();
  }

  paint() {
    this.shown = this.steps.map((_, place) => this.histogram(place));
    const known = this.shown.filter(({ low }) => !Number.isNaN(low));
    const [lows, highs] = [known.map(({ low }) => low), known.map(({ high }) => high)];
    const ends = known.length ? [Math.min(...lows), Math.max(...highs)] : [0, 1];
    this.scale = linear(...ends);
    this.thin = (ends[1] - ends[0] || Math.abs(ends[0]) || 1) / 60; // bins that are narrower count as this wide
    const densities = known.map((shot) => Math.max(...shot.heights) / Math.max(this.widthOf(shot), this.thin));
    this.densest = densities.reduce((a, b) => Math.max(a, b), 0) || 1;
    this.shown.forEach((shot, place) => this.paintColumn(shot, place));
    const bad = this.shown.flatMap((shot, i) => (shot.bad ? [i] : []));
    const odd = { first: this.steps, last: this.steps, bad: bad.map((place) => [place]) };
    return [this.heights(this.scale), ...gaps(this, [odd])];
  }

  widthOf({ low, high }) {
    return ((high - low) / this.bins) * this.merged();
  }

  paintColumn(shot, place) {
    if (Number.isNaN(shot.low)) return;
    // Whole pixels, so that no column shines through the edge of another.
    const clip = (step) => Math.round(Math.max(this.left, Math.min(this.left + this.width, this.x(step))));
    const from = clip(Math.max(this.edges[place], data.first));
    const to = clip(this.edges[place + 1] ?? data.last);
    const width = Math.max(this.widthOf(shot), this.thin);
    const [pale, full] = [styleOf("--low"), styleOf("--full")].map((text) => text.split(" ").map(Number));
    shot.heights.forEach((height, i) => {
      if (!height) return;
      const part = 0.06 + 0.94 * Math.sqrt(height / width / this.densest);
      this.pen.fillStyle = `rgb(${colourOf(part, [pale, full]).join(" ")})`;
      const [top, bottom] = this.ofBin(shot, i).map(Math.round);
      this.pen.fillRect(from, top, Math.max(1, to - from), bottom - top);
    });
  }

  // Top and bottom of a bin; one that is too thin to be seen is made thicker.
  ofBin({ low, high }, i) {
    const at = (place) => this.y(this.scale.part(low + (high - low) * place));
    const [top, bottom] = [i + 1, i].map((edge) => at((edge * this.merged()) / this.bins));
    const rest = Math.max(0, 2 - (bottom - top)) / 2;
    return [top - rest, bottom + rest];
  }

  place() {
    return placeOf(this.edges, state.step);
  }

  spots() {
    const shot = this.shown[this.place()];
    if (Number.isNaN(shot.low)) return [];
    const [start, room] = [this.left + this.width + 10, this.right - 14];
    const most = Math.max(...shot.heights);
    const bars = shot.heights.map((height, i) => {
      const [top, bottom] = this.ofBin(shot, i);
      return height ? `M${start} ${top}H${start + (height / most) * room}V${bottom}H${start}Z` : "";
    });
    const axis = make("path", { class: "frame", d: `M${start} ${TOP}v${this.inner}` });
    return [make("path", { class: "bars", d: bars.join("") }), axis];
  }

  told() {
    const { low, high, mean, std, bad } = this.shown[this.place()];
    const odd = bad ? [[data.names[state.row], `${counted(bad)} not finite`]] : [];
    if (Number.isNaN(low)) return odd.length ? odd : [[data.names[state.row], "no values"]];
    const text = `mean ${written(mean, 3)} ± ${written(std, 3)}, from ${written(low, 3)} to ${written(high, 3)}`;
    return [[`${data.names[state.row]} at ${data.unit} ${counted(this.steps[this.place()])}`, text], ...odd];
  }

  showStep() {
    super.showStep();
    this.readout.textContent = this.told().map(([name, text]) => `${name}: ${text}`).join("  ·  ");
  }

  summary() {
    const [low, high] = [0, 1].map((part) => written(this.scale.value(part), 3));
    const what = `histograms of ${data.names[state.row]} at ${counted(this.steps.length)} ${data.unit}s`;
    return `${this.title}: ${what}, values from ${low} to ${high}`;
  }
}
