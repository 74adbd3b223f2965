// The layout: every open frame is laid out by itself, from the innermost outwards, as layers from top to bottom
// (Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", IEEE Transactions
// on Systems, Man, and Cybernetics 11(2), 1981).  A frame that is laid out is a box in the frame around it.
//
// In:  items {width, height, order, source, places, children}, where `children` is null except in open frames,
//      and edges {tail, head, place} between items without children.
// Out: x, y, width and height of every item, and lines {points, edges, arrow} with a point wherever a line bends.

const LAYER_GAP = 30; // between two layers, and more where lines run far to the side
const BOX_GAP = 20;
const LINE_GAP = 12;
const FRAME_PADDING = 18;
const FRAME_TITLE = 26;
const LINK_LIMIT = 20000; // of bends in one frame: beyond, long lines run straight, behind the boxes

function layOut(root, edges) {
  const frames = openFrames(root);
  for (const edge of edges) edge.common = meeting(edge);
  for (const frame of frames) breakCycles(frame, edges.filter((edge) => edge.common.frame === frame));
  for (const edge of edges) connect(edge);
  for (const frame of frames.reverse()) new FrameLayout(frame).run();
  root.x = root.y = 0;
  const lines = [];
  for (const frame of frames.reverse()) {
    for (const child of frame.children) [child.x, child.y] = [child.x + frame.x, child.y + frame.y];
    for (const line of frame.lines) {
      lines.push({ ...line, points: line.points.map(([x, y]) => [x + frame.x, y + frame.y]) });
    }
  }
  return lines;
}

// All open frames, outer ones before inner ones, ready to be laid out.
function openFrames(root) {
  const found = [root];
  Object.assign(root, { parent: null, depth: 0 });
  for (const frame of found) {
    Object.assign(frame, { ports: new Map(), links: new Map(), lines: [] });
    for (const child of frame.children) {
      Object.assign(child, { parent: frame, depth: frame.depth + 1 });
      if (child.children) found.push(child);
    }
  }
  return found;
}

// The innermost frame that holds both ends of an edge, and the two boxes in it that the edge runs between.
function meeting({ tail, head }) {
  let [a, b] = [tail, head];
  while (a.parent !== b.parent) {
    if (a.depth >= b.depth) a = a.parent;
    else b = b.parent;
  }
  return { frame: a.parent, tail: a, head: b };
}

// Boxes of a frame may lead to each other in circles, although the graph has none: some edges must run upwards.
function breakCycles(frame, edges) {
  const waiting = new Map(frame.children.map((child) => [child, 0]));
  const users = new Map(frame.children.map((child) => [child, []]));
  for (const { common } of edges) {
    users.get(common.tail).push(common.head);
    waiting.set(common.head, waiting.get(common.head) + 1);
  }
  const byOrder = [...frame.children].sort((a, b) => a.order - b.order);
  const ready = byOrder.filter((child) => !waiting.get(child));
  const rank = new Map();
  let next = 0;
  while (rank.size < byOrder.length) {
    if (!ready.length) {
      while (rank.has(byOrder[next])) next++;
      ready.push(byOrder[next]);
    }
    const child = ready.pop();
    if (rank.has(child)) continue;
    rank.set(child, rank.size);
    for (const user of users.get(child)) {
      waiting.set(user, waiting.get(user) - 1);
      if (waiting.get(user) === 0) ready.push(user);
    }
  }
  for (const edge of edges) edge.reversed = rank.get(edge.common.tail) > rank.get(edge.common.head);
}

// An edge passes the borders of frames at ports: out of those around its tail, and into those around its head.
// Edges from one tail share their ports, so that a frame has one line in for each thing that it uses.
function connect(edge) {
  const { tail, head, reversed, common } = edge;
  let end = { vertex: tail, port: null };
  for (let frame = tail.parent; frame !== common.frame; frame = frame.parent) {
    const port = portOf(frame, tail, reversed ? "top" : "bottom");
    link(frame, end, { vertex: port, port: null }, edge);
    end = { vertex: frame, port };
  }
  const inwards = [];
  for (let frame = head.parent; frame !== common.frame; frame = frame.parent) inwards.unshift(frame);
  for (const frame of inwards) {
    const port = portOf(frame, tail, reversed ? "bottom" : "top");
    link(frame.parent, end, { vertex: frame, port }, edge);
    end = { vertex: port, port: null };
  }
  link(head.parent, end, { vertex: head, port: null }, edge);
}

function portOf(frame, tail, side) {
  const key = `${side} ${tail.order}`;
  if (!frame.ports.has(key)) frame.ports.set(key, { key, side, x: 0, order: tail.order });
  return frame.ports.get(key);
}

function link(frame, from, to, edge) {
  const place = to.vertex === edge.head ? edge.place : null;
  const key = [from, to].map(({ vertex, port }) => `${vertex.key} ${port?.key}`).join(" > ") + ` ${place}`;
  if (!frame.links.has(key)) {
    const arrow = to.vertex === edge.head;
    frame.links.set(key, { from, to, place, arrow, reversed: edge.reversed, light: edge.tail.source, edges: [] });
  }
  frame.links.get(key).edges.push(edge);
}
