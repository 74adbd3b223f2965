// The layers of one frame: which box is in which, in what order, how lines bend, and how tall all of it is.

class FrameLayout {
  constructor(frame) {
    this.frame = frame;
    this.ports = [...frame.ports.values()];
    const boxes = frame.children.map((item) => vertex(item, item.width, item.height));
    const ports = this.ports.map((port) => vertex(port, LINE_GAP, 0));
    this.vertices = [...boxes, ...ports];
    const of = new Map(this.vertices.map((v) => [v.of, v]));
    this.arcs = [...frame.links.values()].map((link) => {
      const from = { v: of.get(link.from.vertex), offset: offsetOf(link.from, null) };
      const to = { v: of.get(link.to.vertex), offset: offsetOf(link.to, link.place) };
      const [up, down] = link.reversed ? [to, from] : [from, to];
      const loose = link.place === null && link.arrow && !link.reversed;
      const ends = { up: up.v, upOffset: up.offset, down: down.v, downOffset: down.offset };
      return { ...link, ...ends, loose, weight: link.light ? 1 : 4 };
    });
  }

  run() {
    this.rank();
    this.bend();
    this.order();
    this.spread();
    align(this.layers, this.pieces);
    this.finish();
  }

  // Layers: as far up as what a box is computed from allows; then down again where that makes lines shorter.
  rank() {
    const waiting = new Map(this.vertices.map((v) => [v, 0]));
    const downs = new Map(this.vertices.map((v) => [v, []]));
    const ups = new Map(this.vertices.map((v) => [v, []]));
    for (const { up, down } of this.arcs) {
      downs.get(up).push(down);
      ups.get(down).push(up);
      waiting.set(down, waiting.get(down) + 1);
    }
    const first = this.ports.some((port) => port.side === "top") ? 1 : 0;
    for (const v of this.vertices) v.rank = v.of.side === "top" ? 0 : first;
    const sorted = this.vertices.filter((v) => !waiting.get(v));
    for (const v of sorted) {
      for (const down of downs.get(v)) {
        down.rank = Math.max(down.rank, v.rank + 1);
        waiting.set(down, waiting.get(down) - 1);
        if (!waiting.get(down)) sorted.push(down);
      }
    }
    for (const v of sorted.reverse()) {
      if (v.of.side || downs.get(v).length <= ups.get(v).length) continue;
      v.rank = Math.min(...downs.get(v).map((down) => down.rank)) - 1;
    }
    const last = this.vertices.reduce((most, v) => (v.of.side ? most : Math.max(most, v.rank)), 0);
    for (const v of this.vertices) if (v.of.side === "bottom") v.rank = last + 1;
  }

  // A line that passes layers bends in each of them.  Lines from one origin share their way as far as they can.
  bend() {
    const trunks = new Map();
    this.pieces = [];
    this.straight = [];
    let bends = 0;
    for (const arc of [...this.arcs].sort((a, b) => length(a) - length(b))) {
      const origin = arc.reversed ? arc : `${arc.up.of.key} ${arc.upOffset}`;
      if (!trunks.has(origin)) trunks.set(origin, new Map());
      const trunk = trunks.get(origin);
      if (bends + length(arc) > LINK_LIMIT && length(arc) > 1) {
        this.straight.push(arc);
        continue;
      }
      let [at, offset] = [arc.up, arc.upOffset];
      for (let rank = arc.up.rank + 1; rank < arc.down.rank; rank++) {
        if (!trunk.has(rank)) {
          const bend = { ...vertex({}, 2, 0), rank, bend: true };
          const piece = { ...arc, up: at, down: bend, upOffset: offset, downOffset: 0, loose: false, arrow: false };
          if (arc.reversed && at === arc.up) piece.arrow = arc.arrow;
          trunk.set(rank, { bend, piece: this.join({ ...piece, edges: [], weight: 2 * arc.weight }) });
          this.vertices.push(bend);
          bends++;
        }
        const { bend, piece } = trunk.get(rank);
        piece.edges.push(...arc.edges);
        [at, offset] = [bend, 0];
      }
      const arrow = arc.arrow && (!arc.reversed || at === arc.up);
      this.join({ ...arc, up: at, upOffset: offset, arrow });
    }
  }

  join(piece) {
    piece.up.downs.push(piece);
    piece.down.ups.push(piece);
    this.pieces.push(piece);
    return piece;
  }

  // The order within the layers: barycentres of the neighbours above and below by turns, then neighbours change
  // places wherever that removes crossings.  The best order that was met is kept.
  order() {
    this.layers = this.firstOrder();
    let best = this.crossings();
    let kept = this.layers.map((layer) => [...layer]);
    const sweeps = Math.max(3, Math.min(24, Math.round(60000 / (this.pieces.length + 1))));
    for (let sweep = 0; sweep < sweeps && best > 0; sweep++) {
      const layers = sweep % 2 ? [...this.layers].reverse() : this.layers;
      for (const layer of layers) sortByNeighbours(layer, sweep % 2 ? "downs" : "ups");
      this.exchange();
      const found = this.crossings();
      if (found < best) {
        best = found;
        kept = this.layers.map((layer) => [...layer]);
      }
    }
    this.layers = kept;
    for (const layer of this.layers) number(layer);
  }

