// A map of seats on a canvas; below it numbers, buttons, and lines of text. Python says what there is to see:
//
//   plan    {aspect, size, sections: [[code, [[row, seats], …]], …], rows, stage, words, clickable}      once
//   places  where each seat is: x and y, 16 bits each, as parts of the map's width and height             once
//   seats   what each seat is, a byte: 0 available, 1 held, 2 sold, 3 yours        at the beginning and the end
//   frame   what is new: {changes, numbers, buttons, lines, says}                      ten times a second at most
//
// and hears which button was pressed, which seat was chosen, and that somebody looks.

const COLOURS = ["#009E73", "#E69F00", "#8A8F98", "#0072B2"];
const STATUSES = ["available", "held", "sold", "yours"];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LOOK_EVERY = 2000; // milliseconds from one look at the seats to the next, while somebody is there
const ANSWER_WITHIN = 4000;

const view = (data) => new DataView(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);
const bytes = (data) => new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);

/** Write a frame's changes into the model's own bytes, so that whoever opens the notebook later finds them there. */
function apply(model) {
  const seats = bytes(model.get("seats"));
  const changes = view(model.get("frame").changes);
  const changed = [];
  for (let at = 0; at < changes.byteLength; at += 4) {
    const word = changes.getUint32(at, true);
    seats[word >>> 2] = word & 3;
    changed.push(word >>> 2);
  }
  return changed;
}

function element(tag, { parent, ...properties } = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  parent?.append(made);
  return made;
}

/** What each seat is called, and its number: "L04 C-12". */
function labels(sections) {
  const names = [];
  const numbers = [];
  for (const [code, rows] of sections) {
    for (const [row, length] of rows) {
      for (let seat = 1; seat <= length; seat++) {
        names.push(`${code} ${row}-${seat}`);
        numbers.push(seat);
      }
    }
  }
  return { names, numbers };
}

