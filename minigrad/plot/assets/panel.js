// A panel: a picture over the steps, with a title, tools, an axis on either side, a cursor and a legend.

const TOP = 10;
const BOTTOM = 24;
const SIDE = 8; // to the right of the picture
const panels = [];
const state = { step: data.last, row: 0, level: null };
const span = data.last - data.first || 1;

class Panel {
  constructor({ id, title, column, height, left = 52, right = SIDE }) {
    Object.assign(this, { id, title, height, left, right });
    this.tools = make("div", { class: "tools" });
    this.readout = make("output", { class: "readout", hidden: true });
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.svg = make("svg", { "aria-hidden": "true" });
    this.plot = make("div", { class: "plot", tabindex: 0, role: "img" }, this.canvas, this.svg);
    this.legend = make("ul", { class: "legend", "aria-label": `${title}: legend` });
    const caption = make("figcaption", {}, make("h2", {}, title), this.tools, this.readout);
    this.figure = make("figure", { class: "panel", id }, caption, this.plot, this.legend);
    find(column).append(this.figure);
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerdown", (event) => this.point(event, true));
    this.plot.addEventListener("keydown", moveByKey);
    panels.push(this);
  }

  tool(text, on, click) {
    const button = make("button", { "aria-pressed": on, click });
    button.textContent = text;
    this.tools.append(button);
    return button;
  }

  choice(label, options, change) {
    const select = make("select", { "aria-label": label, change: () => change(Number(select.value)) });
    select.append(...options.map((text, i) => make("option", { value: i }, text)));
    this.tools.append(select);
    return select;
  }

  point(event, pressed = false) {
    const box = this.plot.getBoundingClientRect();
    const part = (event.clientX - box.left - this.left) / this.width;
    if (pressed || (part >= -0.02 && part <= 1.02)) setStep(data.first + part * span);
    this.pointed?.(event.clientY - box.top, pressed);
  }

  x(step) {
    const part = data.first === data.last ? 0.5 : (step - data.first) / span;
    return this.left + part * this.width;
  }

  y(part) {
    return TOP + (1 - part) * this.inner;
  }

  draw() {
    this.plot.style.height = `${this.height}px`;
    const full = this.plot.clientWidth;
    this.width = Math.max(20, full - this.left - this.right);
    this.inner = this.height - TOP - BOTTOM;
    this.svg.setAttribute("viewBox", `0 0 ${full} ${this.height}`);
    const sharp = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.round(full * sharp), height: Math.round(this.height * sharp) });
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(sharp, sharp);
    this.cursor = make("g");
    put(this.svg, this.axis(), ...this.paint(), this.cursor);
    this.plot.setAttribute("aria-label", this.summary());
    this.showStep();
  }

  // The axis of steps, and lines where epochs end.
  axis() {
    const step = Math.max(1, nice(span / Math.max(2, this.width / 90)));
    const bottom = TOP + this.inner;
    const drawn = [make("path", { class: "frame", d: `M${this.left} ${bottom}h${this.width}` })];
    for (let tick = Math.ceil(data.first / step) * step; tick <= data.last; tick += step) {
      const at = this.x(tick);
      const anchor = at > this.left + this.width - 14 ? "end" : "middle";
      drawn.push(make("path", { class: "frame", d: `M${at} ${bottom}v4` }));
      drawn.push(make("text", { x: at, y: bottom + 17, "text-anchor": anchor }, counted(tick)));
    }
    if (data.ends.length && data.ends.length <= this.width / 12) {
      const lines = data.ends.map((end) => `M${this.x(end)} ${TOP}V${bottom}`).join("");
      drawn.unshift(make("path", { class: "ends", d: lines }));
    }
    return make("g", {}, ...drawn);
  }

  // The axis of heights.
  heights(scale) {
    const drawn = [];
    for (const tick of scale.ticks) {
      const at = this.y(scale.part(tick));
      drawn.push(make("path", { class: "grid", d: `M${this.left} ${at}h${this.width}` }));
      drawn.push(make("text", { x: this.left - 6, y: at + 4, "text-anchor": "end" }, scale.label(tick)));
    }
    return make("g", {}, ...drawn);
  }

  showStep() {
    const at = this.x(state.step);
    put(this.cursor, make("path", { class: "cursor", d: `M${at} ${TOP}V${TOP + this.inner}` }), ...this.spots());
  }

  paint() {
    return [];
  }

  spots() {
    return [];
  }

  // What is read out: pairs of a name and a text.
  told() {
    return [];
  }

  summary() {
    return this.title;
  }
}

// A sample of a colour, or of a range of them, with words.
function key(text, ...styles) {
  const sample = make("span", { class: styles.length > 1 ? "scale" : "swatch" });
  sample.style.background = styles.length > 1 ? `linear-gradient(to right, ${styles.join(", ")})` : styles[0];
  return make("li", {}, sample, make("span", {}, text));
}
