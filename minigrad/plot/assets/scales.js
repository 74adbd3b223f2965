// Numbers: how they are stored, written and placed on an axis.

const data = JSON.parse(document.getElementById("payload").textContent);
const find = (id) => document.getElementById(id);

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
}

function written(number, digits = 4) {
  if (typeof number !== "number") return "–";
  if (!Number.isFinite(number)) return String(number);
  const size = Math.abs(number);
  const small = size && (size < 1e-4 || size >= 1e6);
  const short = () => number.toExponential(digits - 2).replace(/\.?0*e\+?/, "e");
  return (small ? short() : String(Number(number.toPrecision(digits)))).replaceAll("-", "−");
}

const counted = (number) => number.toLocaleString("en");

const LARGEST = 1.7e308;

// An axis from low to high, over so many pixels: places of numbers, and the numbers to write beside it.
function linear(low, high) {
  const size = high / 2 - low / 2; // halves, because the distance may exceed the largest number
  const room = size * 0.1 || Math.abs(low) * 0.1 || 1;
  const [from, to] = [Math.max(low - room, -LARGEST), Math.min(high + room, LARGEST)];
  const half = to / 2 - from / 2;
  const step = nice(half / 2.5);
  const ticks = [];
  for (let tick = Math.ceil(from / step); tick * step <= to && ticks.length < 12; tick++) ticks.push(tick * step);
  const digits = Math.max(0, Math.min(12, -Math.floor(Math.log10(step))));
  const plain = Math.max(Math.abs(from), Math.abs(to)) < 1e5 && step >= 1e-4;
  const label = (tick) => (plain ? tick.toFixed(digits).replace("-", "−") : written(Number(tick.toPrecision(6))));
  const part = (value) => (value / 2 - from / 2) / half;
  return { part, value: (part) => from * (1 - part) + to * part, ticks, label };
}

function logarithmic(low, high) {
  const [first, last] = [Math.log10(low), Math.log10(high)];
  const room = (last - first) * 0.05 || 0.3;
  const [from, to] = [first - room, last + room];
  const decades = to - from;
  const marks = decades < 1.2 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : decades < 2.5 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(decades / 7));
  const ticks = [];
  for (let power = Math.floor(from); power <= to; power++) {
    if (stride > 1 && power % stride) continue;
    for (const mark of marks) {
      const place = power + Math.log10(mark);
      if (place >= from && place <= to) ticks.push(10 ** power * mark);
    }
  }
  const part = (value) => (Math.log10(value) - from) / decades;
  return { part, value: (part) => 10 ** (from + part * decades), ticks, label: (tick) => written(tick, 3) };
}

// 1, 2 or 5 times a power of ten, and no less than this.
function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((mark) => mark * power >= step * 0.999) ?? 10);
}

// The place in a rising list of the last number that is not beyond this one; 0 if all are.
function placeOf(list, number) {
  let [low, high] = [0, list.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= number) low = middle;
    else high = middle - 1;
  }
  return low;
}

// Nine colours of the scale viridis (S. van der Walt and N. Smith, 2015): it has neither greys nor reds.
const SCALE = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99],
  [170, 220, 50], [253, 231, 37]];

function colourOf(part, scale = SCALE) {
  const at = Math.max(0, Math.min(1, part)) * (scale.length - 1);
  const below = Math.min(Math.floor(at), scale.length - 2);
  return scale[below].map((a, i) => Math.round(a + (scale[below + 1][i] - a) * (at - below)));
}

const styleOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