  // From the results upwards, operands from left to right.
  firstOrder() {
    const layers = [];
    const seen = new Set();
    const sinks = this.vertices.filter((v) => !v.downs.length && !v.bend);
    const stack = sinks.sort((a, b) => b.of.order - a.of.order);
    while (stack.length) {
      const v = stack.at(-1);
      const next = seen.has(v) ? [] : [...v.ups].sort((a, b) => b.downOffset - a.downOffset);
      const fresh = next.map((arc) => arc.up).filter((up) => !seen.has(up));
      if (!seen.has(v)) {
        seen.add(v);
        stack.push(...fresh);
        if (fresh.length) continue;
      }
      stack.pop();
      if (v.index >= 0) continue;
      (layers[v.rank] ??= []).push(v);
      v.index = layers[v.rank].length - 1;
    }
    return Array.from(layers, (layer) => layer ?? []);
  }

  exchange() {
    for (let round = 0; round < 4; round++) {
      let better = false;
      for (const layer of this.layers) {
        for (let i = 0; i + 1 < layer.length; i++) {
          const [left, right] = [layer[i], layer[i + 1]];
          const gain = ["ups", "downs"].reduce((sum, side) => sum + crossingGain(left, right, side), 0);
          if (gain > 0) {
            [layer[i], layer[i + 1]] = [right, left];
            [left.index, right.index] = [i + 1, i];
            better = true;
          }
        }
      }
      if (!better) return;
    }
  }

  crossings() {
    let count = 0;
    for (const layer of this.layers) {
      const arcs = layer.flatMap((v) => v.downs).map((arc) => [place(arc, "up"), place(arc, "down")]);
      arcs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      count += inversions(arcs.map((pair) => pair[1]));
    }
    return count;
  }

  // Lines into a box whose operands have no order come in side by side.
  spread() {
    for (const v of this.vertices) {
      const loose = v.ups.filter((arc) => arc.loose);
      if (loose.length < 2 || v.ups.length !== loose.length) continue;
      loose.sort((a, b) => place(a, "up") - place(b, "up"));
      loose.forEach((arc, i) => (arc.downOffset = inset(v.width, i, loose.length)));
    }
  }

  // Vertical positions, the size of the frame, and the lines.
  finish() {
    const { frame, layers } = this;
    const isRoot = frame.parent === null;
    let [least, most] = this.vertices.length ? [Infinity, -Infinity] : [0, 0];
    for (const v of this.vertices) {
      least = Math.min(least, v.x - v.width / 2);
      most = Math.max(most, v.x + v.width / 2);
    }
    const padding = isRoot ? 0 : FRAME_PADDING;
    const width = Math.max(most - least + 2 * padding, frame.titleWidth);
    const shift = (width - (most - least)) / 2 - least;
    for (const v of this.vertices) v.x += shift;
    let y = 0;
    layers.forEach((layer, rank) => {
      const inner = layer.filter((v) => !v.of.side);
      if (layer.some((v) => v.of.side === "top")) {
        // Below the title there is room for bends, if there are any.
        const straight = layer.flatMap((v) => v.downs).every((arc) => sideways(arc) < 1);
        for (const v of layer) [v.top, v.y, v.bottom] = [0, 0, FRAME_TITLE];
        y = FRAME_TITLE + (straight ? 10 : LAYER_GAP - 6);
        return;
      }
      if (rank === 0) y = isRoot ? 0 : FRAME_TITLE + 6;
      const height = Math.max(0, ...inner.map((v) => v.height));
      for (const v of layer) {
        v.top = y;
        v.bottom = y + height;
        const room = height - v.height;
        const share = v.bend || !v.ups.length ? 1 : v.downs.length ? 0.5 : 0;
        v.y = y + share * room;
      }
      const far = Math.max(0, ...layer.flatMap((v) => v.downs).map(sideways));
      y += height + (rank + 1 < layers.length ? LAYER_GAP + Math.min(70, far / 12) : 0);
    });
    const hasExit = this.ports.some((port) => port.side === "bottom");
    const height = hasExit ? y : y + padding;
    for (const v of this.vertices) {
      if (v.of.side === "bottom") [v.top, v.y, v.bottom] = [height, height, height];
      if (v.of.side) v.of.x = v.x;
      else if (!v.bend) Object.assign(v.of, { x: v.x - v.width / 2, y: v.y });
    }
    const entries = this.ports.filter((port) => port.side === "top").map((port) => port.x);
    frame.titleX = isRoot ? 0 : gapFor(frame.titleWidth, width, entries);
    Object.assign(frame, { width: Math.max(width, frame.titleX + frame.titleWidth), height, lines: this.lines() });
  }

