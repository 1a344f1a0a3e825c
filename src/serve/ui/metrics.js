// Prometheus' text format, and what two readings of it say together.

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED = { n: "\n", '"': '"', "\\": "\\" };

function number(text) {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

/** Samples by the name of their metric: {labels, key, value}; the key is the text of the labels. */
export function parse(text) {
  const all = new Map();
  for (const line of text.split("\n")) {
    if (line === "" || line[0] === "#") continue;
    const found = LINE.exec(line);
    if (!found) throw new Error(`no metric: ${line.slice(0, 60)}`);
    const [, name, key = "", value] = found;
    const labels = {};
    for (const [, label, quoted] of key.matchAll(LABEL)) labels[label] = quoted.replace(/\\(.)/g, (_, c) => ESCAPED[c] ?? c);
    if (!all.has(name)) all.set(name, []);
    all.get(name).push({ labels, key, value: number(value) });
  }
  return all;
}

export const samples = (metrics, name) => metrics.get(name) ?? [];

export function sum(metrics, name, wanted = () => true) {
  return samples(metrics, name).reduce((total, s) => total + (wanted(s.labels) ? s.value : 0), 0);
}

/** How much a counter has grown between two readings, summed by `by(labels)`. One that fell has begun again at 0. */
export function increase(before, after, name, by, wanted = () => true) {
  const old = new Map(samples(before, name).map(s => [s.key, s.value]));
  const out = new Map();
  for (const { labels, key, value } of samples(after, name)) {
    if (!wanted(labels)) continue;
    const was = old.get(key) ?? 0, group = by(labels);
    out.set(group, (out.get(group) ?? 0) + (value >= was ? value - was : value));
  }
  return out;
}

/** As histogram_quantile of PromQL: linear within a bucket. `buckets` maps upper bounds to counts; NaN without any. */
export function quantile(q, buckets) {
  const rising = [...buckets].map(([bound, count]) => [number(bound), count]).sort((a, b) => a[0] - b[0]);
  const all = rising.at(-1)?.[1] ?? 0;
  if (!(all > 0) || rising.length < 2) return NaN;
  const rank = q * all;
  let at = rising.findIndex(([, count]) => count >= rank);
  if (at === rising.length - 1) return rising[at - 1][0];
  const [end, count] = rising[at];
  const [begin, below] = at === 0 ? [0, 0] : rising[at - 1];
  return count === below ? begin : begin + (end - begin) * (rank - below) / (count - below);
}

/** Quantiles of a histogram's growth, those of series that are wanted together. */
export function quantiles(before, after, name, qs, wanted) {
  const buckets = increase(before, after, `${name}_bucket`, labels => labels.le, wanted);
  return qs.map(q => quantile(q, buckets));
}

// Routes that look at the server: what this page itself asks would drown a quiet service.
const LOOKS = /^$|^\/(metrics|ui|health|ping|api-doc|v2$|v2\/health|v2\/alerts)|\/(ready|stats|drift|energy)$/;
export const isWork = labels => !LOOKS.test(labels.route ?? "");

/** The last readings, with their times in seconds. */
export class Readings {
  constructor(keep) { this.keep = keep; this.all = []; }
  add(time, metrics) {
    this.all.push({ time, metrics });
    while (this.all.length > 2 && this.all[1].time <= time - this.keep) this.all.shift();
  }
  get last() { return this.all.at(-1); }
  /** The reading that is `seconds` older than the last one, or the first; null before there are two. */
  before(seconds) {
    if (this.all.length < 2) return null;
    return this.all.findLast(r => r.time <= this.last.time - seconds + 0.5) ?? this.all[0];
  }
}
