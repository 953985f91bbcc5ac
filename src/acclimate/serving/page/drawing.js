// A square board of strokes. Places and widths are shares of its side, so that it can be drawn at any size.

const INKS = { dark: ["#ffffff", "#000000"], light: ["#000000", "#ffffff"] };
const STEP = 0.02;
const LONG_STEP = 0.1;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const within = (value) => Math.min(1, Math.max(0, value));
const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

export class Drawing {
  // `pen` shows where the keyboard draws; `changed` is called after every change, `said` with a word for screen readers.
  constructor(canvas, pen, { changed, said }) {
    this.canvas = canvas;
    this.pen = pen;
    this.changed = changed;
    this.said = said;
    this.done = [];
    this.undone = [];
    this.live = null;
    this.pointer = null;
    this.cursor = { x: 0.5, y: 0.5 };
    this.width = 0.02;
    this.ink = "dark";
    this.reach = null;
    this.finished = document.createElement("canvas");
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  get strokes() {
    const cleared = this.done.lastIndexOf("clear");
    const shown = this.done.slice(cleared + 1);
    return this.live ? [...shown, this.live] : shown;
  }

  get empty() {
    return this.strokes.length === 0;
  }

  undo() {
    this.lift();
    if (this.done.length) this.undone.push(this.done.pop());
    this.renew();
  }

  redo() {
    this.lift();
    if (this.undone.length) this.done.push(this.undone.pop());
    this.renew();
  }

  clear() {
    this.lift();
    if (!this.empty) this.add("clear");
    this.renew();
  }

  png(side) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    paint(canvas, this.reach ? centred(this.strokes, this.reach) : this.strokes, this.ink);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  add(step) {
    this.done.push(step);
    this.undone = [];
  }

  begin(point) {
    this.live = { width: this.width, points: [point] };
    this.show();
    this.changed();
  }

  extend(points) {
    this.live.points.push(...points);
    this.show();
    this.changed();
  }

  lift() {
    if (!this.live) return;
    this.add(this.live);
    this.live = null;
    this.pointer = null;
    this.pen.classList.remove("down");
    this.renew();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button > 0) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true, focusVisible: false });
      this.pen.hidden = true;
      this.lift();
      canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.begin(this.place(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.extend((events.length ? events : [event]).map((one) => this.place(one)));
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, (event) => {
        if (event.pointerId === this.pointer) this.lift();
      });
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => {
      this.lift();
      this.pen.hidden = true;
    });
  }

  // A pen says how hard it is pressed; a mouse and most fingers say one half, or nothing.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const pressed = event.pointerType === "pen" && event.pressure > 0 ? 0.4 + 1.2 * event.pressure : 1;
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height, pressed };
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.pointer !== null) return;
    const move = MOVES[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) this.move(move, event.shiftKey ? LONG_STEP : STEP);
    else if (!event.repeat) this.toggle();
    this.pen.hidden = false;
    this.pen.style.left = `${100 * this.cursor.x}%`;
    this.pen.style.top = `${100 * this.cursor.y}%`;
  }

  move([x, y], step) {
    this.cursor = { x: within(this.cursor.x + x * step), y: within(this.cursor.y + y * step) };
    if (this.live) this.extend([{ ...this.cursor, pressed: 1 }]);
  }

  toggle() {
    if (this.live) {
      this.lift();
      this.said("Pen up");
    } else {
      this.begin({ ...this.cursor, pressed: 1 });
      this.pen.classList.add("down");
      this.said("Pen down");
    }
  }

  resize() {
    const side = Math.max(1, Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1)));
    if (this.canvas.width !== side) {
      for (const canvas of [this.canvas, this.finished]) canvas.width = canvas.height = side;
      this.repaint();
    }
  }

  // What is finished is painted once, so that a long drawing does not slow down the stroke that is being drawn.
  repaint() {
    const live = this.live;
    this.live = null;
    paint(this.finished, this.strokes, this.ink);
    this.live = live;
    this.show();
  }

  renew() {
    this.repaint();
    this.changed();
  }

  show() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const context = this.canvas.getContext("2d");
      context.drawImage(this.finished, 0, 0);
      if (this.live) stroke(context, this.live, this.canvas.width, INKS[this.ink][1]);
    });
  }
}

// The same strokes in the middle of the board, scaled to a share of its side, for models whose data look like that. A
// dot stays a dot.
const MOST_SCALED = 4;
function centred(strokes, reach) {
  const all = strokes.flatMap(({ points }) => points);
  const [left, right] = [Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x))];
  const [top, bottom] = [Math.min(...all.map(({ y }) => y)), Math.max(...all.map(({ y }) => y))];
  const broad = Math.max(...strokes.map(({ width }) => width));
  const room = Math.max(0.05, reach - broad);
  const scale = Math.min(MOST_SCALED, room / Math.max(right - left, bottom - top, 1e-6));
  const place = (at, from, to) => 0.5 + (at - (from + to) / 2) * scale;
  const moved = (p) => ({ ...p, x: place(p.x, left, right), y: place(p.y, top, bottom) });
  return strokes.map((one) => ({ ...one, points: one.points.map(moved) }));
}

function paint(canvas, strokes, ink) {
  const [paper, colour] = INKS[ink];
  const context = canvas.getContext("2d");
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.width);
  for (const one of strokes) stroke(context, one, canvas.width, colour);
}

// Points are joined by curves that pass through the middles between them.
function stroke(context, { width, points }, side, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = context.lineJoin = "round";
  const first = points[0];
  context.beginPath();
  context.arc(first.x * side, first.y * side, (width * first.pressed * side) / 2, 0, 2 * Math.PI);
  context.fill();
  let from = first;
  for (let i = 1; i < points.length; i++) {
    const at = points[i];
    const to = i + 1 < points.length ? middle(at, points[i + 1]) : at;
    context.lineWidth = width * at.pressed * side;
    context.beginPath();
    context.moveTo(from.x * side, from.y * side);
    context.quadraticCurveTo(at.x * side, at.y * side, to.x * side, to.y * side);
    context.stroke();
    from = to;
  }
}
