// Asks the server every two seconds and hands the answers to the parts of the page.
import { increase, isWork, parse, quantiles, Readings, samples, sum } from "./metrics.js";
import { TimePlot } from "./charts.js";
import { duration, figure, modelsOf, short, showAccuracy, showAlerts, showDrift, showEnergy, showModels } from "./panels.js";
import { TryBox } from "./try.js";

const EVERY = 2, WINDOW = 300, SLIDING = 20, SLOW_EVERY = 10; // seconds
const byId = id => document.getElementById(id);
const readings = new Readings(60);
const points = new Map(); // of the charts: name -> [[seconds, value], ...]
let key = "", paused = false, goneSince = null, slowAt = 0, asking = false;

class Refused extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

/** A request with the key. Throws Refused, or what fetch throws where nobody answers. */
async function request(path, options = {}) {
  const headers = { ...options.headers, ...key ? { Authorization: `Bearer ${key}` } : {} };
  const answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  if (answer.ok) return answer;
  const text = await answer.text();
  let message = text;
  try {
    const { error } = JSON.parse(text);
    message = error?.message ?? error;
  } catch { /* no JSON: the text itself */ }
  throw new Refused(answer.status, answer.status === 401 ? "This needs a key." : `${answer.status}: ${message || answer.statusText}`);
}

const json = async path => (await request(path)).json();

const trying = new TryBox((path, body, signal) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal }));

const plots = {
  requests: new TimePlot(byId("c-requests"), { format: short, longest: WINDOW, empty: "no requests yet" }),
  latency: new TimePlot(byId("c-latency"), { format: short, log: true, longest: WINDOW, empty: "no requests yet" }),
  queue: new TimePlot(byId("c-queue"), { format: short, longest: WINDOW, empty: "nothing waits" }),
  tokens: new TimePlot(byId("c-tokens"), { format: short, longest: WINDOW, empty: "no tokens yet" }),
};

function note(name, time, value) {
  if (!points.has(name)) points.set(name, []);
  const all = points.get(name);
  all.push([time, value]);
  while (all[0][0] < time - WINDOW) all.shift();
}

const codeStyle = code => code[0] === "5" ? "bad" : code[0] === "4" ? "dim" : "main";

function drawCharts(time) {
  const of = name => points.get(name) ?? [];
  const codes = [...points.keys()].filter(n => n.startsWith("code ")).map(n => n.slice(5)).sort();
  const busy = codes.filter(c => of(`code ${c}`).some(p => p[1] > 0));
  plots.requests.draw(time, busy.map(c => ({ name: c, style: codeStyle(c), points: of(`code ${c}`), fill: codeStyle(c) === "main" })));
  plots.latency.draw(time, ["p50", "p95", "p99"].map(name => ({ name, style: `main ${name}`, points: of(name) })));
  plots.queue.draw(time, [{ name: "in flight", style: "dim", points: of("flight") }, { name: "waiting", style: "main", points: of("waiting"), fill: true }]);
  plots.tokens.draw(time, [{ name: "tokens", style: "main", points: of("tokens"), fill: true }]);
}

/** Between the reading before and the last one. */
function addPoints({ time, metrics }) {
  const recent = readings.before(EVERY), sliding = readings.before(SLIDING);
  note("flight", time, sum(metrics, "suanli_requests_in_flight"));
  note("waiting", time, sum(metrics, "suanli_queue_size"));
  if (!recent) return;
  const rate = (name, by, wanted) => [...increase(recent.metrics, metrics, name, by, wanted)].map(([k, v]) => [k, v / (time - recent.time)]);
  const now = new Map(rate("suanli_requests_total", l => l.code, isWork));
  for (const code of now.keys()) if (!points.has(`code ${code}`)) points.set(`code ${code}`, []);
  for (const name of points.keys()) if (name.startsWith("code ")) note(name, time, now.get(name.slice(5)) ?? 0);
  note("tokens", time, new Map(rate("suanli_tokens_total", () => 0)).get(0) ?? 0);
  const of = quantiles(sliding.metrics, metrics, "suanli_request_duration_seconds", [.5, .95, .99], isWork);
  ["p50", "p95", "p99"].forEach((name, i) => note(name, time, of[i] * 1e3));
}

