// Plots as SVG, drawn in pixels so that text keeps its size at any width.

const SPACE = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, text = "") {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== "") node.textContent = text;
  return node;
}

/** Round numbers, 1, 2 or 5 times a power of ten apart, from 0 to the first that is at least `most`. */
function ticks(most) {
  if (!(most > 0)) most = 1;
  const power = 10 ** Math.floor(Math.log10(most / 3));
  const step = [1, 2, 5, 10].map(r => r * power).find(s => most / s <= 3.5);
  const out = [];
  for (let i = 0; (i - 1) * step < most; ++i) out.push(i * step);
  return out;
}

/** 1, 2 and 5 times powers of ten, from the last below `least` to the first above `most`; of wide ranges the powers alone. */
function logTicks(least, most) {
  if (!(least > 0 && least < Infinity)) [least, most] = [1, 10];
  const all = [];
  for (let power = 10 ** Math.floor(Math.log10(least)); power <= most * 10; power *= 10) {
    for (const r of most / least > 30 ? [1] : [1, 2, 5]) all.push(Number((r * power).toPrecision(3)));
  }
  const from = Math.max(0, all.findLastIndex(v => v <= least)), to = all.findIndex(v => v >= most);
  const out = all.slice(from, to + 1);
  return out.length > 1 ? out : [out[0], out[0] * 2];
}

const clock = seconds => new Date(seconds * 1000).toTimeString().slice(0, 5);

/** Moves labels apart that would overlap; each is {y, ...}. */
function spread(labels, gap, top, bottom) {
  labels.sort((a, b) => a.y - b.y);
  for (let i = 1; i < labels.length; ++i) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + gap);
  let limit = bottom;
  for (let i = labels.length - 1; i >= 0; --i, limit -= gap) labels[i].y = Math.max(Math.min(labels[i].y, limit), top);
  return labels;
}

/** A plot over time in a <figure>: draw() again with each new point. */
export class TimePlot {
  constructor(figure, { format, longest, empty, log = false }) {
    Object.assign(this, { figure, format, longest, empty, log, series: [] });
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    figure.querySelector("figcaption").append(this.readout);
    this.node = svg("svg", { role: "img" });
    figure.append(this.node);
    this.node.addEventListener("pointermove", event => this.point(event));
    this.node.addEventListener("pointerleave", () => { this.at = null; this.draw(this.now, this.series); });
    new ResizeObserver(() => this.draw(this.now, this.series)).observe(figure);
  }

  point(event) {
    const x = event.clientX - this.node.getBoundingClientRect().left;
    this.at = this.now - this.window * (1 - (x - this.left) / (this.right - this.left));
    this.draw(this.now, this.series);
  }

