"""The page at /ui in headless Chromium: check_ui.py SUANLI MODEL_FOLDER [--more FOLDER ...] [--screenshots FOLDER]

Starts servers on free ports of this machine, sends them requests, and looks at the page as a person would: light, dark,
on a desk and on a phone; by keyboard alone; with alerts and without; with a key; after the server has gone. The page may
ask nobody but its server, break no rule of its Content-Security-Policy, log no error, and move nothing that is shown.
Needs playwright (PyPI) and Debian's chromium. `suanli monitor` says the same in the terminal."""
import argparse
import atexit
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

RULES = """rules:
  - {name: always, metric: suanli_build_info, above: 0.5, severity: info}
  - {name: many errors, metric: suanli_requests_total, labels: {code: "5.."}, rate: 1m, above: 1}
"""
PRICES = """date: 2025-03-01
source: a test
currency: EUR
price_per_kwh: 0.21
grams_co2_per_kwh: 380
idle_watts: 60
max_watts: 250
"""
WATCH = """() => {
  window.violations = [];
  window.shift = 0;
  document.addEventListener("securitypolicyviolation", e => window.violations.push(e.violatedDirective + " " + e.blockedURI));
  new PerformanceObserver(list => {
    for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value;
  }).observe({type: "layout-shift", buffered: true});
}"""


class Server:
    def __init__(self, suanli, folder, *more):
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")
        self.process = subprocess.Popen([suanli, "serve", *folder, "--port", "0", "--allow_root", *more], stderr=self.log)
        atexit.register(self.process.kill)
        for _ in range(1500):
            if found := re.search(r"serving at 127\.0\.0\.1:(\d+)", Path(self.log.name).read_text()):
                break
            assert self.process.poll() is None, Path(self.log.name).read_text()
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{found[1]}"

    def post(self, path, body):
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.process.returncode


@contextlib.contextmanager
def traffic(server, model):
    """A few requests at a time, some of them wrong, until the end."""
    ends = threading.Event()

    def send():
        for i in range(100_000):
            if ends.wait(0.02 + 0.03 * (i % 7 == 0)):
                return
            texts = [f"sentence {i} of {j + 1}" for j in range(1 + i % 4)]
            server.post("/embed", {"model": model, "inputs": texts if i % 25 else 7})

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ends.set()
        for thread in threads:
            thread.join()


class Page:
    """A page that is watched from its first moment."""

    def __init__(self, browser, url, width=1440, scheme="light"):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.origin, self.foreign, self.errors = url, [], []
        self.page.on("request", lambda r: r.url.startswith(url) or self.foreign.append(r.url))
        self.page.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.add_init_script(f"({WATCH})()")
        answer = self.page.goto(url + "/ui")
        assert "default-src 'none'" in answer.headers["content-security-policy"]

    def wait(self, selector, text, seconds=40):
        try:
            self.page.wait_for_function("([s, t]) => document.querySelector(s)?.textContent.includes(t)", arg=[selector, text],
                                        timeout=seconds * 1000)
        except Exception as error:
            raise AssertionError(f"{selector} never says {text!r}: {self.page.text_content(selector)!r}") from error

    def check(self, errors_allowed=()):
        assert not self.foreign, f"the page asks {self.foreign}"
        left = [e for e in self.errors if not any(a in e for a in errors_allowed)]
        assert not left, left
        assert self.page.evaluate("window.violations") == []
        shift = self.page.evaluate("window.shift")
        assert shift < 0.01, f"the layout moved by {shift}"
        wide = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], f"the page is {wide[0]} pixels wide in a window of {wide[1]}"

    def close(self):
        self.context.close()


def walk(page):
    """Every control by Tab alone, each with a ring that can be seen."""
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(40):  # once around, wherever it begins
        page.keyboard.press("Tab")
        focus = page.evaluate("""() => { const e = document.activeElement, s = getComputedStyle(e);
          return e === document.body ? null : [e.id || e.name || e.className, s.outlineStyle, parseFloat(s.outlineWidth)] }""")
        if focus is None:
            continue
        assert focus[1] != "none" and focus[2] >= 1, f"no ring around {focus[0]}"
        seen.append(focus[0])
    controls = page.evaluate("""[...document.querySelectorAll("button, select, input, textarea, a, [tabindex='0']")]
      .filter(e => !e.disabled && e.checkVisibility()).map(e => e.id || e.name || e.className)""")
    assert set(controls) <= set(seen), f"the keyboard does not reach {set(controls) - set(seen)}"
    unnamed = page.evaluate("""[...document.querySelectorAll("button, select, input, textarea")]
      .filter(e => !(e.labels?.length || e.textContent.trim())).map(e => e.id || e.name)""")
    assert not unnamed, f"no label: {unnamed}"
    return len(set(seen))


def check_try(page, model):
    page.page.select_option("#try-model", model)
    page.page.fill("textarea[name=first]", "A man plays the guitar.")
    page.page.fill("textarea[name=second]", "A man plays the guitar.")
    page.page.focus("#try-run")
    page.page.keyboard.press("Enter")
    page.wait("#try-result", "1.000")
    page.wait("#try-time", "ms")
    page.page.fill("textarea[name=second]", "word " * 2000)
    page.page.click("#try-run")
    page.wait("#try-result", "422")
    page.page.fill("textarea[name=second]", "Somebody makes music.")
    page.page.click("#try-run")
    page.wait("#try-result", "cosine")
    for other in page.page.eval_on_selector_all("#try-model option", "all => all.map(o => o.value)"):
        page.page.select_option("#try-model", other)
        page.page.click("#try-run")
        page.page.wait_for_function("""() => { const r = document.querySelector("#try-result");
          return !r.ariaBusy && r.innerText.length > 2 }""")
        assert page.page.query_selector("#try-result .failure") is None, (other, page.page.text_content("#try-result"))
        print(f"{other}: {page.page.inner_text('#try-result')[:60]!r}")
    page.page.select_option("#try-model", model)