function showFigures({ time, metrics }) {
  const before = readings.before(10), minute = readings.before(60);
  figure("f-flight", short(sum(metrics, "suanli_requests_in_flight")), `· ${short(sum(metrics, "suanli_queue_size"))} waiting`);
  if (!before) return;
  const seconds = time - before.time;
  const codes = increase(before.metrics, metrics, "suanli_requests_total", l => l.code, isWork);
  const all = [...codes.values()].reduce((a, b) => a + b, 0);
  const bad = [...codes].filter(([code]) => code >= "400").reduce((a, [, n]) => a + n, 0);
  figure("f-requests", short(all / seconds), "/s");
  figure("f-errors", all > 0 ? short(100 * bad / all) : "0", "%");
  const [p50, p99] = quantiles(minute.metrics, metrics, "suanli_request_duration_seconds", [.5, .99], isWork);
  figure("f-p50", ...duration(p50));
  figure("f-p99", ...duration(p99));
  const tokens = increase(before.metrics, metrics, "suanli_tokens_total", () => 0).get(0) ?? 0;
  figure("f-tokens", short(tokens / seconds), "/s");
}

/** What takes longer to compute, and changes slowly. */
async function askSlowly(metrics) {
  const names = modelsOf(metrics).map(m => m.model);
  const of = (what, all) => Promise.all(all.map(name => json(`v2/models/${encodeURIComponent(name)}/${what}`)));
  const watched = modelsOf(metrics).filter(m => m.kind !== "causal_lm").map(m => m.model);
  const [drifts, energies] = await Promise.all([of("drift", watched), of("energy", names)]);
  showDrift(drifts);
  const minute = readings.before(60), joules = minute && increase(minute.metrics, metrics, "suanli_energy_joules_total", () => 0).get(0);
  showEnergy(energies, minute ? joules / (readings.last.time - minute.time) : NaN);
}

function showState(text, kind) {
  byId("state").className = `state ${kind}`;
  if (byId("state").textContent !== text) byId("state").textContent = text;
  document.body.classList.toggle("stale", kind === "off");
}

function say(id, shown) {
  byId(id).hidden = !shown;
}

async function look() {
  const text = await (await request("metrics")).text();
  const time = Date.now() / 1000, metrics = parse(text);
  readings.add(time, metrics);
  goneSince = null;
  say("gone", false);
  say("ask-key", false);
  addPoints(readings.last);
  showFigures(readings.last);
  drawCharts(time);
  showModels(readings.before(10), readings.last);
  showAccuracy(metrics);
  trying.offer(modelsOf(metrics));
  byId("updated").textContent = new Date(time * 1000).toTimeString().slice(0, 8);
  byId("about").textContent = `Suanli ${samples(metrics, "suanli_build_info")[0]?.labels.version ?? ""}`;
  const alerts = await json("v2/alerts");
  showAlerts(alerts);
  const firing = alerts.firing.length;
  showState(firing > 0 ? `${firing} ${firing === 1 ? "alert fires" : "alerts fire"}` : "Serving", firing > 0 ? "bad" : "on");
  if (time - slowAt >= SLOW_EVERY) {
    slowAt = time;
    await askSlowly(metrics);
  }
  document.body.classList.remove("fresh");
}

function failed(error) {
  if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
    byId("key-why").textContent = error.status === 403 ? "This key may not read the numbers: it lacks the scope metrics."
      : key ? "The server does not know this key." : "This server asks for a key.";
    if (byId("ask-key").hidden) { say("ask-key", true); byId("key").focus(); }
    say("gone", false);
    return showState("Needs a key", "off");
  }
  if (error instanceof Refused) return showState(error.message, "bad");
  if (!(error instanceof TypeError)) throw error;
  goneSince ??= new Date().toTimeString().slice(0, 8);
  const text = `No answer from the server since ${goneSince}. The page asks again every ${EVERY} seconds.`;
  if (byId("gone").textContent !== text) byId("gone").textContent = text;
  say("gone", true);
  showState("Gone", "off");
}

async function tick() {
  if (asking || paused || document.hidden) return;
  asking = true;
  try {
    await look();
  } catch (error) {
    failed(error);
  } finally {
    asking = false;
  }
}

byId("host").textContent = location.host;
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  if (paused) showState("Paused", "off"); else tick();
});
byId("theme").addEventListener("change", event => { document.documentElement.dataset.theme = event.target.value; });
byId("ask-key").addEventListener("submit", event => {
  event.preventDefault();
  key = byId("key").value.trim();
  byId("key").value = "";
  tick();
});
document.addEventListener("visibilitychange", tick);
setInterval(tick, EVERY * 1000);
tick();
