// Curvature at a point: the eigenvalues of the Hessian, and what they allow a learning rate to be.

// Eigenvalues of a symmetric matrix in ascending order: C. G. J. Jacobi's rotations, 1846.
function eigenvalues(matrix, n) {
  const a = Float64Array.from(matrix);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) a[i * n + j] = a[j * n + i] = (a[i * n + j] + a[j * n + i]) / 2;
  }
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0, on = 0;
    a.forEach((x, k) => {
      if (k % (n + 1) === 0) on += x * x;
      else off += x * x;
    });
    if (!(off > 1e-30 * on)) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, n, p, q);
  }
  return Array.from({ length: n }, (_, i) => a[i * n + i]).sort((x, y) => x - y);
}

// Make the element (p, q) zero.
function rotate(a, n, p, q) {
  const x = a[p * n + q];
  if (x === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * x);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1)), c = 1 / Math.hypot(t, 1), s = t * c;
  for (let k = 0; k < n; k++) {
    const u = a[k * n + p], v = a[k * n + q];
    [a[k * n + p], a[k * n + q]] = [c * u - s * v, s * u + c * v];
  }
  for (let k = 0; k < n; k++) {
    const u = a[p * n + k], v = a[q * n + k];
    [a[p * n + k], a[q * n + k]] = [c * u - s * v, s * u + c * v];
  }
}

// What is to be said of the curvature at a point; null if it is not known there.
function curvatureAt(point) {
  if (PROGRAM.hessian === null) return null;
  let matrix;
  try {
    matrix = PROGRAM.hessian(point, ...DATA);
  } catch {
    return null;
  }
  const numbers = typeof matrix === "number" ? [matrix] : matrix;
  if (!Array.from(numbers).every(Number.isFinite)) return null;
  const values = eigenvalues(numbers, COUNT), largest = values[COUNT - 1];
  return { values, largest, least: values[0], rate: largest > 0 ? 2 / largest : Infinity };
}
