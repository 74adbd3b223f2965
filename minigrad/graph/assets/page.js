// The page: what people do with the picture.

const find = (id) => document.getElementById(id);
const [canvas, view, panel] = [find("canvas"), find("view"), find("panel")];
const camera = { x: 0, y: 0, scale: 1 };
const EDGE = 24; // a margin around the graph, and around what is brought into sight
const SMALLEST = 0.004;
const READABLE = 0.75;
const LEGIBLE = 0.55; // of the titles
let picture;

// Drawing and folding

function redraw(anchor = null) {
  const before = anchor && picture?.items.get(anchor);
  const focused = view.contains(document.activeElement) ? thingOf(document.activeElement) : null;
  foldToLimit();
  const old = before && { x: before.x + before.width / 2, y: before.y };
  picture = draw(view);
  const after = anchor && picture.items.get(anchor);
  if (old && after) {
    camera.x += (old.x - after.x - after.width / 2) * camera.scale;
    camera.y += (old.y - after.y) * camera.scale;
  }
  if (picture.left) say(`${picture.left.toLocaleString("en")} of the boxes are not drawn: there are too many.`);
  showCamera();
  decorate();
  showLegend();
  if (focused) focus(shownFor(focused));
}

function setFolded(group, folded) {
  group.folded = folded;
  if (!folded && visible().length > BOXES) {
    group.folded = true;
    say(`There would be over ${BOXES.toLocaleString("en")} boxes: fold other groups first.`);
    return;
  }
  redraw(group);
  if (!folded) reveal(group);
}

function setAllFolded(folded) {
  for (const group of withInner(rootGroup).slice(1)) group.folded = folded || Boolean(group.sealed);
  const kept = foldToLimit();
  if (kept.length) say(`Some groups stay folded: at most ${BOXES.toLocaleString("en")} boxes are drawn.`);
  redraw();
  fit();
}

function unfoldAround(thing) {
  const closed = around(thing).filter(isFolded);
  for (const group of closed) group.folded = false;
  foldToLimit(new Set(around(thing))); // elsewhere
  if (closed.length) redraw(closed[0]);
}

function say(text) {
  find("message").textContent = text;
  find("message").hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (find("message").hidden = true), 6000);
}

// Pan and zoom