function render({ model, el }) {
  const plan = model.get("plan");
  const where = view(model.get("places"));
  const { names, numbers } = labels(plan.sections);
  let [width, height, cursor, lookedAt, silence] = [0, 0, 0, 0, 0];

  el.classList.add("seat-map");
  const canvas = element("canvas", { parent: el, tabIndex: 0 });
  canvas.setAttribute("role", plan.clickable ? "application" : "img");
  canvas.setAttribute("aria-label", plan.words);
  canvas.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take the arrow keys to go to another cell
  const legend = element("p", { parent: el, className: "seat-map-legend" });
  for (const status of plan.clickable ? [0, 1, 2, 3] : [0, 1, 2]) {
    element("span", { parent: legend, textContent: STATUSES[status] }).style.setProperty("--seat", COLOURS[status]);
  }
  const here = element("p", { parent: el, className: "seat-map-here" });
  here.setAttribute("role", "status");
  const figures = element("dl", { parent: el });
  const buttons = element("div", { parent: el, className: "seat-map-buttons" });
  const says = element("p", { parent: el, className: "seat-map-says" });
  says.setAttribute("role", "status");
  const lines = element("pre", { parent: el });
  lines.setAttribute("role", "log");
  lines.setAttribute("aria-live", plan.clickable ? "polite" : "off");
  lines.setAttribute("aria-label", plan.clickable ? "What was sent, and the answer" : "The latest answers");

  const seats = () => bytes(model.get("seats"));
  const x = (seat) => (where.getUint16(4 * seat, true) / 65535) * width;
  const y = (seat) => (where.getUint16(4 * seat + 2, true) / 65535) * height;
  const size = () => Math.max(1.5, plan.size * width);

  function drawSeat(pen, seat, status) {
    const side = size();
    pen.fillStyle = COLOURS[status];
    pen.fillRect(x(seat) - side / 2, y(seat) - side / 2, side, side);
    if (plan.rows && side >= 14) {
      pen.fillStyle = status === 3 ? "#fff" : "#111";
      pen.font = `${Math.floor(side * 0.55)}px sans-serif`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(numbers[seat], x(seat), y(seat) + 0.5);
    }
  }

  function draw() {
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const now = seats();
    for (let seat = 0; seat < now.length; seat++) drawSeat(pen, seat, now[seat]);
    pen.fillStyle = pen.strokeStyle = getComputedStyle(el).color;
    pen.font = "12px sans-serif";
    pen.textBaseline = "middle";
    for (const [words, at] of plan.rows ?? []) {
      pen.textAlign = "left";
      pen.fillText(words, 2, at * height);
    }
    if (plan.stage) {
      pen.textAlign = "center";
      pen.fillText(plan.stage[0], plan.stage[1] * width, plan.stage[2] * height);
    }
    if (canvas.matches(":focus")) {
      const side = size() + 4;
      pen.lineWidth = 2;
      pen.strokeRect(x(cursor) - side / 2, y(cursor) - side / 2, side, side);
    }
  }

  function resize() {
    if (!el.clientWidth) return;
    width = Math.min(el.clientWidth, plan.width);
    height = width * plan.aspect;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    draw();
  }

  function tell() {
    here.textContent = `${names[cursor]}: ${STATUSES[seats()[cursor]]}`;
  }

  function show() {
    const { numbers: told, buttons: offered, lines: said, says: sentence } = model.get("frame");
    if (figures.childElementCount !== 2 * told.length) {
      figures.replaceChildren(...told.flatMap(() => [element("dt"), element("dd")]));
    }
    told.flat().forEach((words, place) => (figures.children[place].textContent = words));
    if (buttons.dataset.offered !== JSON.stringify(offered)) {
      const focused = [...buttons.children].indexOf(document.activeElement);
      buttons.dataset.offered = JSON.stringify(offered);
      buttons.replaceChildren(...offered.map(([name, words, possible]) => {
        const button = element("button", { textContent: words, disabled: !possible, className: "jupyter-button" });
        button.addEventListener("click", () => send({ do: name }));
        return button;
      }));
      buttons.children[focused]?.focus();
    }
    says.textContent = sentence;
    lines.textContent = said.join("\n");
    lines.hidden = said.length === 0;
  }

  function send(message) {
    clearTimeout(silence);
    silence = setTimeout(() => {
      says.textContent = "Nobody answers: this is a picture of an earlier run. Run its cell again.";
    }, ANSWER_WITHIN);
    model.send(message);
  }

  function look() {
    if (!plan.clickable || Date.now() - lookedAt < LOOK_EVERY) return;
    lookedAt = Date.now();
    model.send({ do: "look" });
  }

  function nearest(event) {
    let [best, closest] = [null, Math.max(6, size()) ** 2];
    for (let seat = 0; seat < names.length; seat++) {
      const distance = (x(seat) - event.offsetX) ** 2 + (y(seat) - event.offsetY) ** 2;
      if (distance < closest) [best, closest] = [seat, distance];
    }
    return best;
  }

  /** The next seat that way: not far, and not far off to the side. */
  function towards([right, down]) {
    let [best, least] = [cursor, Infinity];
    for (let seat = 0; seat < names.length; seat++) {
      const [dx, dy] = [x(seat) - x(cursor), y(seat) - y(cursor)];
      const ahead = dx * right + dy * down;
      const aside = Math.abs(dx * down - dy * right);
      if (ahead > 0.5 && aside <= ahead && ahead + 3 * aside < least) [best, least] = [seat, ahead + 3 * aside];
    }
    return best;
  }

  function choose(seat) {
    cursor = seat;
    tell();
    draw();
    if (plan.clickable) send({ do: "seat", seat });
  }

  canvas.addEventListener("keydown", (event) => {
    if (ARROWS[event.key]) cursor = towards(ARROWS[event.key]);
    else if (event.key === "Enter" || event.key === " ") choose(cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
    tell();
    draw();
  });
  canvas.addEventListener("click", (event) => {
    const seat = nearest(event);
    if (seat !== null) choose(seat);
  });
  canvas.addEventListener("pointermove", (event) => {
    const seat = nearest(event);
    canvas.title = seat === null ? "" : `${names[seat]}: ${STATUSES[seats()[seat]]}`;
    look();
  });
  canvas.addEventListener("focus", () => { tell(); draw(); look(); });
  canvas.addEventListener("blur", draw);

  const changed = () => {
    clearTimeout(silence);
    const pen = canvas.getContext("2d");
    const now = seats();
    for (const seat of apply(model)) drawSeat(pen, seat, now[seat]);
    if (canvas.matches(":focus")) { tell(); draw(); }
    show();
  };
  model.on("change:frame", changed);
  model.on("change:seats", draw);
  const sizes = new ResizeObserver(resize);
  sizes.observe(el);
  const themes = new MutationObserver(draw);
  themes.observe(document.body, { attributes: true });
  show();
  resize();
  return () => {
    model.off("change:frame", changed);
    model.off("change:seats", draw);
    sizes.disconnect();
    themes.disconnect();
    clearTimeout(silence);
  };
}

export default {
  initialize({ model }) {
    apply(model);
    model.on("change:frame", () => apply(model));
  },
  render,
};
