// The controls of the page: a card for each optimizer, and the settings that all of them share.

const WORDS = {
  lr: "learning rate", momentum: "momentum β", betas_0: "β₁", betas_1: "β₂", alpha: "α", rho: "ρ",
  weight_decay: "weight decay", nesterov: "Nesterov", amsgrad: "AMSGrad",
};

const byId = (id) => document.getElementById(id);

function marker(number) {
  const path = make("path", { d: SHAPES[number % SHAPES.length] });
  const style = `--colour: var(--run-${number % 8})`;
  return make("svg", { viewBox: "-8 -8 16 16", class: "marker", "aria-hidden": "true", style }, path);
}

// A slider has positions from 0 to 1000.  Rates are spread evenly by their logarithm, and what is kept of the past by
// the logarithm of what is not: 0, 0.9, 0.99, 0.999 are as far apart.
const SCALES = {
  log: (low, high) => ({
    to: (x) => (1000 * Math.log(x / low)) / Math.log(high / low),
    from: (p) => digits(low * (high / low) ** (p / 1000), 2),
  }),
  kept: (low, high) => {
    const end = Math.log(1 - high);
    return {
      to: (x) => (1000 * Math.log(1 - Math.min(x, high))) / end,
      from: (p) => kept(1 - Math.exp((end * p) / 1000)),
    };
  },
};

const digits = (x, many) => Number(x.toPrecision(many));
const kept = (x) => (x < 0.005 ? 0 : Number((1 - digits(1 - x, 2)).toPrecision(6)));

function slider(key, value, from, label, change) {
  const rate = key === "lr" || key === "weight_decay";
  const scale = rate ? SCALES.log(from / 100, from * 100) : SCALES.kept(0, key === "betas_1" ? 0.9999 : 0.999);
  const box = make("input", { type: "range", min: 0, max: 1000, step: 1, value: scale.to(value) });
  box.setAttribute("aria-label", `${WORDS[key]} of ${label}`);
  const number = make("input", { type: "text", inputmode: "decimal", value: String(value), size: 7, class: "number" });
  number.setAttribute("aria-label", `${WORDS[key]} of ${label}, as a number`);
  const show = (x) => {
    number.value = String(x);
    box.value = scale.to(x);
    box.setAttribute("aria-valuetext", String(x));
  };
  show(value);
  box.addEventListener("input", () => {
    const x = bounded(key, scale.from(Number(box.value)));
    number.value = String(x);
    box.setAttribute("aria-valuetext", String(x));
    change(x);
  });
  number.addEventListener("change", () => {
    const x = Number(number.value.replace("−", "-"));
    const good = number.value.trim() !== "" && Number.isFinite(x);
    if (good) change((value = bounded(key, x)));
    show(good ? value : scale.from(Number(box.value)));
  });
  return make("label", { class: "slider" }, make("span", {}, WORDS[key]), box, number);
}

// The card of an optimizer.
function card(optimizer, number, choice, changed) {
  const on = make("input", { type: "checkbox", checked: choice.on });
  on.setAttribute("aria-label", `Run ${optimizer.label}`);
  const label = make("span", {}, optimizer.label);
  const name = make("button", { type: "button", class: "name", title: "Look at this run" }, marker(number), label);
  const said = make("span", { class: "verdict" });
  const made = make("li", { class: "card" }, make("div", { class: "head" }, on, name, said));
  made.dataset.number = number;
  on.addEventListener("change", () => {
    choice.on = on.checked;
    made.classList.toggle("off", !choice.on);
    changed(number);
  });
  made.classList.toggle("off", !choice.on);
  const first = PAGE.optimizers[number].values;
  const sliders = optimizer.controls.map((key) => slider(key, choice.values[key], first[key], optimizer.label, (x) => {
    choice.values[key] = x;
    changed(number);
  }));
  const switches = Object.entries(choice.switches).map(([key, value]) => {
    const box = make("input", { type: "checkbox", checked: value });
    box.addEventListener("change", () => {
      choice.switches[key] = box.checked;
      changed(number);
    });
    return make("label", { class: "switch" }, box, make("span", {}, WORDS[key]));
  });
  const body = make("div", { class: "body" }, ...sliders.slice(0, 1));
  if (sliders.length > 1 || switches.length) {
    const inside = make("div", { class: "inside" }, ...sliders.slice(1), ...switches);
    body.append(make("details", { open: false }, make("summary", {}, "more"), inside));
  }
  made.append(body);
  return made;
}

// A number that a text field holds, if it is one between the limits; the field says so if not.
function numberField(field, low, high, whole, change) {
  field.addEventListener("change", () => {
    const x = Number(field.value.replace("−", "-"));
    const good = field.value.trim() !== "" && x >= low && x <= high && (!whole || Number.isInteger(x));
    field.setAttribute("aria-invalid", String(!good));
    if (good) change(x);
  });
}
