// What runs look like everywhere: colours of the palette of M. Okabe and K. Ito, and markers that tell them apart, too.

const SHAPES = [
  "M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z",
  "M-4.6 -4.6H4.6V4.6H-4.6Z",
  "M0 -6.2L6.2 0L0 6.2L-6.2 0Z",
  "M0 -6L5.8 4.6H-5.8Z",
  "M0 6L5.8 -4.6H-5.8Z",
  "M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z",
  "M-6 -3.2L-3.2 -6L0 -2.8L3.2 -6L6 -3.2L2.8 0L6 3.2L3.2 6L0 2.8L-3.2 6L-6 3.2L-2.8 0Z",
  "M0 -6.4L1.6 -2.1L6.1 -2L2.6 0.8L3.8 5.2L0 2.7L-3.8 5.2L-2.6 0.8L-6.1 -2L-1.6 -2.1Z",
  "M6 0L-4.6 5.8V-5.8Z",
  "M-6 0L4.6 5.8V-5.8Z",
];
const STAR = new Path2D("M0 -11L2.7 -3.7L10.5 -3.4L4.4 1.4L6.5 8.9L0 4.6L-6.5 8.9L-4.4 1.4L-10.5 -3.4L-2.7 -3.7Z");
const PATHS = SHAPES.map((shape) => new Path2D(shape));

// The colours of the page as they are now: of the light or the dark one.
const LOOK = {};

function readLook() {
  const style = getComputedStyle(document.documentElement), read = (name) => style.getPropertyValue(name).trim();
  for (const name of ["paper", "card", "ink", "faint", "rule", "halo", "line", "focus"]) LOOK[name] = read(`--${name}`);
  LOOK.runs = Array.from({ length: 8 }, (_, i) => read(`--run-${i}`));
  const ends = ["--band-low", "--band-middle", "--band-high"].map((name) => rgb(read(name)));
  LOOK.bands = Array.from({ length: BANDS }, (_, i) => {
    const at = (2 * i) / (BANDS - 1), from = at < 1 ? ends[0] : ends[1], to = at < 1 ? ends[1] : ends[2];
    return from.map((c, k) => Math.round(c + (at < 1 ? at : at - 1) * (to[k] - c)));
  });
}

function rgb(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}

function colourOf(number) {
  return LOOK.runs[number % LOOK.runs.length];
}

function drawMark(g, path, x, y, fill, edge, size = 1) {
  g.save();
  g.translate(x, y);
  g.scale(size, size);
  g.lineWidth = 3.2 / size;
  g.lineJoin = "round";
  g.strokeStyle = edge;
  g.stroke(path);
  g.fillStyle = fill;
  g.fill(path);
  g.restore();
}

// A canvas as large as its place on the page, in the screen's own pixels; its context, width and height.
function fitted(canvas) {
  const { width, height } = canvas.getBoundingClientRect(), ratio = Math.min(devicePixelRatio || 1, 2);
  const [w, h] = [Math.max(Math.round(width * ratio), 1), Math.max(Math.round(height * ratio), 1)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { g, width, height, ratio };
}

const FONT = "13px system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
