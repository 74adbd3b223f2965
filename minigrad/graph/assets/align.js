// Horizontal positions of the boxes and bends of one frame, whose layers and their order are known.

// Every box wants to be where its neighbours are; a layer as a whole comes as near to that as
// its order allows.  Then what should stand on one vertical line becomes rigid, and the rigid parts find their places.
function align(layers, pieces) {
  for (const layer of layers) settle(layer, layer.map(() => 0), layer.map(() => 1));
  for (let round = 0; round < 6; round++) {
    for (const layer of layers) approach(layer, ["ups"]);
    for (const layer of [...layers].reverse()) approach(layer, ["downs"]);
  }
  for (let round = 0; round < 3; round++) for (const layer of layers) approach(layer, ["ups", "downs"]);
  const chains = fromLeftToRight(chainsOf(layers, pieces));
  separate(chains);
  for (let round = 0; round < 15; round++) {
    for (const chain of chains) follow(chain);
    for (let i = chains.length - 1; i >= 0; i--) follow(chains[i]);
  }
}

// What should stand on one vertical line: long lines above all, then operations.  No two chains cross, so that
// there is room for all of them (as in Brandes and Köpf, "Fast and simple horizontal coordinate assignment", Graph
// Drawing 2001).
function chainsOf(layers, pieces) {
  const value = ({ up, down, weight }) => 10 * (Boolean(up.bend) + Boolean(down.bend)) + weight;
  const [above, below] = [new Map(), new Map()];
  const accepted = layers.map(() => []);
  for (const arc of [...pieces].sort((a, b) => value(b) - value(a))) {
    if (above.has(arc.down) || below.has(arc.up)) continue;
    const others = accepted[arc.up.rank];
    let at = others.findLastIndex((other) => other.up.index < arc.up.index) + 1;
    if (others[at - 1]?.down.index > arc.down.index || others[at]?.down.index < arc.down.index) continue;
    others.splice(at, 0, arc);
    above.set(arc.down, arc);
    below.set(arc.up, arc);
  }
  const chains = [];
  for (const start of layers.flat()) {
    if (above.has(start)) continue;
    start.shift = 0;
    const parts = [start];
    for (let arc = below.get(start); arc; arc = below.get(arc.down)) {
      arc.down.shift = arc.up.shift + arc.upOffset - arc.downOffset;
      parts.push(arc.down);
    }
    const chain = { parts, x: parts.reduce((sum, v) => sum + v.x - v.shift, 0) / parts.length };
    for (const v of parts) v.chain = chain;
    chains.push(chain);
  }
  for (const chain of chains) {
    chain.left = besides(chain, layers, -1);
    chain.right = besides(chain, layers, 1);
  }
  return chains;
}

// The neighbours of a chain on one side, with the distance that it must keep from them.
function besides(chain, layers, side) {
  const found = [];
  for (const v of chain.parts) {
    const other = layers[v.rank][v.index + side];
    if (other) found.push({ chain: other.chain, distance: separation(v, other) + side * (v.shift - other.shift) });
  }
  return found;
}

function fromLeftToRight(chains) {
  const waiting = new Map(chains.map((chain) => [chain, chain.left.length]));
  const sorted = chains.filter((chain) => !waiting.get(chain));
  for (const chain of sorted) {
    for (const { chain: other } of chain.right) {
      waiting.set(other, waiting.get(other) - 1);
      if (!waiting.get(other)) sorted.push(other);
    }
  }
  return sorted;
}

function separation(a, b) {
  return (a.width + b.width) / 2 + (a.bend || b.bend ? LINE_GAP : BOX_GAP);
}

// Bring a layer near to where its neighbours on these sides are.
function approach(layer, sides) {
  const wishes = [];
  const weights = [];
  for (const v of layer) {
    let [sum, weight] = [0.01 * v.x, 0.01];
    for (const arc of sides.includes("ups") ? v.ups : []) {
      sum += arc.weight * (arc.up.x + arc.upOffset - arc.downOffset);
      weight += arc.weight;
    }
    for (const arc of sides.includes("downs") ? v.downs : []) {
      sum += arc.weight * (arc.down.x + arc.downOffset - arc.upOffset);
      weight += arc.weight;
    }
    wishes.push(sum / weight);
    weights.push(weight);
  }
  settle(layer, wishes, weights);
}

// The positions with the least squares of distances from the wishes, in this order and without overlap: a monotonic
// regression, by pooling adjacent violators.
function settle(layer, wishes, weights) {
  const pools = [];
  let shift = 0;
  layer.forEach((v, i) => {
    if (i) shift += separation(layer[i - 1], v);
    let pool = { sum: weights[i] * (wishes[i] - shift), weight: weights[i], count: 1 };
    while (pools.length && pools.at(-1).sum / pools.at(-1).weight >= pool.sum / pool.weight) {
      const last = pools.pop();
      pool = { sum: last.sum + pool.sum, weight: last.weight + pool.weight, count: last.count + pool.count };
    }
    pools.push(pool);
  });
  let i = 0;
  shift = 0;
  for (const { sum, weight, count } of pools) {
    for (const stop = i + count; i < stop; i++) {
      if (i) shift += separation(layer[i - 1], layer[i]);
      layer[i].x = sum / weight + shift;
    }
  }
}

// Half-way between what comes out if all chains are pushed to the right where they lack room, and to the left.
function separate(chains) {
  const pushed = new Map();
  for (const chain of chains) {
    pushed.set(chain, Math.max(chain.x, ...chain.left.map((side) => pushed.get(side.chain) + side.distance)));
  }
  const pulled = new Map();
  for (const chain of [...chains].reverse()) {
    pulled.set(chain, Math.min(chain.x, ...chain.right.map((side) => pulled.get(side.chain) - side.distance)));
  }
  for (const chain of chains) moveTo(chain, (pushed.get(chain) + pulled.get(chain)) / 2);
}

// Move a chain to where its neighbours above and below are, as far as those at its sides leave room.
function follow(chain) {
  let [sum, total] = [0, 0];
  for (const v of chain.parts) {
    for (const { up, upOffset, downOffset, weight } of v.ups) {
      if (up.chain === chain) continue;
      sum += weight * (up.x + upOffset - downOffset - v.shift);
      total += weight;
    }
    for (const { down, upOffset, downOffset, weight } of v.downs) {
      if (down.chain === chain) continue;
      sum += weight * (down.x + downOffset - upOffset - v.shift);
      total += weight;
    }
  }
  if (!total) return;
  const least = Math.max(-Infinity, ...chain.left.map((side) => side.chain.x + side.distance));
  const most = Math.min(Infinity, ...chain.right.map((side) => side.chain.x - side.distance));
  moveTo(chain, Math.max(least, Math.min(most, sum / total)));
}

function moveTo(chain, x) {
  chain.x = x;
  for (const v of chain.parts) v.x = x + v.shift;
}