  /** series: {name, style, points: [[seconds, value]], fill}; a value that is no number breaks the line. */
  draw(now, series) {
    if (now === undefined) return;
    Object.assign(this, { now, series });
    const first = Math.min(now, ...series.map(s => s.points[0]?.[0] ?? now));
    this.window = [60, 120, this.longest].find(w => now - first <= w) ?? this.longest;
    const width = this.figure.clientWidth, height = 168, top = 8, bottom = height - 22;
    this.left = 40;
    this.right = width - 84;
    const values = series.flatMap(s => s.points.map(p => p[1]).filter(Number.isFinite));
    const marks = this.log ? logTicks(Math.min(...values), Math.max(...values)) : ticks(Math.max(0, ...values));
    const begin = marks[0], end = marks.at(-1);
    const x = t => this.right - (now - t) / this.window * (this.right - this.left);
    const share = v => this.log ? Math.log(v / begin) / Math.log(end / begin) : v / end;
    const y = v => bottom - share(v) * (bottom - top);
    this.node.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const parts = [];
    for (const mark of marks) {
      parts.push(svg("line", { class: mark === begin ? "axis" : "grid", x1: this.left, x2: this.right, y1: y(mark), y2: y(mark) }));
      parts.push(svg("text", { class: "tick", x: this.left - 7, y: y(mark) + 4, "text-anchor": "end" }, this.format(mark)));
    }
    const every = [15, 30, 60, 120].find(s => s / this.window * (this.right - this.left) > 62) ?? 300;
    for (let t = Math.ceil((now - this.window) / every) * every; t <= now; t += every) {
      parts.push(svg("line", { class: "axis", x1: x(t), x2: x(t), y1: bottom, y2: bottom + 4 }));
      if (x(t) < this.right - 44) parts.push(svg("text", { class: "tick", x: x(t), y: height - 5, "text-anchor": "middle" }, every < 60 ? new Date(t * 1000).toTimeString().slice(0, 8) : clock(t)));
    }
    parts.push(svg("text", { class: "tick", x: this.right, y: height - 5, "text-anchor": "middle" }, "now"));
    const labels = [];
    for (const one of series) {
      const shown = one.points.filter(p => p[0] >= now - this.window);
      for (const run of runs(shown)) {
        const line = run.map(p => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`);
        if (one.fill) parts.push(svg("polygon", { class: `area ${one.style}`, points: [`${x(run[0][0])},${bottom}`, ...line, `${x(run.at(-1)[0])},${bottom}`].join(" ") }));
        parts.push(line.length > 1 ? svg("polyline", { class: `line ${one.style}`, points: line.join(" ") })
          : svg("circle", { class: `dot ${one.style}`, cx: x(run[0][0]), cy: y(run[0][1]), r: 2 }));
      }
      const last = shown.at(-1);
      if (last && Number.isFinite(last[1])) labels.push({ y: y(last[1]) + 4, name: one.name, style: one.style, value: last[1] });
    }
    const spoken = labels.map(l => `${l.name} ${this.format(l.value)}`);
    for (const l of spread(labels, 14, top + 4, bottom + 4)) {
      const text = svg("text", { class: `label ${l.style}`, x: this.right + 7, y: l.y }, `${l.name} `);
      text.append(svg("tspan", { class: "value" }, this.format(l.value)));
      parts.push(text);
    }
    if (labels.length === 0) {
      parts.push(svg("text", { class: "empty", x: (this.left + this.right) / 2, y: (top + bottom) / 2, "text-anchor": "middle" }, this.empty));
    }
    this.readout.textContent = this.at ? this.values(parts, x, top, bottom) : "";
    this.node.replaceChildren(...parts);
    const name = this.figure.querySelector("h2").textContent;
    this.node.setAttribute("aria-label", `${name}: ${spoken.length ? spoken.join(", ") : this.empty}`);
  }

  /** The values under the pointer, behind a line there. */
  values(parts, x, top, bottom) {
    const times = this.series.flatMap(s => s.points.map(p => p[0]));
    if (times.length === 0) return "";
    const nearest = times.reduce((a, b) => Math.abs(b - this.at) < Math.abs(a - this.at) ? b : a);
    parts.push(svg("line", { class: "pointer", x1: x(nearest), x2: x(nearest), y1: top, y2: bottom }));
    const of = s => s.points.find(p => p[0] === nearest)?.[1];
    const values = this.series.filter(s => Number.isFinite(of(s))).map(s => `${s.name} ${this.format(of(s))}`);
    return [new Date(nearest * 1000).toTimeString().slice(0, 8), ...values].join("  ");
  }
}

/** Neighbours that are numbers. */
function runs(points) {
  const out = [[]];
  for (const p of points) Number.isFinite(p[1]) ? out.at(-1).push(p) : out.push([]);
  return out.filter(run => run.length > 0);
}

/** A bar whose middle is the threshold; what is twice the threshold or more fills it. */
export function thresholdBar(value, threshold, strong) {
  const node = svg("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  node.append(svg("rect", { class: "track", x: 0, y: 3, width: 100, height: 4 }),
    svg("rect", { class: strong ? "fill strong" : "fill", x: 0, y: 3, width: Math.min(Math.max(value / threshold, 0) * 50, 100), height: 4 }),
    svg("rect", { class: "mark", x: 49.8, y: 0, width: .5, height: 10 }));
  return node;
}

/** A share of 1 and its interval. */
export function interval(low, estimate, high) {
  const node = svg("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  node.append(svg("rect", { class: "track", x: 0, y: 4.5, width: 100, height: 1 }),
    svg("rect", { class: "fill soft", x: low * 100, y: 2, width: (high - low) * 100, height: 6 }),
    svg("rect", { class: "fill", x: estimate * 100 - .4, y: 0, width: .8, height: 10 }));
  return node;
}

/** A share of a whole. */
export function shareBar(share) {
  const node = svg("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  node.append(svg("rect", { class: "track", x: 0, y: 3, width: 100, height: 4 }),
    svg("rect", { class: "fill", x: 0, y: 3, width: Math.min(Math.max(share, 0), 1) * 100, height: 4 }));
  return node;
}
