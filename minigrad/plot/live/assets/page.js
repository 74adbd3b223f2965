// The page: what is shown of the runs, what changes it, and the clock that plays them.

readLook();
let settings = readAddress(location.hash);
const entries = PAGE.optimizers.map((_, number) => ({ number, run: null }));
const field = FLAT ? null : new Field(PAGE.bounds, MINIMA);
const grounds = FLAT ? { flat: new CurveGround(PAGE.bounds) } : { flat: new ContourGround(), surface: new SurfaceGround() };
const picture = new Picture(byId("picture"));
const view = { chosen: 0, playing: false, hover: null, stale: true, asked: false, refined: false, since: 0, carry: 0 };
const work = { frames: 0, total: 0, longest: 0, ready: 0 };

const running = () => entries.filter(({ number }) => settings.runs[number].on);
const isLog = () => settings.log ?? field?.prefersLog ?? false;

// What has changed

function restart(number) {
  for (const entry of entries) if (number === undefined || entry.number === number) entry.run = null;
  ask();
}

function rebuild() {
  view.stale = true;
  ask();
}

function ask() {
  if (view.asked) return;
  view.asked = true;
  requestAnimationFrame(frameOf);
}

function save() {
  clearTimeout(save.timer);
  save.timer = setTimeout(() => writeAddress(settings), 300);
}

// A frame

function frameOf(now) {
  view.asked = false;
  const begun = performance.now();
  if (view.playing) play(now);
  const enough = compute(begun + 9);
  if (view.stale) {
    picture.build(grounds[settings.view], field, isLog());
    showScale();
    view.stale = false;
  }
  show();
  if (!view.refined) {
    view.refined = true;
    setTimeout(refine, 20);
  }
  work.frames++;
  work.total += performance.now() - begun;
  work.longest = Math.max(work.longest, performance.now() - begun);
  if (!work.ready) work.ready = performance.now();
  if (!enough || view.playing) ask();
}

// The first picture is quick; what it was too coarse for comes after it.
function refine() {
  if (field?.refine()) rebuild();
}

// Compute the runs as far as they are shown, or until a moment; whether that is enough.
function compute(deadline) {
  let enough = true;
  for (const entry of running()) {
    entry.run ??= new Run(PAGE.optimizers[entry.number], settings.runs[entry.number], settings);
    if (!entry.run.advance(settings.shown, deadline)) enough = false;
  }
  return enough;
}

function play(now) {
  const passed = Math.min(now - (view.since || now), 100);
  view.since = now;
  view.carry += (passed / 1000) * settings.speed;
  const more = Math.floor(view.carry);
  view.carry -= more;
  settings.shown = Math.min(settings.shown + more, settings.steps);
  if (settings.shown === settings.steps) setPlaying(false);
}

function show() {
  const runs = running().filter(({ run }) => run !== null), { shown, steps } = settings;
  if (!runs.some(({ number }) => number === view.chosen) && runs.length) view.chosen = runs[0].number;
  picture.draw(runs, shown, view.chosen, settings.start);
  byId("of-loss").textContent = drawLosses(byId("losses"), runs, shown, steps, view.chosen);
  byId("step").max = steps;
  byId("step").value = shown;
  byId("moment").textContent = `step ${shown} of ${steps}`;
  const verdicts = new Map(runs.map(({ number, run }) => [number, verdict(run, shown)]));
  showVerdicts(verdicts);
  showTable(runs, verdicts);
  showCurvature();
  if (!view.playing) {
    const words = runs.map(({ number }) => `${PAGE.optimizers[number].label}: ${verdicts.get(number).text}`).join("; ");
    if (byId("status").textContent !== words) byId("status").textContent = words;
  }
  if (document.activeElement?.dataset.axis === undefined) {
    settings.start.forEach((x, i) => (byId(`start-${i}`).value = String(digits(x, 4))));
  }
}

function showScale() {
  const levels = picture.ground.levels;
  byId("scale").hidden = FLAT;
  if (FLAT) return;
  byId("least").textContent = short(levels.inverse(levels.low), 2);
  byId("most").textContent = short(levels.inverse(levels.high), 2);
}

