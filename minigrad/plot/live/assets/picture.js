// The picture: a ground that is drawn once, and on it the paths of the runs up to a step.

const DOT_APART = 9; // pixels between the dots of two steps, at least

class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.still = document.createElement("canvas");
  }

  // Draw the ground anew: after a change of size, colours, view or levels.
  build(ground, field, log) {
    this.ground = ground;
    const fit = fitted(this.canvas), { width, height, ratio } = fit;
    [this.still.width, this.still.height] = [this.canvas.width, this.canvas.height];
    const g = this.still.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    ground.build({ g, width, height, ratio }, field, log);
    Object.assign(this, fit);
  }

  draw(runs, shown, chosen, start) {
    const { g, ground, width, height } = this, { box } = ground;
    g.clearRect(0, 0, width, height);
    g.drawImage(this.still, 0, 0, width, height);
    g.save();
    g.beginPath();
    g.rect(box.left, box.top, box.width, box.height);
    g.clip();
    const order = [...runs].sort((a, b) => (a.number === chosen) - (b.number === chosen));
    for (const { run, number } of order) this.drawPath(run, run.at(shown), number, number === chosen);
    for (const { position, value } of MINIMA) {
      drawMark(g, STAR, ...ground.place(position[0], position[1] ?? 0, value), LOOK.ink, LOOK.halo);
    }
    g.restore();
    for (const { run, number } of order) this.drawHead(run, run.at(shown), number);
    this.drawStart(start);
  }

  spot(run, k) {
    const a = run.places[2 * k], b = run.places[2 * k + 1];
    return this.ground.place(a, b, run.losses[k]);
  }

  drawPath(run, last, number, chosen) {
    const { g } = this, line = new Path2D(), dots = new Path2D(), colour = colourOf(number);
    let [x, y] = this.spot(run, 0), [dx, dy] = [x, y];
    line.moveTo(x, y);
    for (let k = 1; k <= last; k++) {
      const [u, v] = this.spot(run, k);
      if (!(Math.abs(u) < 1e6 && Math.abs(v) < 1e6)) break;
      if (Math.abs(u - x) + Math.abs(v - y) < 0.6 && k < last) continue;
      line.lineTo(u, v);
      [x, y] = [u, v];
      if (Math.hypot(u - dx, v - dy) >= DOT_APART) {
        dots.moveTo(u + 2.6, v);
        dots.arc(u, v, 2.6, 0, 7);
        [dx, dy] = [u, v];
      }
    }
    g.lineJoin = g.lineCap = "round";
    g.strokeStyle = LOOK.halo;
    g.lineWidth = chosen ? 6.5 : 5;
    g.stroke(line);
    g.strokeStyle = g.fillStyle = colour;
    g.lineWidth = chosen ? 3.2 : 2.2;
    g.stroke(line);
    g.fill(dots);
  }

  // Where a run is: at the edge, if it is outside of the picture.
  drawHead(run, last, number) {
    const { g, ground: { box } } = this, [x, y] = this.spot(run, last);
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    const u = Math.min(Math.max(x, box.left), box.left + box.width);
    const v = Math.min(Math.max(y, box.top), box.top + box.height);
    const path = PATHS[number % PATHS.length], out = Math.abs(u - x) + Math.abs(v - y) > 1;
    if (out) drawMark(g, path, u, v, LOOK.halo, colourOf(number), 1);
    else drawMark(g, path, u, v, colourOf(number), LOOK.halo, 1.35);
  }

  drawStart(start) {
    const { g } = this, [x, y] = this.ground.place(start[0], start[1] ?? 0, valueAt(lifted(start)));
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    this.handle = [x, y];
    for (const [colour, width] of [[LOOK.halo, 6], [LOOK.ink, 2.4]]) {
      g.strokeStyle = colour;
      g.lineWidth = width;
      g.beginPath();
      g.arc(x, y, 10, 0, 7);
      g.stroke();
    }
  }
}
