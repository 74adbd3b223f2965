// Chance that is the same on every machine: a word for each seed, stream and number, by the finalizer of MurmurHash3
// (A. Appleby), and normal numbers of them (G. Box and M. Muller, 1958).

function mixed(x) {
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

// A number between 0 and 1, and neither of them.
function uniform(seed, stream, number) {
  const word = mixed((number + mixed((stream + mixed((seed + 0x9e3779b9) | 0)) | 0)) | 0);
  return (word + 0.5) / 4294967296;
}

const NOISE = 1, ORDER = 2; // streams; of orders there is one for each epoch, from ORDER on

function normal(seed, number) {
  const radius = Math.sqrt(-2 * Math.log(uniform(seed, NOISE, 2 * number)));
  return radius * Math.cos(2 * Math.PI * uniform(seed, NOISE, 2 * number + 1));
}

// The rows of the data in the order of an epoch: R. Durstenfeld's shuffle, 1964.
function shuffled(seed, epoch, count) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, ORDER + epoch, i) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
