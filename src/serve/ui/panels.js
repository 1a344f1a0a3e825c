// The parts of the page below the charts: each is built anew from what the server said.
import { increase, isWork, quantiles, samples, sum } from "./metrics.js";
import { interval, thresholdBar } from "./charts.js";

/** element("p", {class: "soft"}, "text", otherElement) */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const none = text => element("p", { class: "none" }, text);
const byId = id => document.getElementById(id);
const words = name => name.replaceAll("_", " ");

/** 1234567 as 1.23 M, 0.05 as 0.05: three digits that matter. */
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  for (const [limit, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= limit) return `${Number((value / (limit === 1e4 ? 1e3 : limit)).toPrecision(3))} ${unit}`;
  }
  if (size >= 100 || size === 0) return String(Math.round(value));
  return String(Number(value.toPrecision(size >= 10 ? 3 : 2)));
}

/** Seconds as [number, unit]. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return ["–", ""];
  if (seconds < 1e-3) return [short(seconds * 1e6), "µs"];
  return seconds < 1 ? [short(seconds * 1e3), "ms"] : [short(seconds), "s"];
}

const joules = value => value > 0 && value < 1 ? `${short(value * 1e3)} mJ` : value < 1e4 ? `${short(value)} J` : value < 1e6 ? `${short(value / 1e3)} kJ` : `${short(value / 1e6)} MJ`;

function ago(seconds) {
  const passed = Math.max(0, Date.now() / 1000 - seconds);
  if (passed < 90) return `${Math.round(passed)} s`;
  return passed < 5400 ? `${Math.round(passed / 60)} min` : `${Math.round(passed / 3600)} h`;
}

/** Puts `nodes` in the place of what is there only where that changes something: a reader hears no echo. */
export function replace(id, ...nodes) {
  const place = byId(id), fresh = element("div", {}, ...nodes);
  if (place.innerHTML !== fresh.innerHTML) place.replaceChildren(...fresh.childNodes);
}

/** "3.2" with a small "ms" behind. */
export function figure(id, value, unit) {
  replace(id, value, element("small", {}, ` ${unit}`));
}

/** Names, kinds and versions of the models that are loaded. */
export function modelsOf(metrics) {
  return samples(metrics, "suanli_model_info").map(s => s.labels).sort((a, b) => a.model < b.model ? -1 : 1);
}

export function showModels(before, last) {
  const rows = modelsOf(last.metrics).map(({ model, kind, version }) => {
    const own = labels => labels.model === model;
    const seconds = before ? last.time - before.time : NaN;
    const grown = (name, wanted = own) => before ? [...increase(before.metrics, last.metrics, name, () => 0, wanted).values()][0] ?? 0 : NaN;
    const [p95] = before ? quantiles(before.metrics, last.metrics, "suanli_request_duration_seconds", [.95], l => own(l) && isWork(l)) : [NaN];
    const batches = grown("suanli_batch_size_count");
    return element("tr", {}, element("th", { scope: "row" }, model), element("td", {}, words(kind)), ...[
      version, short(grown("suanli_requests_total", l => own(l) && isWork(l)) / seconds), duration(p95).join(" ").trim(),
      short(grown("suanli_tokens_total") / seconds), batches > 0 ? short(grown("suanli_batch_size_sum") / batches) : "–",
      short(sum(last.metrics, "suanli_queue_size", own))].map(text => element("td", { class: "n" }, text)));
  });
  if (rows.length === 0) rows.push(element("tr", {}, element("td", { colspan: 8, class: "none" }, "No model is loaded.")));
  replace("models", ...rows);
}

