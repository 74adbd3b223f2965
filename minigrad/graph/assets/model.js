// The model: the payload as objects that know each other, and what of it is visible when some groups are folded.

const data = JSON.parse(document.getElementById("payload").textContent);

const BOXES = 2000; // so many are drawn at once: more nobody could read, and the layout takes seconds
const NAMES = {
  input: "input",
  parameter: "parameter, requires grad",
  constant: "constant",
  operation: "operation",
  derivative: "operation of the derivative",
  arrangement: "change of shape or dtype",
  folded: "folded group",
  fold: "left out",
};

const groups = new Map(data.groups.map((group) => [group.id, { ...group, groups: [], nodes: [] }]));
const nodes = new Map(data.nodes.map((node) => [node.id, { ...node, operands: [], users: [], places: 0 }]));
const rootGroup = [...groups.values()].find((group) => group.parent === null);
const state = { step: 0, heat: false, values: false, chosen: null, found: [], current: -1 };

for (const group of groups.values()) {
  if (group === rootGroup) continue;
  group.outer = groups.get(group.parent);
  group.outer.groups.push(group);
}
for (const node of nodes.values()) {
  node.outer = groups.get(node.group);
  node.outer.nodes.push(node);
  // A node may stand for all that is in its group, where a graph is too large: such a group stays folded.
  if (node.kind === "frame") node.outer.sealed = node.outer.folded = true;
}
for (const [tail, head, place] of data.edges) {
  const [from, to] = [nodes.get(tail), nodes.get(head)];
  to.operands.push({ thing: meant(from), place });
  from.users.push({ thing: meant(to), place });
  if (place !== null) to.places = Math.max(to.places, place + 1);
}
for (const node of nodes.values()) node.operands.sort((a, b) => (a.place ?? 0) - (b.place ?? 0));
for (const group of withInner(rootGroup).reverse()) {
  const inner = group.groups.map((other) => other.first);
  group.first = Math.min(...group.nodes.map((node) => node.id), ...inner);
  group.folded = group.folded && group !== rootGroup;
}

// What is spoken of: instead of such a node its group.
function meant(node) {
  return node.kind === "frame" && !node.groups ? node.outer : node;
}

function withInner(group) {
  const found = [group];
  for (const each of found) found.push(...each.groups);
  return found;
}

const allNodes = (group) => withInner(group).flatMap((each) => each.nodes);
const isFolded = (group) => group.folded;

// From the outermost group to the innermost that a node or a group stands in.
function around(thing) {
  const found = [];
  for (let group = thing.outer; group; group = group.outer) found.unshift(group);
  return found;
}

// What is drawn where a node or a group is: itself, or the outermost folded group around it.
function shownFor(thing) {
  return around(thing).find(isFolded) ?? thing;
}

// A node's numbers at the step that the slider is at.
function now(node) {
  return data.steps[state.step]?.nodes[node.id] ?? node;
}

function kindOf(thing) {
  if (thing.groups) return "folded";
  return thing.kind === "operation" && thing.level > 0 ? "derivative" : thing.kind;
}

function badIn(thing) {
  if (!thing.groups) return now(thing).bad;
  return allNodes(thing).map((node) => now(node).bad).find(Boolean) ?? null;
}

function heatOf(thing) {
  if (!thing.groups) return now(thing).heat ?? null;
  const known = allNodes(thing).map((node) => now(node).heat).filter((heat) => typeof heat === "number");
  return known.length ? Math.max(...known) : null;
}

const times = (group) => (group.count > 1 ? ` ×${group.count.toLocaleString("en")}` : "");
const keyOf = (thing) => (thing.groups ? "g" : "n") + thing.id;
const titleOf = (thing) => (thing.groups ? (thing.title || "group") + times(thing) : thing.title);

// Whether the line below the title says the value, and not the shape.
function saysValue({ detail }) {
  const rest = detail.split(" ")[1];
  return Boolean(rest) && !rest.startsWith("(");
}

// The line below the title.  Where it says the value it must say that of the step.
function detailOf(thing, step = state.step) {
  if (thing.groups) {
    const counts = thing.facts.filter(([label]) => /^(operations|parameters)/.test(label));
    return counts.map(([label, text]) => `${text} ${label}`).join(", ");
  }
  const value = data.steps[step]?.nodes[thing.id]?.value;
  if (!value || !saysValue(thing) || value.text.includes("\n")) return thing.detail;
  return shortened(`${thing.detail.split(" ")[0]} ${value.text}`, 40);
}

function shortened(text, length) {
  const letters = [...text];
  return letters.length <= length ? text : letters.slice(0, length - 1).join("") + "…";
}

// Visible things and edges

function visible(within = rootGroup) {
  const drawn = [];
  const stack = [within];
  while (stack.length) {
    const thing = stack.pop();
    if (!thing.groups || isFolded(thing)) drawn.push(thing);
    else stack.push(...thing.nodes, ...thing.groups.filter((group) => group.first < Infinity));
  }
  return drawn;
}

// Fold inner groups before outer ones until few enough boxes are left.  A graph without enough groups is cut off.
function foldToLimit(but = new Set()) {
  const folded = [];
  let count = visible().length;
  for (const group of withInner(rootGroup).slice(1).reverse()) {
    if (count <= BOXES) break;
    if (but.has(group) || group.folded || group.first === Infinity || around(group).some(isFolded)) continue;
    count -= visible(group).length - 1;
    group.folded = true;
    folded.push(group);
  }
  return folded;
}

function visibleEdges(drawn) {
  const made = new Map();
  const known = new Set(drawn);
  for (const [tail, head, place] of data.edges) {
    const [from, to] = [shownFor(nodes.get(tail)), shownFor(nodes.get(head))];
    if (from === to || !known.has(from) || !known.has(to)) continue;
    const at = to.groups ? null : place;
    made.set(`${keyOf(from)} ${keyOf(to)} ${at}`, { from, to, place: at });
  }
  return [...made.values()];
}
