// The settings of the page, and how its address tells them: whatever that says, they are settings that can be.

const LIMITS = {
  lr: [1e-9, 1e4], momentum: [0, 0.9999], betas_0: [0, 0.9999], betas_1: [0, 0.99999], alpha: [0, 0.99999],
  rho: [0, 0.99999], weight_decay: [1e-9, 1e3],
};
const MOST_STEPS = 20000;
const SPEEDS = [2, 5, 10, 30, 60, 120, 300, 1000];

function defaults() {
  return {
    start: within(PAGE.start), steps: PAGE.steps, noise: PAGE.noise, seed: PAGE.seed, batch: PAGE.batch,
    log: PAGE.log, view: "flat", speed: 30, shown: PAGE.steps,
    runs: PAGE.optimizers.map(({ on, values, switches }) => ({ on, values: { ...values }, switches: { ...switches } })),
  };
}

// The part of the address after the number sign: only what is not as it was at first.
function written(settings) {
  const first = defaults(), said = new URLSearchParams();
  for (const key of ["steps", "noise", "seed", "batch", "log", "view", "speed"]) {
    if (settings[key] !== first[key]) said.set(key, String(settings[key]));
  }
  if (settings.shown !== settings.steps) said.set("shown", String(settings.shown));
  if (settings.start.some((x, i) => x !== first.start[i])) said.set("start", settings.start.join(","));
  settings.runs.forEach((run, i) => {
    const was = first.runs[i], parts = [];
    if (run.on !== was.on) parts.push(`on:${Number(run.on)}`);
    for (const [key, value] of Object.entries(run.values)) if (value !== was.values[key]) parts.push(`${key}:${value}`);
    for (const [key, value] of Object.entries(run.switches)) {
      if (value !== was.switches[key]) parts.push(`${key}:${Number(value)}`);
    }
    if (parts.length) said.set(`run${i}`, parts.join(","));
  });
  return said.toString().replace(/%2C/g, ",").replace(/%3A/g, ":");
}

// The settings that an address tells; what it says that cannot be is not heard.
function readAddress(text) {
  const settings = defaults(), said = new URLSearchParams(text.replace(/^#/, "").slice(0, 5000));
  const number = (key, low, high, whole = false) => {
    const word = said.get(key) ?? "", value = Number(word);
    const good = word.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value));
    if (good) settings[key] = value;
  };
  number("steps", 1, MOST_STEPS, true);
  settings.shown = settings.steps;
  number("shown", 0, settings.steps, true);
  number("noise", 0, 1e6);
  number("seed", 0, 2 ** 32 - 1, true);
  number("batch", 0, 2 ** 32, true);
  if (![0, ...PAGE.sizes].includes(settings.batch)) settings.batch = PAGE.batch;
  number("speed", 1, 1000);
  if (["true", "false"].includes(said.get("log"))) settings.log = said.get("log") === "true";
  if (said.get("view") === "surface" && !FLAT) settings.view = "surface";
  const start = (said.get("start") ?? "").split(",").map((word) => (word.trim() === "" ? NaN : Number(word)));
  if (start.length === settings.start.length && start.every((x) => Math.abs(x) < 1e300)) settings.start = start;
  settings.runs.forEach((run, i) => readRun(run, said.get(`run${i}`) ?? ""));
  return settings;
}

function readRun(run, text) {
  for (const part of text.split(",")) {
    const [key, word = ""] = part.split(":"), value = Number(word);
    if (word.trim() === "" || !Number.isFinite(value)) continue;
    if (key === "on") run.on = value === 1;
    else if (Object.hasOwn(run.switches, key)) run.switches[key] = value === 1;
    else if (Object.hasOwn(run.values, key)) run.values[key] = bounded(key, value);
  }
}

function bounded(key, value) {
  const [low, high] = LIMITS[key];
  return Math.min(Math.max(value, low), high);
}

// Write the settings into the address; a page in a frame may have none of its own.
function writeAddress(settings) {
  try {
    history.replaceState(null, "", `#${written(settings)}`);
  } catch {
    return;
  }
}

// What one writes in Python for the same run; nothing for an optimizer that it cannot name.
function inPython(number, settings) {
  const optimizer = PAGE.optimizers[number], { values, switches } = settings.runs[number];
  if (optimizer.python === null || !PAGE.python) return "";
  const point = Array.from(startAt(settings.start)), start = COUNT === 1 ? String(point[0]) : `[${point.join(", ")}]`;
  const options = [optimizer.python, `lr=${values.lr}`];
  for (const [key, value] of Object.entries(values)) {
    if (key !== "lr" && !key.startsWith("betas") && (key !== "momentum" || value > 0)) options.push(`${key}=${value}`);
  }
  if ("betas_0" in values) options.push(`betas=(${values.betas_0}, ${values.betas_1})`);
  for (const [key, on] of Object.entries(switches)) {
    if (on && (key !== "nesterov" || values.momentum > 0)) options.push(`${key}=True`);
  }
  if (settings.batch) options.push("data=data", `batches=${settings.batch}`);
  else if (DATA.length) options.push("data=data");
  if (settings.noise) options.push(`noise=${settings.noise}`);
  return `optim.minimize(f, ${start}, ${options.join(", ")}, steps=${settings.steps})`;
}
