// The picture: boxes with their texts, laid out and drawn as SVG.  All text is set as text, never parsed.

const FONT = "Helvetica, Arial, sans-serif";
const TIP = 6; // the length of an arrow head
const ROW = 16;
const SPARK = { width: 72, height: 16 };
// Five colours of the scale cividis (Nunez, Anderton and Renslow, PLOS ONE 13(7), 2018).
const SCALE = [[0, 34, 78], [65, 77, 107], [124, 123, 120], [188, 175, 111], [254, 232, 56]];

const pen = document.createElement("canvas").getContext("2d");
const measured = new Map();

function widthOf(text, font) {
  const key = `${font} ${text}`;
  if (!measured.has(key)) {
    pen.font = `${font} ${FONT}`;
    measured.set(key, pen.measureText(text).width);
  }
  return measured.get(key);
}

function shade(share) {
  const at = Math.max(0, Math.min(1, share)) * (SCALE.length - 1);
  const below = Math.min(Math.floor(at), SCALE.length - 2);
  const mixed = SCALE[below].map((a, i) => Math.round(a + (SCALE[below + 1][i] - a) * (at - below)));
  return { fill: `rgb(${mixed.join(" ")})`, ink: share < 0.55 ? "#ffffff" : "#202020" };
}

// What a box says, row by row

