// What Python has put into the page, and how the picture's plane lies in the space of all coordinates.

const PAGE = JSON.parse(document.getElementById("payload").textContent);
const COUNT = PAGE.start.length;
const FLAT = PAGE.directions.length === 1; // one coordinate: a curve in place of contours
const DATA = PAGE.data.map((array) => Float64Array.from(array.numbers));
const ROWS = PAGE.data.length ? DATA[0].length / Math.max(PAGE.data[0].width, 1) : 0;

const PROGRAM = {
  value: PROGRAMS[PAGE.objective.value](),
  slope: PROGRAMS[PAGE.objective.slope](),
  hessian: PAGE.objective.hessian === null ? null : PROGRAMS[PAGE.objective.hessian](),
  batches: Object.fromEntries(Object.entries(PAGE.objective.batches).map(([size, i]) => [size, PROGRAMS[i]()])),
};

// Programs refuse what Python would refuse, such as an index out of range: to the page that is no number.
function valueAt(point) {
  try {
    return PROGRAM.value(point, ...DATA);
  } catch {
    return NaN;
  }
}

function slopeAt(point) {
  return PROGRAM.slope(point, ...DATA);
}

// How far the start that Python was given is out of the plane: all starts are as far.
const OFFSET = (() => {
  const inside = within(PAGE.start);
  return PAGE.start.map((x, i) => x - PAGE.origin[i] - PAGE.directions.reduce((s, d, j) => s + d[i] * inside[j], 0));
})();

// The position of a point in the plane.
function within(point) {
  return PAGE.back.map((row) => row.reduce((sum, x, i) => sum + x * (point[i] - PAGE.origin[i]), 0));
}

// The point at a position.
function lifted(position) {
  const point = new Float64Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    let sum = 0;
    for (let j = 0; j < position.length; j++) sum += PAGE.directions[j][i] * position[j];
    point[i] = PAGE.origin[i] + OFFSET[i] + sum;
  }
  return point;
}

// The point at which runs begin: the very one that Python was given, unless it was moved.
function startAt(position) {
  const first = within(PAGE.start);
  return position.every((x, j) => x === first[j]) ? Float64Array.from(PAGE.start) : lifted(position);
}

const MINIMA = PAGE.minima.map((position) => ({ position, value: valueAt(lifted(position)) }));

// Numbers as people read them.
function short(x, digits = 4) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const far = size >= 1e5 || size < 1e-3;
  const text = far ? x.toExponential(Math.max(digits - 2, 0)) : String(Number(x.toPrecision(digits)));
  return text.replace(/(\.\d*?)0*e/, "$1e").replace(".e", "e").replace("e+", "e").replaceAll("-", "−");
}

// Round numbers from low to high, about so many.
function ticks(low, high, many) {
  const rough = (high - low) / Math.max(many, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((x) => x * power >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  return found.map((x) => Number(x.toPrecision(12)));
}
