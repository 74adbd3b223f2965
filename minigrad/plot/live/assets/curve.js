// The ground of the picture: the curve of a function of one coordinate.

const CURVE_POINTS = 600;

class CurveGround {
  constructor(bounds) {
    this.bounds = bounds;
    const [low, high] = bounds[0];
    this.at = Array.from({ length: CURVE_POINTS }, (_, i) => low + ((high - low) * i) / (CURVE_POINTS - 1));
    this.values = this.at.map((a) => valueAt(lifted([a])));
    const finite = this.values.filter(Number.isFinite), least = Math.min(...finite), most = Math.max(...finite);
    const room = 0.06 * (most - least) || 1;
    this.heights = [least - room, most + room];
  }

  build({ g, width, height }) {
    const box = (this.box = frame(width, height));
    g.fillStyle = LOOK.card;
    g.fillRect(box.left, box.top, box.width, box.height);
    drawAxes(g, box, this.bounds[0], this.heights, PAGE.names[0], "loss");
    g.save();
    g.beginPath();
    g.rect(box.left, box.top, box.width, box.height);
    g.clip();
    g.beginPath();
    let drawn = false;
    this.values.forEach((value, i) => {
      if (Number.isFinite(value)) g[drawn ? "lineTo" : "moveTo"](...this.place(this.at[i], 0, value));
      drawn = Number.isFinite(value);
    });
    g.strokeStyle = LOOK.faint;
    g.lineWidth = 2.5;
    g.stroke();
    g.restore();
  }

  place(a, _, loss) {
    const { box, bounds: [[left, right]], heights: [bottom, top] } = this;
    return [
      box.left + (box.width * (a - left)) / (right - left),
      box.top + box.height * (1 - (loss - bottom) / (top - bottom)),
    ];
  }

  position(x) {
    const { box, bounds: [[left, right]] } = this;
    return [left + Math.min(Math.max((x - box.left) / box.width, 0), 1) * (right - left)];
  }
}
