// The ground of the picture: contours of a function of two coordinates.

// The rectangle inside of the axes.
function frame(width, height) {
  const left = 62, bottom = 40, top = 10, right = 12;
  return { left, top, width: Math.max(width - left - right, 10), height: Math.max(height - top - bottom, 10) };
}

class ContourGround {
  build({ g, width, height, ratio }, field, log) {
    const box = (this.box = frame(width, height)), [[low, high], [bottom, top]] = (this.bounds = field.bounds);
    const levels = (this.levels = field.levels(log));
    const image = field.image(levels, Math.round(box.width * ratio), Math.round(box.height * ratio), LOOK.bands);
    g.putImageData(image, Math.round(box.left * ratio), Math.round(box.top * ratio));
    g.save();
    g.beginPath();
    g.rect(box.left, box.top, box.width, box.height);
    g.clip();
    g.strokeStyle = LOOK.line;
    g.lineWidth = 1;
    const x = (i) => box.left + (box.width * i) / (field.columns - 1);
    const y = (j) => box.top + box.height * (1 - j / (field.rows - 1));
    g.stroke(field.lines(levels, x, y));
    g.restore();
    drawAxes(g, box, [low, high], [bottom, top], PAGE.names[0], PAGE.names[1]);
  }

  place(a, b) {
    const { box, bounds: [[left, right], [bottom, top]] } = this;
    return [
      box.left + (box.width * (a - left)) / (right - left),
      box.top + box.height * (1 - (b - bottom) / (top - bottom)),
    ];
  }

  // The position in the plane of a place in the picture, kept inside of it.
  position(x, y) {
    const { box, bounds: [[left, right], [bottom, top]] } = this;
    const p = Math.min(Math.max((x - box.left) / box.width, 0), 1);
    const q = 1 - Math.min(Math.max((y - box.top) / box.height, 0), 1);
    return [left + p * (right - left), bottom + q * (top - bottom)];
  }
}

function drawAxes(g, box, [left, right], [bottom, top], across, up) {
  g.strokeStyle = LOOK.rule;
  g.lineWidth = 1;
  g.strokeRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1);
  g.font = FONT;
  g.fillStyle = LOOK.faint;
  g.textAlign = "center";
  g.textBaseline = "top";
  for (const tick of ticks(left, right, box.width / 90)) {
    const x = box.left + (box.width * (tick - left)) / (right - left);
    g.fillRect(x - 0.5, box.top + box.height, 1, 5);
    g.fillText(short(tick, 3), x, box.top + box.height + 7);
  }
  g.textAlign = "right";
  g.textBaseline = "middle";
  for (const tick of ticks(bottom, top, box.height / 60)) {
    const y = box.top + box.height * (1 - (tick - bottom) / (top - bottom));
    g.fillRect(box.left - 5, y - 0.5, 5, 1);
    g.fillText(short(tick, 3), box.left - 8, y);
  }
  g.fillStyle = LOOK.ink;
  g.font = `italic ${FONT.replace("13px", "15px")}`;
  g.textAlign = "center";
  g.textBaseline = "alphabetic";
  g.fillText(across, box.left + box.width / 2, box.top + box.height + 35);
  g.save();
  g.translate(11, box.top + box.height / 2);
  g.rotate(-Math.PI / 2);
  g.textBaseline = "middle";
  g.fillText(up, 0, 0);
  g.restore();
}