function showVerdicts(verdicts) {
  for (const made of document.querySelectorAll(".card")) {
    const number = Number(made.dataset.number), said = made.querySelector(".verdict"), found = verdicts.get(number);
    said.textContent = found?.text ?? "";
    said.title = found?.why ?? "";
    said.dataset.kind = found?.kind ?? "";
    made.classList.toggle("chosen", number === view.chosen && found !== undefined);
  }
}

function showTable(runs, verdicts) {
  const rows = runs.map(({ number, run }) => {
    const k = run.at(settings.shown), cells = [k, short(run.losses[k], 4), point(run.point(k)), k ? short(run.norms[k - 1], 3) : "–"];
    const { label } = PAGE.optimizers[number];
    const head = make("th", { scope: "row", title: verdicts.get(number).why }, marker(number), make("span", {}, label));
    return make("tr", { class: number === view.chosen ? "chosen" : "" }, head, ...cells.map((cell) => make("td", {}, String(cell))));
  });
  byId("rows").replaceChildren(...rows);
}

function point(numbers) {
  // What is nothing beside the picture is shown as that.
  const least = 1e-9 * Math.max(...PAGE.bounds.map(([low, high]) => high - low));
  const kept = numbers.length > 3 ? 2 : 3;
  const shown = Array.from(numbers.subarray(0, kept), (x) => (x !== 0 && Math.abs(x) < least ? "≈0" : short(x, 3))).join(", ");
  return numbers.length === 1 ? shown : `(${shown}${numbers.length > kept ? ", …" : ""})`;
}

// Curvature where the cursor is, or else where the chosen run is.
function showCurvature() {
  const entry = entries[view.chosen], run = entry.run, place = view.hover;
  if (PROGRAM.hessian === null) {
    byId("curvature").replaceChildren(make("p", {}, `Not known here: ${PAGE.objective.flat}`));
    return;
  }
  const where = place ? lifted(place) : run ? run.point(settings.shown) : lifted(settings.start);
  const name = place ? "at the cursor" : run ? `where ${PAGE.optimizers[entry.number].label} is` : "at the start";
  byId("where").textContent = name;
  byId("readout").textContent = place ? `${point(where)}   loss ${short(valueAt(where), 5)}` : "";
  const found = curvatureAt(where), list = make("dl");
  const row = (term, text, hint = "") => list.append(make("dt", {}, term), make("dd", { title: hint }, text));
  if (found === null) row("curvature", "not finite here");
  else {
    const { values, largest, least, rate } = found;
    const said = COUNT <= 4 ? values.map((x) => short(x, 4)).join(",  ") : `${short(least, 4)} … ${short(largest, 4)}`;
    row(COUNT === 1 ? "second derivative" : "eigenvalues", said);
    row("this is", least > 0 ? (COUNT > 1 ? `a bowl, ${short(largest / least, 3)} times as steep one way as the other` : "a valley") : largest > 0 ? "a saddle: down along one direction, up along another" : "a hilltop");
    if (COUNT === 1 && least <= 0) list.lastChild.textContent = "a hilltop";
    const beta = settings.runs[view.chosen].values.momentum ?? 0, largestRate = rate * (1 + beta);
    row("largest stable rate", Number.isFinite(rate) ? `2/λ = ${short(rate, 4)}` : "any");
    if (beta > 0 && Number.isFinite(rate)) row(`with momentum ${beta}`, `2(1+β)/λ = ${short(largestRate, 4)}`);
  }
  byId("curvature").replaceChildren(list);
}

// Controls

function setPlaying(on) {
  if (on && settings.shown >= settings.steps) settings.shown = 0;
  view.playing = on;
  view.since = view.carry = 0;
  byId("play").setAttribute("aria-pressed", String(on));
  byId("play").querySelector(".word").textContent = on ? "Pause" : "Play";
  byId("sign").setAttribute("d", on ? "M3 2h4v12H3zM9 2h4v12H9z" : "M4 2v12l10-6z");
  if (!on) save();
  ask();
}