function showCamera() {
  view.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.scale})`);
  view.style.setProperty("--pen", Math.max(1.1, Math.min(6, 0.5 / camera.scale))); // visible from afar
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const scale = Math.max(SMALLEST, Math.min(6, camera.scale * factor));
  camera.x = x - (x - camera.x) * (scale / camera.scale);
  camera.y = y - (y - camera.y) * (scale / camera.scale);
  camera.scale = scale;
  showCamera();
}

// The legend is to the left of the graph where there is room for it, otherwise below: how much it takes there.
function legendRoom() {
  const legend = find("legend-and-notes");
  const beside = legend.offsetLeft + legend.offsetWidth < canvas.clientWidth / 3;
  return beside
    ? { left: legend.offsetLeft + legend.offsetWidth, bottom: EDGE }
    : { left: 0, bottom: Math.min(legend.offsetHeight + 12, canvas.clientHeight / 3) };
}

// The part of the page that is free for the graph, and the scale at which all of it is seen there.
function room() {
  const { left, bottom } = legendRoom();
  const top = find("steps").hidden ? EDGE : 64;
  const [w, h] = [canvas.clientWidth - left - 2 * EDGE, canvas.clientHeight - top - bottom];
  const { width, height } = picture.root;
  return { left: left + EDGE, top, w, h, scale: Math.min(w / Math.max(width, 1), h / Math.max(height, 1), 1.4) };
}

// The whole graph; at first not smaller than one can read, from its upper left corner.
function fit(least = 0) {
  const { left, top, w, h, scale } = room();
  camera.scale = Math.max(least, SMALLEST, scale);
  camera.x = left + Math.max(0, (w - picture.root.width * camera.scale) / 2);
  camera.y = top + Math.max(0, (h - picture.root.height * camera.scale) / 2);
  showCamera();
}

// Fold inner groups before outer ones, but not the outermost, until the whole graph can be made out.
function foldToFit() {
  const open = () => withInner(rootGroup).filter((group) => around(group).length > 1 && !isFolded(shownFor(group)));
  for (let groups = open(); groups.length && room().scale < LEGIBLE; groups = open()) {
    const deepest = Math.max(...groups.map((group) => around(group).length));
    for (const group of groups) group.folded = group.folded || around(group).length === deepest;
    redraw();
  }
}

// Move the graph just so far that a box is in sight.
function reveal(thing, centred = false) {
  const item = picture.items.get(thing);
  if (!item) return;
  const right = canvas.clientWidth - (panel.hidden ? 0 : panel.offsetWidth + 12);
  const { left, bottom } = legendRoom();
  if (centred) camera.scale = Math.max(camera.scale, READABLE);
  const { scale } = camera;
  const shift = (start, length, from, to) => {
    const [least, most] = [from + EDGE - start, to - EDGE - start - length];
    if (centred && (least > 0 || most < 0)) return (least + most) / 2;
    return most < least ? least : Math.max(least, Math.min(most, 0));
  };
  camera.x += shift(camera.x + item.x * scale, item.width * scale, left, right);
  camera.y += shift(camera.y + item.y * scale, item.height * scale, 0, canvas.clientHeight - bottom);
  showCamera();
}

const pointers = new Map();
let dragged = false;

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  dragged = false;
});
canvas.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
  if (!dragged && Math.hypot(dx, dy) < 4) return;
  if (!dragged) canvas.setPointerCapture(event.pointerId);
  dragged = true;
  canvas.classList.add("dragged");
  const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
  if (other) {
    const away = (x, y) => Math.hypot(x - other.x, y - other.y);
    const frame = canvas.getBoundingClientRect();
    zoom(away(event.clientX, event.clientY) / Math.max(1, away(last.x, last.y)), other.x - frame.x, other.y - frame.y);
  } else {
    camera.x += dx;
    camera.y += dy;
    showCamera();
  }
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("dragged");
  });
}
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const frame = canvas.getBoundingClientRect();
  const speed = (event.deltaMode ? 20 : 1) * (event.ctrlKey ? 0.01 : 0.0015); // in lines; by two fingers
  zoom(Math.exp(-event.deltaY * speed), event.clientX - frame.x, event.clientY - frame.y);
}, { passive: false });

// Choosing a box, by mouse and by keys

function thingOf(element) {
  const holder = element.closest?.("[data-node], [data-group]");
  if (!holder) return null;
  return holder.dataset.node ? nodes.get(Number(holder.dataset.node)) : groups.get(Number(holder.dataset.group));
}

canvas.addEventListener("click", (event) => {
  if (dragged) return;
  const thing = thingOf(event.target);
  if (thing?.groups && !thing.sealed && event.target.closest(".handle")) setFolded(thing, !thing.folded);
  else choose(thing);
});

function choose(thing) {
  state.chosen = thing;
  decorate();
  showPanel();
  if (thing) focus(thing);
}

function goTo(thing) {
  unfoldAround(thing);
  choose(thing);
  reveal(thing, true);
}

// One box can be reached by Tab; the arrows lead from it to others.
function focus(thing) {
  const target = picture.items.get(thing)?.element;
  if (!target) return;
  for (const other of view.querySelectorAll('[tabindex="0"]')) other.setAttribute("tabindex", -1);
  target.setAttribute("tabindex", 0);
  target.focus({ preventScroll: true });
}

canvas.addEventListener("keydown", (event) => {
  const thing = thingOf(event.target);
  if (!thing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && thing.groups && !thing.sealed) setFolded(thing, !thing.folded);
  else if (event.key === "Enter" || event.key === " ") {
    choose(thing);
    reveal(thing);
  } else {
    const next = neighbour(thing, event.key);
    if (!next) return;
    focus(next);
    reveal(next);
  }
  event.preventDefault();
});

// Up to what a box is computed from, down to what is computed from it, aside to the nearest box.
function neighbour(thing, key) {
  const ends = { ArrowUp: ["to", "from"], ArrowDown: ["from", "to"] }[key];
  if (ends) {
    const drawn = [...picture.items.keys()].filter((other) => !other.groups || isFolded(other));
    const [own, other] = ends;
    return visibleEdges(drawn).find((edge) => edge[own] === thing)?.[other] ?? null;
  }
  const sign = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (!sign) return null;
  const here = picture.items.get(thing);
  const off = (item) => Math.abs(item.x - here.x) + 4 * Math.abs(item.y - here.y);
  const aside = [...picture.items.values()].filter((item) => item !== picture.root && sign * (item.x - here.x) > 1);
  return aside.sort((a, b) => off(a) - off(b))[0]?.thing ?? null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    const { chosen } = state;
    if (event.target === find("search")) clearSearch();
    choose(null);
    focus(chosen && shownFor(chosen));
    return;
  }
  if (event.target.matches("input")) return;
  const button = { "+": "larger", "=": "larger", "-": "smaller", 0: "fit" }[event.key];
  if (button) find(button).click();
  else if (event.key === "/") find("search").focus();
  else return;
  event.preventDefault();
});

// Marks on what is chosen and found
function decorate() {
  const chosen = state.chosen && shownFor(state.chosen);
  const found = new Set(state.found.map(shownFor));
  const current = state.found[state.current] && shownFor(state.found[state.current]);
  for (const [thing, { element }] of picture.items) {
    element?.classList.toggle("chosen", thing === chosen);
    element?.classList.toggle("found", found.has(thing));
    element?.classList.toggle("current", thing === current);
  }
  const key = chosen && keyOf(chosen);
  for (const line of view.querySelectorAll(".edge")) {
    const near = key && line.dataset.edges.split(" ").some((name) => name.split(">").includes(key));
    line.classList.toggle("near", Boolean(near));
  }
  if (!view.querySelector('[tabindex="0"]')) view.querySelector("[tabindex]")?.setAttribute("tabindex", 0);
}

// Search

const haystacks = new Map();
for (const thing of [...nodes.values(), ...groups.values()]) {
  if (thing === rootGroup || meant(thing) !== thing) continue;
  const texts = [thing.title, thing.kind, thing.detail, thing.mark, ...(thing.facts ?? []).map(([, text]) => text)];
  haystacks.set(thing, texts.filter(Boolean).join("\n").toLowerCase());
}

function search() {
  const words = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const hit = (text) => words.every((word) => text.includes(word));
  state.found = words.length ? [...haystacks].filter(([, text]) => hit(text)).map(([thing]) => thing) : [];
  state.current = -1;
  countFound();
  decorate();
}

function countFound() {
  const count = state.found.length;
  const which = state.current < 0 ? "" : `${state.current + 1} of `;
  find("found").textContent = find("search").value.trim() ? (count ? which + count : "nothing found") : "";
}

function clearSearch() {
  find("search").value = "";
  search();
}

find("search").addEventListener("input", search);
find("search").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !state.found.length) return;
  const { length } = state.found;
  const back = Math.max(state.current, 0) + length - 1;
  state.current = (event.shiftKey ? back : state.current + 1) % length;
  const thing = state.found[state.current];
  unfoldAround(thing);
  state.chosen = thing;
  countFound();
  decorate();
  showPanel();
  reveal(thing, true);
});

// Steps, heat, values, and the first value that is not finite

function refresh() {
  for (const item of picture.items.values()) {
    if (item.children) continue;
    item.rows = rowsOf(item.thing);
    fill(item.element, item);
  }
  decorate();
  showPanel();
  showAlarm();
}

// Values are computed from the first node to the last, gradients from the last to the first.
function firstBad() {
  const bad = [...nodes.values()].filter((node) => now(node).bad).sort((a, b) => a.id - b.id);
  return bad.find((node) => !now(node).bad.startsWith("gradient")) ?? bad.at(-1) ?? null;
}

function showAlarm() {
  const node = firstBad();
  find("alarm").hidden = !node;
  if (node) find("alarm").textContent = `First ${now(node).bad}`;
}

function setStep(step) {
  state.step = step;
  find("step").value = step;
  find("moment").textContent = data.steps[step].label;
  refresh();
}

let playing = null;
function play(on) {
  clearInterval(playing);
  playing = on ? setInterval(() => {
    if (state.step + 1 >= data.steps.length) play(false);
    else setStep(state.step + 1);
  }, 500) : null;
  find("play").textContent = on ? "❚❚" : "▶";
  find("play").setAttribute("aria-label", on ? "Pause" : "Play");
}

find("play").addEventListener("click", () => {
  if (!playing && state.step + 1 >= data.steps.length) setStep(0);
  play(!playing);
});
find("step").addEventListener("input", (event) => {
  play(false);
  setStep(Number(event.target.value));
});
find("steps").addEventListener("submit", (event) => event.preventDefault());
find("alarm").addEventListener("click", () => goTo(meant(firstBad())));
find("heat").addEventListener("click", () => {
  state.heat = !state.heat;
  find("heat").setAttribute("aria-pressed", state.heat);
  refresh();
  showLegend();
});
find("values").addEventListener("click", () => {
  state.values = !state.values;
  find("values").setAttribute("aria-pressed", state.values);
  redraw(state.chosen && shownFor(state.chosen));
});
find("fold").addEventListener("click", () => setAllFolded(true));
find("unfold").addEventListener("click", () => setAllFolded(false));
find("larger").addEventListener("click", () => zoom(1.25));
find("smaller").addEventListener("click", () => zoom(0.8));
find("fit").addEventListener("click", () => fit());

// The legend, and the start

function showLegend() {
  const kinds = new Set([...nodes.values()].map(kindOf));
  if ([...picture.items.keys()].some((thing) => thing.groups && thing.folded)) kinds.add("folded");
  const sample = (kind) => make("svg", { viewBox: "-1 -1 28 18" }, make("g", { class: kind }, shapeOf(kind, 26, 16)));
  const entries = Object.keys(NAMES).filter((kind) => kinds.has(kind) && !["fold", "arrangement"].includes(kind))
    .map((kind) => make("li", {}, sample(kind), NAMES[kind]));
  if (state.heat) entries.unshift(heatKey());
  find("legend").replaceChildren(...entries);
}

function heatKey() {
  const { title = "heat", low = "low", high = "high" } = data.heat ?? {};
  const scale = make("span", { class: "scale" });
  scale.style.background = `linear-gradient(to right, ${SCALE.map((colour) => `rgb(${colour.join(" ")})`).join(", ")})`;
  const [name, start, end] = [`${title}:`, low, high].map((text) => make("span", {}, text));
  return make("li", { class: "heat" }, name, start, scale, end);
}

function start() {
  const hasHeat = (holder) => Object.values(holder).some((each) => typeof each.heat === "number");
  document.title = find("title").textContent = data.title;
  find("notes").replaceChildren(...data.caption.map((note) => make("li", {}, note)));
  find("heat").hidden = !hasHeat(data.nodes) && !data.steps.some((step) => hasHeat(step.nodes));
  find("fold").hidden = find("unfold").hidden = groups.size < 2;
  find("steps").hidden = data.steps.length < 2;
  if (data.steps.length) {
    find("step").max = data.steps.length - 1;
    find("moment").textContent = data.steps[0].label;
  }
  const folded = foldToLimit();
  redraw();
  if (folded.length) say(`Some groups were folded: at most ${BOXES.toLocaleString("en")} boxes are drawn.`);
  showAlarm();
  if (!data.opened) foldToFit();
  fit(room().scale < LEGIBLE ? READABLE : 0);
  const [first] = nodes.values();
  if (first) reveal(shownFor(first));
  if (!data.nodes.length) say("The graph is empty.");
}

start();
