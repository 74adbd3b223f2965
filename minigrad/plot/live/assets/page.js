// The page: what is shown of the runs, what changes it, and the clock that plays them.

readLook();
let settings = readAddress(location.hash);
const entries = PAGE.optimizers.map((_, number) => ({ number, run: null }));
const field = FLAT ? null : new Field(PAGE.bounds, MINIMA);
const spatial = () => ({ flat: new ContourGround(), surface: new SurfaceGround() });
const grounds = FLAT ? { flat: new CurveGround(PAGE.bounds) } : spatial();
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
  fillChoice("batch", sizes, settings.batch);
  byId("batch-field").hidden = PAGE.sizes.length === 0;
  byId("noise").value = String(settings.noise);
  byId("seed").value = String(settings.seed);
  byId("steps").value = String(settings.steps);
  const speeds = [...new Set([...SPEEDS, settings.speed])].sort((a, b) => a - b);
  fillChoice("speed", speeds.map((speed) => [speed, `${speed} steps/s`]), settings.speed);
  byId("log").checked = isLog();
  byId("surface").setAttribute("aria-pressed", String(settings.view === "surface"));
  byId("contours").setAttribute("aria-pressed", String(settings.view === "flat"));
  byId("views").hidden = byId("log-field").hidden = FLAT;
  byId("hint").textContent = settings.view === "surface"
    ? "Drag, or use the arrow keys, to turn the surface."
    : "Drag the ring, or use the arrow keys, to move the start.";
}

function fillChoice(id, choices, chosen) {
  const options = choices.map(([value, word]) => make("option", { value, selected: value === chosen }, word));
  byId(id).replaceChildren(...options);
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
const NUMBERS = [["noise", 0, 1e6, false], ["seed", 0, 2 ** 32 - 1, true], ["steps", 1, MOST_STEPS, true]];
for (const [id, low, high, whole] of NUMBERS) {
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
  const lines = running().map(({ number }) => {
    const line = inPython(number, settings), label = JSON.stringify(PAGE.optimizers[number].label);
    return line ? `# ${label}\n${line}\n` : `# ${label} is made by a function of your own\n`;
  });
  copy(byId("python"), lines.join(""));
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

addEventListener("keydown", (event) => {
  const isControl = /^(INPUT|SELECT|BUTTON|SUMMARY|TEXTAREA)$/.test(event.target.tagName);
  if (event.ctrlKey || event.metaKey || event.altKey || isControl) return;
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