function goTo(step) {
  if (view.playing) setPlaying(false);
  settings.shown = Math.min(Math.max(step, 0), settings.steps);
  save();
  ask();
}

function moveStart(start) {
  settings.start = start;
  save();
  restart();
}

function fillControls() {
  const cards = PAGE.optimizers.map((optimizer, number) => card(optimizer, number, settings.runs[number], (which) => {
    save();
    restart(which);
  }));
  const shown = cards.filter((_, i) => PAGE.optimizers[i].on || settings.runs[i].on);
  byId("runs").replaceChildren(...shown);
  byId("others").replaceChildren(...cards.filter((made) => !shown.includes(made)));
  byId("more").hidden = shown.length === cards.length;
  for (const made of cards) {
    made.querySelector(".name").addEventListener("click", () => {
      view.chosen = Number(made.dataset.number);
      ask();
    });
  }
  const sizes = [...PAGE.sizes.map((size) => [size, `${size} row${size > 1 ? "s" : ""}`]), [0, `all ${ROWS} rows`]];
  byId("batch").replaceChildren(...sizes.map(([size, word]) => make("option", { value: size, selected: size === settings.batch }, word)));
  byId("batch-field").hidden = PAGE.sizes.length === 0;
  byId("noise").value = String(settings.noise);
  byId("seed").value = String(settings.seed);
  byId("steps").value = String(settings.steps);
  byId("speed").replaceChildren(...[...new Set([...SPEEDS, settings.speed])].sort((a, b) => a - b).map((speed) => make("option", { value: speed, selected: speed === settings.speed }, `${speed} steps/s`)));
  byId("log").checked = isLog();
  byId("surface").setAttribute("aria-pressed", String(settings.view === "surface"));
  byId("contours").setAttribute("aria-pressed", String(settings.view === "flat"));
  byId("views").hidden = byId("log-field").hidden = FLAT;
  byId("hint").textContent = settings.view === "surface"
    ? "Drag, or use the arrow keys, to turn the surface."
    : "Drag the ring, or use the arrow keys, to move the start.";
}

function setView(name) {
  settings.view = name;
  fillControls();
  save();
  rebuild();
}

byId("title").textContent = PAGE.title;
byId("source").textContent = PAGE.source;
byId("function").hidden = !PAGE.source;
byId("starts").append(...PAGE.names.map((name, i) => {
  const box = make("input", { id: `start-${i}`, class: "number", type: "text", inputmode: "decimal" });
  box.dataset.axis = i;
  numberField(box, -1e300, 1e300, false, (x) => moveStart(settings.start.map((old, j) => (j === i ? x : old))));
  return make("label", {}, make("span", {}, PAGE.origin.length === PAGE.names.length ? `start ${name}` : name), box);
}));
byId("play").addEventListener("click", () => setPlaying(!view.playing));
byId("settings").addEventListener("submit", (event) => event.preventDefault());
byId("back").addEventListener("click", () => goTo(0));
byId("less").addEventListener("click", () => goTo(settings.shown - 1));
byId("further").addEventListener("click", () => goTo(settings.shown + 1));
byId("end").addEventListener("click", () => goTo(settings.steps));
byId("step").addEventListener("input", () => goTo(Number(byId("step").value)));
byId("speed").addEventListener("change", () => {
  settings.speed = Number(byId("speed").value);
  save();
});
byId("batch").addEventListener("change", () => {
  settings.batch = Number(byId("batch").value);
  save();
  restart();
});
byId("log").addEventListener("change", () => {
  settings.log = byId("log").checked;
  save();
  rebuild();
});
byId("contours").addEventListener("click", () => setView("flat"));
byId("surface").addEventListener("click", () => setView("surface"));
for (const [id, low, high, whole] of [["noise", 0, 1e6, false], ["seed", 0, 2 ** 32 - 1, true], ["steps", 1, MOST_STEPS, true]]) {
  numberField(byId(id), low, high, whole, (x) => {
    const atEnd = settings.shown === settings.steps;
    settings[id] = x;
    if (atEnd || settings.shown > settings.steps) settings.shown = settings.steps;
    save();
    restart();
  });
}
byId("reset").addEventListener("click", () => {
  if (view.playing) setPlaying(false);
  settings = defaults();
  fillControls();
  writeAddress(settings);
  rebuild();
  restart();
});
byId("share").addEventListener("click", () => {
  writeAddress(settings);
  copy(byId("share"), location.href);
});
byId("python").addEventListener("click", () => {
  const lines = running().map(({ number }) => [PAGE.optimizers[number].label, inPython(number, settings)]).filter(([, line]) => line);
  copy(byId("python"), lines.map(([label, line]) => `# ${label}\n${line}\n`).join(""));
});