/** drifts: what /v2/models/M/drift says of each model. */
export function showDrift(drifts) {
  const parts = [];
  for (const { model_name: name, baseline, scores } of drifts) {
    parts.push(element("h3", {}, name));
    if (!baseline) { parts.push(none("No baseline: train with suanli to get baseline_profile.json in the model’s folder.")); continue; }
    if (scores.length === 0) { parts.push(none("Each feature is judged from 100 values on.")); continue; }
    const rows = scores.map((s, i) => element("tr", s.drifted ? { class: "drifted" } : {},
      element("th", { scope: "row" }, i > 0 && scores[i - 1].feature === s.feature ? "" : words(s.feature)),
      element("td", {}, words(s.test)),
      element("td", { class: "bars" }, ...s.threshold > 0 && s.statistic !== null ? [thresholdBar(s.statistic, s.threshold, s.drifted)] : ["by its p-value"]),
      element("td", { class: "n" }, s.statistic === null ? "–" : short(s.statistic)),
      element("td", { class: "n soft" }, s.threshold > 0 ? short(s.threshold) : `p ${s.p_value === null ? "–" : short(s.p_value)}`),
      element("td", {}, s.drifted ? "drift" : "")));
    const head = ["Feature", "Test", "", "Score", "Limit", ""].map((text, i) => element("th", { scope: "col", ...(i === 3 || i === 4 ? { class: "n" } : {}) }, text));
    parts.push(element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Drift of ${name}` },
      element("table", { class: "drift" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows))));
  }
  replace("drift", ...parts.length ? parts : [none("No model is loaded.")]);
}

export function showAlerts({ rules, firing, recent }) {
  const parts = [];
  if (rules.length === 0) {
    parts.push(none("No rules. Start the server with --alert_rules."));
  } else if (firing.length === 0) {
    parts.push(none(`${rules.length} ${rules.length === 1 ? "rule is" : "rules are"} watched; none fires.`));
  }
  if (firing.length > 0) {
    parts.push(element("ul", { class: "firing" }, ...firing.map(a => element("li", {},
      element("strong", {}, a.rule), element("span", { class: "soft" }, ` ${a.severity} · for ${ago(a.since)}`), element("p", {}, a.message)))));
  }
  if (recent.length > 0) {
    parts.push(element("ul", { class: "recent" }, ...recent.slice(0, 6).map(a => element("li", {},
      element("time", {}, new Date(a.time * 1000).toTimeString().slice(0, 8)), ` ${a.rule} `, element("span", { class: "soft" }, a.status)))));
  }
  replace("alerts", ...parts);
}

export function showAccuracy(metrics) {
  const of = (model, bound) => samples(metrics, "suanli_live_accuracy").find(s => s.labels.model === model && s.labels.bound === bound)?.value;
  const percent = share => `${(share * 100).toFixed(1)} %`;
  const parts = samples(metrics, "suanli_feedback_labelled").flatMap(({ labels: { model }, value }) => {
    const [low, estimate, high] = ["low", "estimate", "high"].map(bound => of(model, bound));
    return [element("p", { class: "measure" }, element("span", {}, model), element("strong", {}, percent(estimate))), interval(low, estimate, high),
      element("p", { class: "soft" }, `${short(value)} labels; 95 % interval ${percent(low)} to ${percent(high)}`)];
  });
  replace("accuracy", ...parts.length ? parts : [none("No labels yet. Send them to /v2/models/M/feedback.")]);
}

/** energies: what /v2/models/M/energy says of each model; watts: of the machine, or NaN. */
export function showEnergy(energies, watts) {
  const parts = [];
  for (const e of energies) {
    parts.push(element("p", { class: "measure" }, element("span", {}, e.model_name, element("small", { class: "badge" }, e.source)),
      element("strong", {}, e.joules === null ? "unknown" : joules(e.joules))));
    const terms = [];
    if (e.joules_per_token !== null) terms.push(`${joules(e.joules_per_token)} a token`);
    if (e.cost !== null) terms.push(`${short(e.cost)} ${e.currency}`);
    if (e.co2_kg !== null) terms.push(`${short(e.co2_kg * 1e3)} g CO₂e`);
    if (terms.length) parts.push(element("p", { class: "soft" }, terms.join(" · ")));
    if (e.cost === null) parts.push(element("p", { class: "soft" }, e.joules === null ? e.how : "No prices: start the server with --energy_prices."));
  }
  const last = [Number.isFinite(watts) ? `The machine takes ${short(watts)} W now.` : "", energies[0]?.table_date ? `Prices of ${energies[0].table_date}.` : ""];
  if (last.join("")) parts.push(element("p", { class: "soft apart" }, last.join(" ").trim()));
  replace("energy", ...parts.length ? parts : [none("No model is loaded.")]);
}
