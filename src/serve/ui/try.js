// The box that tries a model: what it asks depends on what the model does.
import { element, short } from "./panels.js";
import { shareBar } from "./charts.js";

const byId = id => document.getElementById(id);
const percent = share => `${(share * 100).toFixed(1)} %`;

const area = (name, label, value, rows = 3) =>
  element("label", {}, label, element("textarea", { name, rows, maxlength: 20000, required: "" }, value));

/** Label and share, one a line, with a bar. */
function shares(list) {
  return element("ul", { class: "shares" }, ...list.map(({ label, score }) =>
    element("li", {}, element("span", {}, label), element("span", { class: "n" }, percent(score)), shareBar(score))));
}

/** A text with marks; offsets count code points. */
function marked(text, entities) {
  const points = [...text], parts = [];
  let at = 0;
  for (const { start, end, entity_group: group, score } of entities) {
    parts.push(points.slice(at, start).join(""), element("mark", { title: percent(score) }, points.slice(start, end).join(""), element("small", {}, group)));
    at = end;
  }
  return element("p", { class: "marked" }, ...parts, points.slice(at).join(""));
}

/** One text to POST .../infer; gives what the model said in JSON. */
async function infer(ask, model, text) {
  const inputs = [{ name: "text", datatype: "BYTES", shape: [1], data: [text] }];
  const answer = await ask(`v2/models/${encodeURIComponent(model)}/infer`, { inputs });
  return { answer, said: JSON.parse((await answer.json()).outputs[0].data[0]) };
}

const KINDS = {
  embedding: {
    fields: () => [area("first", "One text", "How do I change my PIN?", 2), area("second", "Another", "I want a new code for my card.", 2)],
    async run(ask, model, { first, second }) {
      const answer = await ask("similarity", { model, inputs: { source_sentence: first, sentences: [second] } });
      const [cosine] = await answer.json();
      return { answer, show: [element("p", { class: "big" }, cosine.toFixed(3), element("small", {}, " cosine of the two")), shareBar(cosine)] };
    },
  },
  classification: {
    fields: () => [area("text", "Text", "A film that one wants to see again.")],
    async run(ask, model, { text }) {
      const answer = await ask("predict", { model, inputs: text });
      const labels = (await answer.json()).slice(0, 5);
      return { answer, show: [shares(labels)] };
    },
  },
  token_classification: {
    fields: () => [area("text", "Text", "Ada Lovelace lived in London.")],
    async run(ask, model, { text }) {
      const { answer, said } = await infer(ask, model, text);
      return { answer, show: [marked(text, said), ...said.length ? [] : [element("p", { class: "none" }, "Nothing is tagged.")]] };
    },
  },
  fill_mask: {
    fields: () => [area("text", "Text with [MASK], or the model’s own mask", "The capital of France is [MASK].")],
    async run(ask, model, { text }) {
      const { answer, said } = await infer(ask, model, text);
      const masks = Array.isArray(said[0]) ? said : [said];
      return { answer, show: masks.map(m => shares(m.map(f => ({ label: f.token_str, score: f.score })))) };
    },
  },
  causal_lm: {
    fields: () => [area("text", "Beginning of a text", "Once upon a time", 3),
      element("label", {}, "Tokens at most ", element("input", { name: "most", type: "number", min: 1, max: 1024, value: 64 }))],
    async run(ask, model, { text, most }, grow) {
      const answer = await ask("v1/completions", { model, prompt: text, max_tokens: Number(most), stream: true });
      await events(answer.body, event => grow(event.choices?.[0]?.text ?? ""));
      return { answer, show: null };
    },
  },
};

/** Calls `take` with the JSON of each server-sent event. */
async function events(body, take) {
  let rest = "";
  for (const reader = body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") take(JSON.parse(line.slice(6)));
    }
  }
}

/** ask(path, body, signal): a POST with the key. Throws an Error whose message says what went wrong. */
export class TryBox {
  constructor(ask) {
    this.ask = ask;
    this.models = "";
    byId("try-model").addEventListener("change", () => this.choose());
    byId("try").addEventListener("submit", event => { event.preventDefault(); this.run(); });
    byId("try-stop").addEventListener("click", () => this.stop.abort());
  }

  /** What is loaded; the choice and the texts stay. */
  offer(models) {
    const seen = JSON.stringify(models.map(m => [m.model, m.kind]));
    if (seen === this.models) return;
    this.models = seen;
    const select = byId("try-model"), before = select.value;
    this.kinds = new Map(models.map(m => [m.model, m.kind]));
    select.replaceChildren(...models.length ? models.map(m => element("option", {}, m.model)) : [element("option", {}, "none is loaded")]);
    select.disabled = models.length === 0;
    if (this.kinds.has(before)) select.value = before;
    this.choose();
  }

  choose() {
    const kind = this.kinds.get(byId("try-model").value);
    if (kind !== this.kind) {
      this.kind = kind;
      const fields = KINDS[kind]?.fields() ?? [element("p", { class: "none" }, kind ? `No box for this kind of model: ${kind}.` : "")];
      byId("try-fields").replaceChildren(...fields);
      byId("try-result").replaceChildren();
      byId("try-time").textContent = "";
    }
    byId("try-run").disabled = !(kind in KINDS);
  }

  async run() {
    const result = byId("try-result"), button = byId("try-run"), stop = byId("try-stop");
    const begun = performance.now();
    this.stop = new AbortController();
    button.disabled = true;
    stop.hidden = this.kind !== "causal_lm";
    byId("try-time").textContent = "";
    result.setAttribute("aria-busy", "true");
    const text = element("p", { class: "written" });
    const grow = part => {
      if (!text.isConnected) result.replaceChildren(text);
      text.append(part);
    };
    try {
      const ask = (path, body) => this.ask(path, body, this.stop.signal);
      const { answer, show } = await KINDS[this.kind].run(ask, byId("try-model").value, Object.fromEntries(new FormData(byId("try"))), grow);
      if (show) result.replaceChildren(...show);
      const model = answer.headers.get("x-inference-time"), all = short(performance.now() - begun);
      byId("try-time").textContent = `${all} ms${model === null ? "" : `, ${model} ms of them in the model`}`;
    } catch (error) {
      if (error.name === "AbortError") byId("try-time").textContent = "stopped";
      else result.replaceChildren(element("p", { class: "failure" }, error.message));
    }
    result.removeAttribute("aria-busy");
    stop.hidden = true;
    button.disabled = false;
  }
}