function rowsOf(thing) {
  const title = shortened(titleOf(thing), 44);
  const [, assigned, operation, call] = /^(.+ = )?([^([]*)(.*)$/su.exec(title);
  const rows = [];
  if (thing.groups) {
    const name = shortened(thing.title || "group", 40);
    rows.push({ parts: [["name", thing.sealed ? name : `▸ ${name}`], ["times", times(thing)]] });
  } else if (thing.kind === "arrangement") rows.push({ parts: [["", title]] });
  else if (title === thing.kind || thing.kind === "fold") rows.push({ parts: [["anonymous", title]] });
  else if (thing.kind === "operation") rows.push({ parts: [["", assigned ?? ""], ["name", operation], ["", call]] });
  else rows.push({ parts: [["name", title]] });
  if (detailOf(thing) && thing.kind !== "arrangement") {
    const widest = data.steps.map((_, step) => widthOf(detailOf(thing, step), "10px"));
    rows.push({ parts: [["detail", detailOf(thing)]], least: Math.max(0, ...widest) });
  }
  if (thing.mark) rows.push({ parts: [["mark", shortened(thing.mark, 40)]] });
  const value = thing.groups ? null : now(thing).value;
  if (state.values && value?.histogram) rows.push({ spark: value.histogram });
  else if (state.values && value && !saysValue(thing)) {
    for (const text of value.text.split("\n").slice(0, 4)) rows.push({ parts: [["detail", shortened(text, 40)]] });
  }
  return rows;
}

function rowWidth({ parts, least, spark }) {
  if (spark) return SPARK.width;
  const size = { name: "600 13px", anonymous: "italic 13px", detail: "10px", times: "600 13px", mark: "600 11px" };
  return Math.max(least ?? 0, parts.reduce((sum, [kind, text]) => sum + widthOf(text, size[kind] ?? "13px"), 0));
}

// What a box needs around its text: left and right together, above, below.
const ROOM = {
  input: [24, 12, 4], parameter: [44, 9, 9], constant: [20, 11, 8], folded: [30, 10, 8], arrangement: [8, 1, 1],
};

function itemOf(thing) {
  const rows = rowsOf(thing);
  const [sides, above, below] = ROOM[kindOf(thing)] ?? [24, 7, 7];
  return {
    key: keyOf(thing), thing, rows, above, children: null,
    order: thing.groups ? thing.first : thing.id,
    source: ["parameter", "constant"].includes(thing.kind),
    places: thing.places ?? 0,
    width: Math.ceil(Math.max(...rows.map(rowWidth)) + sides),
    height: rows.length * ROW + above + below,
  };
}

function itemsOf(group, known) {
  const title = `▾ ${shortened(group.title || "repeated", 60)}`;
  const drawn = (other) => allNodes(other).some((node) => known.has(shownFor(node)));
  const inner = group.groups.filter((other) => !isFolded(other) && drawn(other));
  const closed = group.groups.filter((other) => isFolded(other) && known.has(other));
  return {
    key: keyOf(group), thing: group, order: group.first, source: false, places: 0, title,
    titleWidth: group === rootGroup ? 0 : widthOf(title + times(group), "600 12px") + 24,
    children: [
      ...[...group.nodes.filter((node) => known.has(node)), ...closed].map(itemOf),
      ...inner.map((other) => itemsOf(other, known)),
    ],
  };
}

// Drawing

function draw(view) {
  const all = visible().sort((a, b) => (a.first ?? a.id) - (b.first ?? b.id));
  const drawn = all.slice(0, BOXES);
  const root = itemsOf(rootGroup, new Set(drawn));
  const items = new Map();
  const stack = [root];
  while (stack.length) {
    const item = stack.pop();
    items.set(item.thing, item);
    stack.push(...(item.children ?? []));
  }
  const between = ({ from, to, place }) => ({ tail: items.get(from), head: items.get(to), place });
  const lines = layOut(root, visibleEdges(drawn).map(between));
  const open = [...items.values()].filter((item) => item.children && item !== root).sort((a, b) => a.depth - b.depth);
  const boxes = [...items.values()].filter((item) => !item.children).sort((a, b) => a.order - b.order);
  const frames = open.map(frame);
  for (const item of open) item.element = handle(item);
  for (const item of boxes) item.element = box(item);
  view.replaceChildren(
    make("g", {}, ...frames),
    make("g", {}, ...lines.map(edge)),
    make("g", {}, ...open.map((item) => item.element)),
    make("g", {}, ...boxes.map((item) => item.element)),
  );
  return { root, items, lines, left: all.length - drawn.length };
}

function frame({ thing, x, y, width, height }) {
  const repeated = thing.count > 1 ? " repeated" : "";
  return make("g", { class: `frame${repeated}`, "data-group": thing.id, transform: `translate(${x} ${y})` },
    make("rect", { width, height, rx: 9 }));
}

// A frame's title, which stands above the lines.
function handle({ thing, title, titleX, titleWidth, x, y }) {
  const [width, height, rx] = [titleWidth - 10, 20, 5];
  return make(
    "g", { class: "handle", "data-group": thing.id, transform: `translate(${x + titleX + 5} ${y + 4})`, tabindex: -1,
      role: "button", "aria-expanded": true, "aria-label": `${titleOf(thing)}, group` },
    make("title", {}, "Fold this group"),
    make("rect", { width, height, rx }),
    make("rect", { class: "halo", width, height, rx }),
    make("text", { x: 7, y: 14 },
      make("tspan", { class: "name" }, title), make("tspan", { class: "times" }, times(thing))),
  );
}

function box(item) {
  const { thing, x, y, width, height } = item;
  const made = make("g", { "data-node": thing.groups ? null : thing.id, "data-group": thing.groups ? thing.id : null,
    transform: `translate(${x} ${y})`, tabindex: -1, role: "button" });
  fill(made, item);
  return made;
}

// The looks and the content of a box, which change with the step and the switches.
function fill(made, { thing, rows, above, width, height }) {
  const [kind, bad, heat] = [kindOf(thing), badIn(thing), state.heat ? heatOf(thing) : null];
  const classes = ["box", kind, thing.output && "output", thing.mark && "marked", bad && "alarming"];
  made.setAttribute("class", [...classes, heat !== null && "hot"].filter(Boolean).join(" "));
  made.setAttribute("aria-label", [titleOf(thing), NAMES[kind], detailOf(thing), bad].filter(Boolean).join(", "));
  if (thing.groups) made.setAttribute("aria-expanded", false);
  if (heat !== null) {
    made.style.setProperty("--heat", shade(heat).fill);
    made.style.setProperty("--heat-ink", shade(heat).ink);
  }
  const texts = rows.map((row, i) => drawRow(row, width / 2, above + i * ROW));
  if (thing.groups) {
    const target = make("rect", { x: 4, y: 6, width: width - 12, height: ROW + 6, rx: 5 });
    texts[0] = make("g", { class: "handle" }, target, texts[0]);
  }
  put(
    made,
    make("title", {}, [titleOf(thing), detailOf(thing)].filter(Boolean).join("\n")),
    make("rect", { class: "halo", x: -4, y: -4, width: width + 8, height: height + 8, rx: 9 }),
    shapeOf(kind, width, height), ...texts, bad ? badge(bad, width) : null,
  );
}

function drawRow({ parts, spark }, x, y) {
  if (spark) {
    const d = bars(spark, x - SPARK.width / 2, y + 1, SPARK.width, SPARK.height - 2);
    return make("path", { class: "spark", d });
  }
  const spans = parts.filter(([, text]) => text).map(([kind, text]) => make("tspan", { class: kind }, text));
  return make("text", { x, y: y + 12, "text-anchor": "middle" }, ...spans);
}

function bars(counts, x, y, width, height) {
  const [top, step] = [Math.max(1, ...counts), width / counts.length];
  return counts.map((count, i) => {
    const tall = count ? Math.max(1, (height * count) / top) : 0;
    return `M${x + i * step + 0.3} ${y + height}v${-tall}h${step - 0.6}v${tall}z`;
  }).join("");
}

function badge(word, width) {
  const wide = widthOf(word, "700 10px") + 10;
  return make("g", { class: "badge", transform: `translate(${width - wide + 9} -8)` },
    make("rect", { width: wide, height: 15, rx: 7.5 }),
    make("text", { x: wide / 2, y: 11, "text-anchor": "middle" }, word));
}

function shapeOf(kind, w, h) {
  if (kind === "input") return make("path", { class: "shape", d: `M0 9L${w / 2} 0L${w} 9V${h}H0Z` });
  if (kind === "parameter") return make("ellipse", { class: "shape", cx: w / 2, cy: h / 2, rx: w / 2, ry: h / 2 });
  if (kind === "constant") {
    const lid = `M0 5A${w / 2} 5 0 0 1 ${w} 5`;
    const body = `${lid}V${h - 5}A${w / 2} 5 0 0 1 0 ${h - 5}Z`;
    const rim = make("path", { class: "side", d: `M0 5A${w / 2} 5 0 0 0 ${w} 5` });
    return make("g", { class: "shape" }, make("path", { d: body }), rim);
  }
  if (kind === "folded") {
    const front = `M0 5H${w - 5}V${h}H0Z`;
    return make("g", { class: "shape" }, make("path", { d: `M0 5L5 0H${w}V${h - 5}L${w - 5} ${h}H0Z` }),
      make("path", { class: "side", d: `${front}M${w - 5} 5L${w} 0` }));
  }
  return make("rect", { class: "shape", width: w, height: h, rx: 7 });
}

// A line from point to point that leaves and arrives vertically: it bends between the layers, where no boxes are.
function edge({ points, edges, arrow }) {
  const [x, y] = points.at(-1);
  const up = points.at(-2)[1] > y || (points.at(-2)[1] === y && points[0][1] > y) ? -1 : 1;
  const ends = points.map((point) => [...point]);
  if (arrow) {
    for (const end of ends.slice(1)) if (up * (y - end[1]) < TIP) end[1] = y - up * (TIP - 1);
  }
  let d = `M${spot(ends[0])}`;
  for (let i = 1; i < ends.length; i++) {
    const [[x0, y0], [x1, y1]] = [ends[i - 1], ends[i]];
    const middle = (y0 + y1) / 2;
    if (Math.abs(x0 - x1) >= 0.5) d += `C${spot([x0, middle])} ${spot([x1, middle])} ${spot(ends[i])}`;
    else d += `L${spot(ends[i])}`;
  }
  const tip = arrow ? `M${spot([x, y])}l-3.2 ${-up * TIP}h6.4z` : null;
  const names = edges.map(({ tail, head }) => `${tail.key}>${head.key}`);
  return make("g", { class: "edge", "data-edges": names.join(" ") }, make("path", { d }),
    tip ? make("path", { class: "tip", d: tip }) : null);
}

const spot = ([x, y]) => `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
