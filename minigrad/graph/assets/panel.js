// The panel: everything that is known of the box that was chosen.

const LINKS = 50;

function showPanel() {
  const thing = state.chosen;
  panel.hidden = !thing;
  if (!thing) return put(panel);
  const kind = thing.groups ? thing.kind || "group" : NAMES[kindOf(thing)];
  const bad = badIn(thing);
  const facts = thing.facts.flatMap(([label, text]) => [make("dt", {}, label), make("dd", {}, text)]);
  put(
    panel,
    make("button", { class: "close", "aria-label": "Close", click: () => choose(null) }, "✕"),
    make("h2", {}, titleOf(thing)),
    make("p", { class: "kind" }, thing.output ? `${kind}, result` : kind),
    bad ? make("p", { class: "bad" }, thing.groups ? `${bad} inside` : bad) : null,
    thing.mark ? make("p", { class: "mark" }, thing.mark) : null,
    make("dl", {}, ...facts),
    ...(thing.groups ? inGroup(thing) : ofNode(thing)),
  );
}

function inGroup(group) {
  if (group.sealed) return [make("p", {}, "The graph is too large to open this here.")];
  const toggle = () => setFolded(group, !group.folded) ?? showPanel();
  return [make("p", {}, make("button", { click: toggle }, group.folded ? "Unfold" : "Fold"))];
}

function ofNode(node) {
  const { value, grad } = now(node);
  return [
    ...numbers("Value", "value", value),
    ...numbers("Gradient", "gradient", grad),
    ...links("Computed from", node.operands),
    ...links("Used by", node.users),
  ].filter(Boolean);
}

function numbers(title, name, stats) {
  if (!stats) return [];
  const known = ["min", "max", "mean", "std", "norm"].filter((key) => stats[key] !== null && stats[key] !== undefined);
  const table = known.flatMap((key) => [make("dt", {}, key), make("dd", {}, written(stats[key]))]);
  return [make(
    "section", { class: name },
    make("h3", {}, title),
    make("pre", {}, stats.text),
    stats.bad ? make("p", { class: "bad" }, stats.bad) : null,
    stats.histogram ? histogram(stats) : null,
    make("dl", {}, ...table),
  )];
}

function histogram({ histogram, low, high }) {
  const drawing = make("svg", { class: "histogram", viewBox: "0 0 300 56", preserveAspectRatio: "none", role: "img",
    "aria-label": `histogram from ${written(low)} to ${written(high)}` });
  const top = Math.max(1, ...histogram);
  const step = 300 / histogram.length;
  histogram.forEach((count, i) => {
    const height = count ? Math.max(1, (54 * count) / top) : 0;
    const label = make("title", {}, count.toLocaleString("en"));
    drawing.append(make("rect", { x: i * step + 0.5, y: 55 - height, width: step - 1, height }, label));
  });
  const ends = [low, high].map((end) => make("span", {}, written(end)));
  return make("div", {}, drawing, make("div", { class: "ends" }, ...ends));
}

function written(number) {
  return typeof number === "number" ? String(Number(number.toPrecision(5))) : String(number ?? "");
}

function links(title, list) {
  if (!list.length) return [];
  const unique = [...new Set(list.map(({ thing }) => thing))];
  const button = (thing) => make("button", { click: () => goTo(thing) }, shortened(titleOf(thing), 40));
  const buttons = unique.slice(0, LINKS).map(button);
  const more = unique.length > LINKS ? make("span", {}, `and ${unique.length - LINKS} more`) : null;
  return [make("h3", {}, title), make("div", { class: "links" }, ...buttons, more)];
}
