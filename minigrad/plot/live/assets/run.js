// A run of an optimizer: the steps that `optim.minimize` makes, one by one, and what is recorded of them.

// The steps of one optimizer, whose programs work on a state of their own.
class Stepper {
  constructor(optimizer, choice, start) {
    const on = (key) => (key === "momentum" ? choice.values.momentum > 0 : choice.switches[key]);
    const chosen = (variant) => Object.entries(variant.when).every(([key, value]) => on(key) === value);
    // A combination that the optimizer does not have, as Nesterov's step without momentum, is the one without it.
    const variant = optimizer.variants.find(chosen) ?? optimizer.variants[0];
    const first = PROGRAMS[variant.first], next = PROGRAMS[variant.next];
    this.state = { ...next().state, ...first().state };
    for (const [key, value] of Object.entries(choice.values)) if (key in this.state) this.state[key] = value;
    for (const [key, factor] of Object.entries(optimizer.scaled)) this.scale(key, factor * choice.values.lr);
    this.place(start);
    this.first = first(this.state);
    this.next = variant.first === variant.next ? this.first : next(this.state);
    this.made = 0;
  }

  scale(key, value) {
    for (const name of Object.keys(this.state).filter((name) => name.endsWith(`_${key}`))) {
      if (typeof this.state[name] === "number") this.state[name] = value;
      else this.state[name].fill(value);
    }
  }

  place(point) {
    let at = 0;
    PAGE.leaves.forEach(({ size, scalar }, i) => {
      this.state[`w${i}`] = scalar ? point[at] : Float64Array.from(point.subarray(at, at + size));
      at += size;
    });
  }

  point(out) {
    let at = 0;
    PAGE.leaves.forEach(({ size, scalar }, i) => {
      if (scalar) out[at] = this.state[`w${i}`];
      else out.set(this.state[`w${i}`], at);
      at += size;
    });
  }

  step(gradient) {
    (this.made++ ? this.next : this.first)(gradient);
  }
}

class Run {
  constructor(optimizer, choice, settings) {
    const { steps } = settings;
    this.optimizer = optimizer;
    this.choice = choice;
    this.settings = settings;
    this.points = new Float64Array((steps + 1) * COUNT);
    this.places = new Float64Array((steps + 1) * 2); // in the picture: position, and the height over a line
    this.losses = new Float64Array(steps + 1);
    this.norms = new Float64Array(steps);
    this.turns = new Uint8Array(steps); // whether a gradient points against the one before
    this.made = 0;
    this.stop = ""; // why it has diverged
    this.here = startAt(settings.start);
    this.stepper = new Stepper(optimizer, choice, this.here);
    this.last = null;
    this.record(valueAt(this.here));
  }

  record(loss) {
    this.points.set(this.here, this.made * COUNT);
    const [a, b] = within(this.here);
    this.places.set([a, FLAT ? loss : b], this.made * 2);
    this.losses[this.made] = loss;
    const when = this.made ? `after step ${this.made}` : "at the start";
    if (!Number.isFinite(loss)) this.stop = `the loss is ${loss} ${when}`;
  }

  get over() {
    return this.stop !== "" || this.made === this.settings.steps;
  }

  // Make steps up to one, or until a moment; whether there are enough.
  advance(until, deadline) {
    while (this.made < until && !this.over) {
      this.step();
      if (this.made % 8 === 0 && performance.now() > deadline) return this.made >= until || this.over;
    }
    return true;
  }

  step() {
    try {
      const [, gradient] = this.settings.batch ? this.onBatch() : slopeAt(this.here);
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      if (!Number.isFinite(norm)) {
        this.stop = `the gradient's norm is ${norm} after step ${this.made}`;
        return;
      }
      this.norms[this.made] = norm;
      this.turns[this.made] = this.last !== null && this.last.reduce((sum, g, i) => sum + g * gradient[i], 0) < 0;
      this.last = gradient.slice();
      if (this.settings.noise > 0) {
        const { noise, seed } = this.settings, from = this.made * COUNT;
        for (let i = 0; i < COUNT; i++) gradient[i] += noise * normal(seed, from + i);
      }
      this.stepper.step(gradient);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.stop = `no step can be made after step ${this.made}: ${error.message}`;
      return;
    }
    this.stepper.point(this.here);
    this.made++;
    this.record(valueAt(this.here));
  }

  // Loss and gradient on the rows whose turn it is.
  onBatch() {
    const { batch, seed } = this.settings;
    const each = Math.ceil(ROWS / batch), epoch = Math.floor(this.made / each), turn = this.made % each;
    if (this.epoch !== epoch) [this.epoch, this.order] = [epoch, shuffled(seed, epoch, ROWS)];
    const rows = this.order.slice(turn * batch, (turn + 1) * batch);
    const parts = DATA.map((numbers, i) => {
      const { width } = PAGE.data[i], part = new Float64Array(rows.length * width);
      rows.forEach((row, j) => part.set(numbers.subarray(row * width, (row + 1) * width), j * width));
      return part;
    });
    return PROGRAM.batches[rows.length](this.here, ...parts);
  }

  // At which step the run is when so many have been made: a run that has diverged stays where it was.
  at(step) {
    return Math.min(step, this.made);
  }

  point(step) {
    const k = this.at(step);
    return this.points.subarray(k * COUNT, (k + 1) * COUNT);
  }
}
