// The page: its panels, one cursor through all of them, and what people do with it.

let saying = null;

function setStep(step) {
  state.step = Math.max(data.first, Math.min(data.last, Math.round(step)));
  find("step").value = state.step;
  find("moment").textContent = counted(state.step);
  for (const panel of panels) panel.showStep();
  clearTimeout(saying);
  saying = setTimeout(say, 400); // once the cursor rests
}

function say() {
  const told = panels.flatMap((panel) => panel.told().map(([name, text]) => `${name} ${text}`));
  find("said").textContent = `${data.unit} ${counted(state.step)}: ${told.join("; ")}`;
}

function setRow(row) {
  state.row = row;
  for (const panel of panels) if (!(panel instanceof LinePanel)) panel.draw();
}

// Arrows move by what is one point of the finest curve, or one column; with Shift by a twentieth of all.
const finest = [...data.lines, data.gradients].filter(Boolean);
const point = Math.min(...finest.map(({ first, last }) => last[0] - first[0] + 1));

function moveByKey(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const gradients = panels.find((panel) => panel instanceof GradientPanel);
  const far = event.shiftKey ? Math.max(1, Math.round(span / 20)) : point;
  const moves = {
    ArrowLeft: () => setStep(state.step - far),
    ArrowRight: () => setStep(state.step + far),
    Home: () => setStep(data.first),
    End: () => setStep(data.last),
    ArrowUp: () => gradients?.move(-1),
    ArrowDown: () => gradients?.move(1),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  moves[event.key]();
}

// The first step at which anything is not finite, and what that is.
function firstBad() {
  const ofLine = ({ name, first, bad }) => bad.slice(0, 1).map(([place]) => ({ step: first[place], name }));
  const found = data.lines.flatMap(ofLine);
  const columns = data.gradients?.first.length ?? 0;
  const codes = data.gradients ? new Uint16Array(bytesOf(data.gradients.codes)) : [];
  data.names.forEach((name, row) => {
    const place = Array.prototype.indexOf.call(codes.subarray?.(row * columns, (row + 1) * columns) ?? [], BAD);
    if (place >= 0) found.push({ step: data.gradients.first[place], name: `gradient of ${name}`, row });
  });
  for (const [row, place] of data.weights?.bad ?? []) {
    found.push({ step: data.weights.steps[place], name: `values of ${data.names[row]}`, row });
  }
  return found.reduce((first, other) => (first === null || other.step < first.step ? other : first), null);
}

function showAlarm() {
  const first = firstBad();
  if (!first) return;
  const others = { hidden: false, textContent: `First not finite: ${first.name}, ${data.unit} ${counted(first.step)}` };
  Object.assign(find("alarm"), others);
  find("alarm").addEventListener("click", () => {
    if (first.row !== undefined) setRow(first.row);
    setStep(first.step);
  });
}

function build() {
  const linesOf = (name) => data.lines.filter(({ panel }) => panel === name);
  const [losses, measures, rates] = ["losses", "measures", "rates"].map(linesOf);
  if (losses.length) {
    const height = data.gradients ? 260 : 340;
    new LinePanel({ id: "losses", title: data.heading, column: "left", height, lines: losses, log: data.log });
  }
  if (measures.length) {
    new LinePanel({ id: "measures", title: "Measures", column: "left", height: 150, lines: measures });
  }
  if (rates.length) {
    new LinePanel({ id: "rates", title: "Learning rate", column: "left", height: 140, lines: rates, stepped: true });
  }
  if (data.gradients) new GradientPanel({ id: "gradients", title: "Gradient norms", column: "right", height: 300 });
  if (data.weights) new WeightPanel({ id: "weights", title: "Weights", column: "right", height: 220 });
}

function draw() {
  for (const panel of panels) panel.draw();
}

function start() {
  document.title = find("title").textContent = data.title;
  find("facts").textContent = data.facts;
  find("rows").hidden = !data.gradients;
  find("unit").textContent = data.unit === "epoch" ? "Epoch" : "Step";
  put(find("notes"), ...data.notes.map((note) => make("li", {}, note)));
  Object.assign(find("step"), { min: data.first, max: data.last, value: state.step });
  build();
  draw();
  setStep(data.last);
  showAlarm();
  find("step").addEventListener("input", () => setStep(Number(find("step").value)));
  find("step").addEventListener("keydown", moveByKey);
  document.addEventListener("keydown", (event) => {
    if (event.target === document.body && ["ArrowLeft", "ArrowRight"].includes(event.key)) moveByKey(event);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = document.body.clientWidth;
  new ResizeObserver(() => {
    if (document.body.clientWidth !== width) draw();
    width = document.body.clientWidth;
  }).observe(document.body);
}

start();
