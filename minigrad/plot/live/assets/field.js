// Values of the function over the picture, the levels of its contours, and the colours between them.

const BUDGET = 60; // milliseconds for the values of the first picture
const PATIENCE = 400; // for those of the one after it
const COARSEST = 36, FINEST = 210; // points along the wider side
const BANDS = 15;
const LOW_PART = 0.6; // of values in the lowest tenth of their range, from which on levels are logarithmic

class Field {
  constructor(bounds, minima) {
    this.bounds = bounds;
    this.minima = minima;
    this.compute(COARSEST);
    this.refine(BUDGET);
  }

  // Compute more points, as many as take so long; whether there are more then.
  refine(budget = PATIENCE) {
    const columns = Math.floor(Math.min(FINEST, Math.sqrt((budget / Math.max(this.each, 1e-6)) * (4 / 3))));
    if (columns < 1.2 * this.columns) return false;
    this.compute(columns);
    return true;
  }

  compute(columns) {
    const rows = Math.round(columns * 0.75), begun = performance.now();
    const [[left, right], [bottom, top]] = this.bounds;
    [this.columns, this.rows] = [columns, rows];
    this.values = new Float64Array(columns * rows);
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const a = left + ((right - left) * i) / (columns - 1), b = bottom + ((top - bottom) * j) / (rows - 1);
        this.values[j * columns + i] = valueAt(lifted([a, b]));
      }
    }
    this.each = (performance.now() - begun) / this.values.length;
    this.sorted = this.values.filter(Number.isFinite).sort();
    this.least = Math.min(this.sorted[0] ?? 0, ...this.minima.map((m) => m.value).filter(Number.isFinite));
    this.most = this.sorted[this.sorted.length - 1] ?? 1;
  }

  quantile(part) {
    return this.sorted[Math.round(part * (this.sorted.length - 1))] ?? 0;
  }

  get prefersLog() {
    const limit = this.least + (this.most - this.least) / 10;
    return this.sorted.filter((v) => v < limit).length > LOW_PART * this.sorted.length;
  }

  // Levels, and the scale on which they are evenly spaced: a logarithmic one begins at a part of the median, and
  // another one ends where all but a few values are below.
  levels(log, part = 2e-4, most = 0.985) {
    const range = this.most - this.least || 1;
    const floor = Math.max((this.quantile(0.5) - this.least) * part, range * 1e-12) || 1;
    const scale = log ? (v) => Math.log(v - this.least + floor) : (v) => v;
    const inverse = log ? (t) => Math.exp(t) + this.least - floor : (t) => t;
    const low = scale(log ? this.least + floor : this.least), high = scale(log ? this.most : this.quantile(most));
    const step = (high - low) / BANDS;
    const levels = Array.from({ length: BANDS - 1 }, (_, i) => low + (i + 1) * step);
    return { scale, inverse, levels, low, high: Math.max(high, low + 1e-300) };
  }

  // The contour lines of the levels, as one path on a canvas, where columns and rows lie at x(i) and y(j).
  lines({ scale, levels }, x, y) {
    const path = new Path2D(), { columns, rows } = this, t = this.values.map(scale);
    for (let j = 0; j + 1 < rows; j++) {
      for (let i = 0; i + 1 < columns; i++) {
        const k = j * columns + i, corners = [t[k], t[k + 1], t[k + columns + 1], t[k + columns]];
        const least = Math.min(...corners), most = Math.max(...corners);
        if (!(most - least < Infinity) || most === least) continue;
        for (const level of levels) if (level > least && level <= most) cell(path, corners, level, i, j, x, y);
      }
    }
    return path;
  }

  // The bands as an image of so many pixels, coloured from the lowest to the highest.
  image({ scale, low, high }, width, height, colours) {
    const { columns, rows } = this, t = this.values.map(scale), image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer), count = colours.length, factor = count / (high - low);
    const words = colours.map(([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r);
    for (let v = 0; v < height; v++) {
      const row = ((height - 1 - v) / Math.max(height - 1, 1)) * (rows - 1);
      const j = Math.min(Math.floor(row), rows - 2), q = row - j;
      for (let u = 0; u < width; u++) {
        const column = (u / Math.max(width - 1, 1)) * (columns - 1);
        const i = Math.min(Math.floor(column), columns - 2), p = column - i, k = j * columns + i, above = k + columns;
        const value = (t[k] * (1 - p) + t[k + 1] * p) * (1 - q) + (t[above] * (1 - p) + t[above + 1] * p) * q;
        if (value === value && value < Infinity && value > -Infinity) {
          const band = Math.floor((value - low) * factor);
          pixels[v * width + u] = words[band < 0 ? 0 : band >= count ? count - 1 : band];
        }
      }
    }
    return image;
  }
}

// The line of a level through one cell of the mesh: between the sides where it enters and leaves.
function cell(path, corners, level, i, j, x, y) {
  const places = [[0, 0], [1, 0], [1, 1], [0, 1]], crossings = [];
  for (let side = 0; side < 4; side++) {
    const a = corners[side], b = corners[(side + 1) % 4];
    if (a < level === b < level) continue;
    const part = (level - a) / (b - a), [ax, ay] = places[side], [bx, by] = places[(side + 1) % 4];
    crossings.push([x(i + ax + part * (bx - ax)), y(j + ay + part * (by - ay))]);
  }
  for (let n = 0; n + 1 < crossings.length; n += 2) {
    path.moveTo(...crossings[n]);
    path.lineTo(...crossings[n + 1]);
  }
}