function copy(button, text) {
  const was = (button.dataset.word ??= button.textContent);
  const say = (word) => {
    button.textContent = word;
    setTimeout(() => (button.textContent = was), 1500);
  };
  byId("copied").value = text;
  if (navigator.clipboard === undefined) byId("copied").hidden = false;
  else navigator.clipboard.writeText(text).then(() => say("Copied"), () => (byId("copied").hidden = false));
}

// The picture under the pointer

const canvas = byId("picture");
const placeOf = (event) => {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};
const isNear = ([x, y]) => picture.handle && Math.hypot(x - picture.handle[0], y - picture.handle[1]) < 30;
let held = null;

canvas.addEventListener("pointerdown", (event) => {
  const place = placeOf(event);
  if (event.button !== 0 || (event.pointerType === "touch" && settings.view === "flat" && !isNear(place))) return;
  held = place;
  canvas.setPointerCapture(event.pointerId);
  if (settings.view === "flat") moveStart(picture.ground.position(...place));
});
canvas.addEventListener("pointermove", (event) => {
  const place = placeOf(event);
  if (held === null) view.hover = event.pointerType === "mouse" ? picture.ground.position(...place) : null;
  else if (settings.view === "flat") moveStart(picture.ground.position(...place));
  else {
    picture.ground.rotate((place[0] - held[0]) * 0.01, (place[1] - held[1]) * 0.006);
    held = place;
    view.stale = true;
  }
  ask();
});
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => (held = null));
canvas.addEventListener("pointerleave", () => {
  view.hover = null;
  ask();
});
// A finger on the ring moves it, and one beside it the page; a tap anywhere puts the ring there.
canvas.addEventListener("touchstart", (event) => {
  const place = placeOf(event.touches[0]);
  if (settings.view === "surface" || isNear(place)) event.preventDefault();
}, { passive: false });
canvas.addEventListener("click", (event) => {
  if (settings.view === "flat") moveStart(picture.ground.position(...placeOf(event)));
});
canvas.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }, way = ways[event.key];
  if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (settings.view === "surface") {
    picture.ground.rotate(way[0] * 0.1, way[1] * 0.06);
    rebuild();
    return;
  }
  const part = event.shiftKey ? 0.05 : 0.01;
  moveStart(settings.start.map((x, i) => {
    const [low, high] = PAGE.bounds[i];
    return digits(Math.min(Math.max(x + way[i] * part * (high - low), low), high), 12);
  }));
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|BUTTON|SUMMARY|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === " ") setPlaying(!view.playing);
  else if (event.key === ".") goTo(settings.shown + 1);
  else if (event.key === ",") goTo(settings.shown - 1);
  else if (event.key === "Home") goTo(0);
  else if (event.key === "End") goTo(settings.steps);
  else return;
  event.preventDefault();
});
addEventListener("hashchange", () => {
  settings = readAddress(location.hash);
  fillControls();
  rebuild();
  restart();
});
new ResizeObserver(rebuild).observe(canvas);
new ResizeObserver(ask).observe(byId("losses"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readLook();
  rebuild();
});

fillControls();
ask();
// For programs that drive the page, such as its tests.
globalThis.explorer = { entries, work, verdict, eigenvalues, settings: () => settings, handle: () => picture.handle };