  // One line for every way from a box or a branch to the next.
  lines() {
    const made = this.vertices.flatMap(stubs);
    const through = (v) => v.bend && v.downs.length === 1;
    for (const piece of this.pieces) {
      if (through(piece.up)) continue;
      const points = leave(piece);
      let last = piece;
      points.push(...arrive(last));
      while (through(last.down)) {
        last = last.down.downs[0];
        points.push(...leave(last), ...arrive(last));
      }
      made.push(line(points, piece, last));
    }
    for (const arc of this.straight) made.push(line([...leave(arc), ...arrive(arc)], arc, arc));
    return made;
  }
}

// Where a frame's title meets no line that comes in: as far left as possible, or else beyond the last line.
function gapFor(titleWidth, width, entries) {
  const starts = [0, ...entries.map((x) => x + LINE_GAP / 2).sort((a, b) => a - b)];
  const free = (start) => entries.every((x) => x < start || x > start + titleWidth) && start + titleWidth <= width;
  return starts.find(free) ?? starts.at(-1);
}

function vertex(of, width, height) {
  return { of, width, height, rank: 0, index: -1, x: 0, y: 0, shift: 0, bend: false, ups: [], downs: [] };
}

// How far from its middle a line meets a box: at a port of an inner frame, or where operands have places.
function offsetOf({ vertex, port }, place) {
  if (port) return port.x - vertex.width / 2;
  return place === null || !vertex.places ? 0 : inset(vertex.width, place, vertex.places);
}

const length = (arc) => arc.down.rank - arc.up.rank;
const sideways = (arc) => Math.abs(arc.up.x + arc.upOffset - arc.down.x - arc.downOffset);
const inset = (width, i, count) => width * ((i + 1) / (count + 1) - 0.5);
const number = (layer) => layer.forEach((v, i) => (v.index = i));

function line(points, first, last) {
  const upwards = last.reversed;
  return {
    points: upwards ? points.reverse() : points,
    edges: last.edges,
    arrow: upwards ? first.arrow : last.arrow,
  };
}

function leave(piece) {
  const { up, upOffset } = piece;
  const [x, below] = [up.x + upOffset, [up.x + upOffset, up.bottom]];
  return together(piece).length > 1 ? [below] : [[x, up.y + up.height], below];
}

// The lines that go down from the same spot.
function together({ up, upOffset, reversed }) {
  return reversed ? [] : up.downs.filter((other) => !other.reversed && other.upOffset === upOffset);
}

// Their common beginning, down to where the layer ends, is drawn once.
function stubs(v) {
  const first = v.downs.filter((piece) => together(piece)[0] === piece && together(piece).length > 1);
  return v.y + v.height < v.bottom - 0.5 ? first.map((piece) => {
    const x = v.x + piece.upOffset;
    const edges = together(piece).flatMap((other) => other.edges);
    return { points: [[x, v.y + v.height], [x, v.bottom]], edges, arrow: false };
  }) : [];
}

const arrive = ({ down, downOffset }) => [[down.x + downOffset, down.top], [down.x + downOffset, down.y]];

// Where an end of an arc is in its layer, in numbers of boxes; within a box its ports count.
function place(arc, end) {
  const v = arc[end];
  return v.index + arc[`${end}Offset`] / (v.width + 1);
}

function sortByNeighbours(layer, side) {
  const end = side === "ups" ? "up" : "down";
  const own = side === "ups" ? "down" : "up";
  const movable = layer.filter((v) => v[side].length);
  for (const v of movable) {
    const sum = v[side].reduce((sum, arc) => sum + place(arc, end) - arc[`${own}Offset`] / 1e6, 0);
    v.wish = sum / v[side].length;
  }
  const sorted = [...movable].sort((a, b) => a.wish - b.wish || a.index - b.index);
  let next = 0;
  layer.forEach((v, i) => (layer[i] = v[side].length ? sorted[next++] : v));
  number(layer);
}

// How many crossings go away if two neighbours change places.
function crossingGain(left, right, side) {
  const end = side === "ups" ? "up" : "down";
  let gain = 0;
  for (const a of left[side]) {
    for (const b of right[side]) gain += Math.sign(place(a, end) - place(b, end));
  }
  return gain;
}

// Pairs in the wrong order, counted while the list is sorted by merging.
function inversions(list) {
  if (list.length < 2) return 0;
  const middle = list.length >> 1;
  const [a, b] = [list.slice(0, middle), list.slice(middle)];
  let count = inversions(a) + inversions(b);
  for (let i = 0, j = 0, k = 0; k < list.length; k++) {
    if (j >= b.length || (i < a.length && a[i] <= b[j])) list[k] = a[i++];
    else {
      list[k] = b[j++];
      count += a.length - i;
    }
  }
  return count;
}