def check_full(browser, suanli, folders, shots):
    with tempfile.TemporaryDirectory() as work:
        repository = Path(work) / "models"
        repository.mkdir()
        names = []
        for folder in folders:
            names.append(Path(folder).resolve().name)
            (repository / names[-1]).symlink_to(Path(folder).resolve())
        (Path(work) / "rules.yaml").write_text(RULES)
        (Path(work) / "prices.yaml").write_text(PRICES)
        server = Server(suanli, ["--model_repository", str(repository)], "--alert_rules", f"{work}/rules.yaml",
                        "--energy_prices", f"{work}/prices.yaml")
        with traffic(server, names[0]):
            light = Page(browser, server.url)
            dark = Page(browser, server.url, scheme="dark")
            phone = Page(browser, server.url, width=360)
            light.wait("#state", "1 alert fires")
            light.wait("#alerts", "always")
            light.wait("#models", names[0])
            light.wait("#drift", names[0])
            light.wait("#energy", "modelled")
            light.wait("#energy", "EUR")
            light.wait("#f-requests", "/s")
            check_try(light, names[0])
            print(f"{walk(light.page)} stops of the keyboard, each with a ring")
            time.sleep(25)
            labels = light.page.eval_on_selector_all("figure svg", "all => all.map(e => e.getAttribute('aria-label'))")
            assert all(re.search(r"\d", label) for label in labels), labels
            assert {"p50", "p95", "p99"} <= set(re.findall(r"p\d\d", labels[1])), labels
            assert "422" in labels[0], labels
            assert light.page.text_content("#f-errors").strip()[0] != "–"
            for name, page in (("light", light), ("dark", dark), ("phone", phone)):
                page.wait("#f-requests", "/s")
                page.check(["422"])
                page.page.screenshot(path=shots / f"{name}.png", full_page=True)
            paper = "getComputedStyle(document.body).backgroundColor"
            assert light.page.evaluate(paper) != dark.page.evaluate(paper)
            light.page.select_option("#theme", "dark")
            assert light.page.evaluate(paper) == dark.page.evaluate(paper), "the switch does what the system does"
            light.page.click("#pause")
            light.wait("#state", "Paused")
            light.page.click("#pause")
            light.wait("#state", "alert")
            check_terminal(suanli, server)
        server.process.kill()
        server.process.wait()
        light.wait("#gone", "No answer from the server since")
        light.wait("#state", "Gone")
        light.page.screenshot(path=shots / "gone.png")
        for page in (light, dark, phone):
            page.close()


def check_terminal(suanli, server):
    out = subprocess.run([suanli, "monitor", server.url, "--once"], capture_output=True, text=True, check=True,
                         env={**os.environ, "LC_ALL": "C"}).stdout
    assert "\033" not in out and out.isascii(), out
    for part in ("requests", "p99", "waiting", "tokens", "modelled", "always"):
        assert part in out, (part, out)
    assert float(re.search(r"requests +([\d.]+) /s", out)[1]) > 1, out
    lines = subprocess.run([suanli, "monitor", server.url + "/metrics", "--count", "2", "--interval", "0.5"],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 2 and all("p99_ms=" in line for line in lines), lines
    print(out)


def check_key(browser, suanli, folder, shots):
    made = subprocess.run([suanli, "keys", "--name", "page", "--scopes", "metrics"], capture_output=True, text=True, check=True)
    key = re.search(r"\S{40,}", made.stderr)[0]
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys, tempfile.NamedTemporaryFile("w") as secret:
        keys.write(made.stdout)
        keys.flush()
        server = Server(suanli, ["--model", folder, "--model_name", "encoder"], "--keys_file", keys.name)
        page = Page(browser, server.url, width=360)
        page.wait("#key-why", "asks for a key")
        page.page.screenshot(path=shots / "key.png")
        page.page.keyboard.type("wrong")
        page.page.keyboard.press("Enter")
        page.wait("#key-why", "does not know this key")
        page.page.fill("#key", key)
        page.page.keyboard.press("Enter")
        page.wait("#state", "Serving")
        page.wait("#alerts", "No rules")
        page.wait("#accuracy", "No labels yet")
        page.wait("#drift", "No baseline")
        page.wait("#energy", "unknown")
        assert page.page.is_hidden("#ask-key")
        page.page.click("#try-run")
        page.wait("#try-result", "403")  # the key lacks the scope infer
        stored = "[localStorage.length, sessionStorage.length, document.cookie, document.querySelector('#key').value]"
        assert page.page.evaluate(stored) == [0, 0, "", ""], "the key is kept somewhere"
        page.check(["401", "403"])
        refused = subprocess.run([suanli, "monitor", server.url, "--once"], capture_output=True, text=True)
        assert refused.returncode == 69 and "asks for a key" in refused.stderr, refused
        secret.write(key + "\n")
        secret.flush()
        subprocess.run([suanli, "monitor", server.url, "--once", "--api_key_file", secret.name], check=True, capture_output=True)
        page.close()
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("suanli")
    parser.add_argument("model")
    parser.add_argument("--more", nargs="*", default=[])
    parser.add_argument("--screenshots", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        shots = arguments.screenshots or Path(scratch)
        shots.mkdir(parents=True, exist_ok=True)
        program = shutil.which("chromium")
        assert program, "no chromium: apt-get install chromium"
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        check_full(browser, arguments.suanli, [arguments.model, *arguments.more], shots)
        check_key(browser, arguments.suanli, arguments.model, shots)
        browser.close()
    print("the page shows what the server does")


main()
