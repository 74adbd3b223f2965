// The ground of the picture: the function as a surface that one can turn, drawn from the back to the front.

const FACETS = 96; // along the wider side, at most
const TALL = 0.6; // half the height of the surface, where half its width is 1
const REACH = 1.28; // from the middle to a corner

class SurfaceGround {
  constructor() {
    this.turn = -0.9; // of the surface about the vertical axis
    this.tilt = 0.62; // from above, in radians
  }

  build({ g, width, height }, field, log) {
    this.box = { left: 0, top: 0, width, height };
    this.bounds = field.bounds;
    const levels = (this.levels = field.levels(log, 0.02, 1)), { columns, rows } = field;
    // Whichever way it is turned, it fits.
    const deep = 2 * REACH * Math.sin(this.tilt) + 2 * TALL * Math.cos(this.tilt);
    this.size = Math.min((width - 40) / (2 * REACH), (height - 30) / deep);
    const step = Math.max(Math.ceil(columns / FACETS), 1);
    const across = strided(columns, step), along = strided(rows, step);
    const corners = along.map((j) => across.map((i) => {
      const value = field.values[j * columns + i], t = this.height(value);
      return [...this.turned((2 * i) / (columns - 1) - 1, ((2 * j) / (rows - 1) - 1) * 0.8, t), t];
    }));
    // Rows and columns begin with those that are farthest from the eye.
    const cosine = Math.cos(this.turn), sine = Math.sin(this.turn);
    const js = cosine > 0 ? range(along.length - 2, -1) : range(0, along.length - 1);
    const is = sine > 0 ? range(across.length - 2, -1) : range(0, across.length - 1);
    g.lineWidth = 0.8;
    g.lineJoin = "round";
    for (const j of js) {
      for (const i of is) {
        const facet = [corners[j][i], corners[j][i + 1], corners[j + 1][i + 1], corners[j + 1][i]];
        const t = facet.reduce((sum, corner) => sum + corner[2], 0) / 4;
        if (!Number.isFinite(t) || t > 1.0001) continue;
        // Light comes from one side: slopes that rise along the columns are darker.
        const slope = (facet[1][2] - facet[0][2]) * across.length;
        const shade = 0.93 - 0.12 * Math.max(-1, Math.min(1, slope / 2));
        const colour = LOOK.bands[Math.min(Math.floor(t * BANDS), BANDS - 1)].map((c) => Math.round(c * shade));
        g.beginPath();
        facet.forEach(([x, y], k) => g[k ? "lineTo" : "moveTo"](x, y));
        g.closePath();
        g.fillStyle = g.strokeStyle = `rgb(${colour})`;
        g.fill();
        g.stroke();
      }
    }
    this.nameAxes(g);
    return levels;
  }

  nameAxes(g) {
    g.font = `italic ${FONT.replace("13px", "15px")}`;
    g.fillStyle = LOOK.ink;
    g.textAlign = "center";
    g.textBaseline = "middle";
    const near = Math.cos(this.turn) > 0 ? -1 : 1, side = Math.sin(this.turn) > 0 ? -1 : 1;
    g.fillText(PAGE.names[0], ...this.turned(0, near * 0.95, -0.06));
    g.fillText(PAGE.names[1], ...this.turned(side * 1.15, 0, -0.06));
  }

  height(value) {
    const { scale, low, high } = this.levels;
    return Math.max((scale(value) - low) / (high - low), 0);
  }

  turned(x, y, z) {
    const cosine = Math.cos(this.turn), sine = Math.sin(this.turn);
    const right = x * cosine - y * sine, back = x * sine + y * cosine;
    const { left, top, width, height } = this.box;
    return [
      left + width / 2 + this.size * right,
      top + height / 2 - this.size * (back * Math.sin(this.tilt) + (z - 0.5) * 2 * TALL * Math.cos(this.tilt)),
    ];
  }

  place(a, b, loss) {
    const [[left, right], [bottom, top]] = this.bounds;
    const x = (2 * (a - left)) / (right - left) - 1, y = (2 * (b - bottom)) / (top - bottom) - 1;
    if (Math.abs(x) > 1.001 || Math.abs(y) > 1.001) return [NaN, NaN];
    return this.turned(x, 0.8 * y, Math.min(Math.max(this.height(loss), 0), 1) + 0.012);
  }

  position() {
    return null;
  }

  rotate(turn, tilt) {
    this.turn += turn;
    this.tilt = Math.min(Math.max(this.tilt + tilt, 0.15), 1.4);
  }
}

function strided(count, step) {
  const found = [];
  for (let i = 0; i < count - 1; i += step) found.push(i);
  return [...found, count - 1];
}

function range(from, to) {
  const way = to > from ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) }, (_, i) => from + way * i);
}
