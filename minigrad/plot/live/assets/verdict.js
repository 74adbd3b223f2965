// What has become of a run after so many steps: the words of `optim.Result`, and three shades of its "slow".

const SETTLED = 1e-6; // the gradient's norm below which, for good, a run has converged
const RECENT = 20; // steps

function verdict(run, step) {
  const k = run.at(step), losses = run.losses.subarray(0, k + 1), norms = run.norms.subarray(0, k);
  const gone = run.stop !== "" && (step > run.made || !Number.isFinite(losses[k]));
  if (gone || endsDiverged(losses)) return { kind: "diverged", text: `diverged after ${k}`, why: gone ? run.stop : "" };
  if (k === 0) return { kind: "ready", text: "at the start", why: "" };
  if (norms[k - 1] < SETTLED) {
    let first = k - 1;
    while (first > 0 && norms[first - 1] < SETTLED) first--;
    return { kind: "converged", text: `converged in ${first}`, why: `the gradient's norm is below ${SETTLED}` };
  }
  const recent = Math.min(RECENT, k), turns = run.turns.subarray(k - recent, k).reduce((sum, x) => sum + x, 0);
  const before = Math.max(...norms.subarray(Math.max(k - 2 * recent, 0), Math.max(k - recent, 1)));
  const now = Math.max(...norms.subarray(k - recent, k));
  if (k > recent && now < 0.7 * before) {
    return { kind: "converging", text: "converging", why: `gradients became smaller in the last ${recent} steps` };
  }
  if (k > 3 && turns > recent / 2) {
    return { kind: "oscillating", text: "oscillating", why: "gradients point against those before them" };
  }
  return { kind: "slow", text: "slow", why: "the gradient's norm hardly falls" };
}

// Whether the last loss is the highest, and twice that of the start.
function endsDiverged(losses) {
  const first = losses[0], last = losses[losses.length - 1];
  if (!(last - first > Math.max(Math.abs(first), 2.2250738585072014e-308))) return false;
  return losses.every((loss) => loss <= last);
}
