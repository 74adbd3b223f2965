// The picture under a pointer, a finger, or the arrow keys.

const canvas = byId("picture");
const placeOf = (event) => {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
};
const isNear = ([x, y]) => picture.handle && Math.hypot(x - picture.handle[0], y - picture.handle[1]) < 30;
let held = null;

canvas.addEventListener("pointerdown", (event) => {
  const place = placeOf(event);
  if (event.button !== 0 || (event.pointerType === "touch" && settings.view === "flat" && !isNear(place))) return;
  held = place;
  canvas.setPointerCapture(event.pointerId);
  if (settings.view === "flat") moveStart(picture.ground.position(...place));
});
canvas.addEventListener("pointermove", (event) => {
  const place = placeOf(event);
  if (held === null) view.hover = event.pointerType === "mouse" ? picture.ground.position(...place) : null;
  else if (settings.view === "flat") moveStart(picture.ground.position(...place));
  else {
    picture.ground.rotate((place[0] - held[0]) * 0.01, (place[1] - held[1]) * 0.006);
    held = place;
    view.stale = true;
  }
  ask();
});
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, () => (held = null));
canvas.addEventListener("pointerleave", () => {
  view.hover = null;
  ask();
});
// A finger on the ring moves it, and one beside it the page; a tap anywhere puts the ring there.
canvas.addEventListener("touchstart", (event) => {
  const place = placeOf(event.touches[0]);
  if (settings.view === "surface" || isNear(place)) event.preventDefault();
}, { passive: false });
canvas.addEventListener("click", (event) => {
  if (settings.view === "flat") moveStart(picture.ground.position(...placeOf(event)));
});
canvas.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }, way = ways[event.key];
  if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (settings.view === "surface") {
    picture.ground.rotate(way[0] * 0.1, way[1] * 0.06);
    rebuild();
    return;
  }
  const part = event.shiftKey ? 0.05 : 0.01;
  moveStart(settings.start.map((x, i) => {
    const [low, high] = PAGE.bounds[i];
    return digits(Math.min(Math.max(x + way[i] * part * (high - low), low), high), 12);
  }));
});
