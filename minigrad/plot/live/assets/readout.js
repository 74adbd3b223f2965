// What is read of the runs beside the picture: verdicts, numbers, curvature.

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
    const k = run.at(settings.shown), norm = k ? short(run.norms[k - 1], 3) : "–";
    const cells = [String(k), short(run.losses[k], 4), point(run.point(k)), norm].map((cell) => make("td", {}, cell));
    const { label } = PAGE.optimizers[number];
    const head = make("th", { scope: "row", title: verdicts.get(number).why }, marker(number), make("span", {}, label));
    return make("tr", { class: number === view.chosen ? "chosen" : "" }, head, ...cells);
  });
  byId("rows").replaceChildren(...rows);
}

function point(numbers) {
  const kept = numbers.length > 3 ? 2 : 3;
  // What is nothing beside the picture is shown as that.
  const least = 1e-9 * Math.max(...PAGE.bounds.map(([low, high]) => high - low));
  const word = (x) => (x !== 0 && Math.abs(x) < least ? "≈0" : short(x, 3));
  const words = Array.from(numbers.subarray(0, kept), word).join(", ");
  return numbers.length === 1 ? words : `(${words}${numbers.length > kept ? ", …" : ""})`;
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
    const ends = [least, largest].map((x) => short(x, 4)).join(" … ");
    const said = COUNT <= 4 ? values.map((x) => short(x, 4)).join(",  ") : ends;
    row(COUNT === 1 ? "second derivative" : "eigenvalues", said);
    row("this is", shapeOf(least, largest));
    const beta = settings.runs[view.chosen].values.momentum ?? 0, largestRate = rate * (1 + beta);
    row("largest stable rate", Number.isFinite(rate) ? `2/λ = ${short(rate, 4)}` : "any");
    if (beta > 0 && Number.isFinite(rate)) row(`with momentum ${beta}`, `2(1+β)/λ = ${short(largestRate, 4)}`);
  }
  byId("curvature").replaceChildren(list);
}

function shapeOf(least, largest) {
  if (least > 0 && COUNT === 1) return "a valley";
  if (least > 0) return `a bowl that curves ${short(largest / least, 3)} times as much one way as the other`;
  if (largest < 0) return "a hilltop";
  return least < 0 && largest > 0 ? "a saddle: down along one direction, up along another" : "flat along one direction";
}
