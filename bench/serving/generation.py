"""Texts written over HTTP by Suanli and by llama-cpp-python's server, in turns: tokens a second for one client and for several.
usage: generation.py --suanli BINARY --python PYTHON --model FOLDER --gguf FILE --format F32|Q8_0 [--clients 1,8] [--tokens N]
                     [--repeats N] [--threads N] [--json FILE]"""
import argparse
import concurrent.futures
import http.client
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from machine import machine  # noqa: E402
from servers import HOST, Kind, Server  # noqa: E402

PROMPTS = ["The history of the city begins", "A good way to learn to cook is", "The main parts of a bicycle are",
           "Once upon a time, in a small village,", "In physics, energy is", "The most important thing about sleep is",
           "To write a good letter, you should", "The ocean is home to"]
PRECISION = {"F32": "f32", "Q8_0": "int8"}


def write(server, prompt, tokens):
    """(the text, its tokens)"""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=300)
    body = {"model": "m", "prompt": prompt, "max_tokens": tokens, "temperature": 0, "seed": 1}
    if server.kind.name != "suanli":
        body["repeat_penalty"] = 1.0  # its default is 1.1, which is another text
    connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    if response.status != 200:
        raise SystemExit(f"error: {server.kind.name}: {answer}")
    return answer["choices"][0]["text"], answer["usage"]["completion_tokens"]


def rate(server, clients, tokens):
    """Tokens a second of `clients` that ask at once."""
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        begun = time.perf_counter()
        written = list(pool.map(lambda prompt: write(server, prompt, tokens), PROMPTS[:clients]))
        return sum(count for _, count in written) / (time.perf_counter() - begun)


def wait_for(server, longest=120):
    while time.perf_counter() < server.began + longest:
        try:
            return write(server, PROMPTS[0], 4)
        except OSError:
            if server.process.poll() is not None:
                raise SystemExit(f"error: {server.kind.name} ended: {server.last_lines()}") from None
            time.sleep(0.1)
    raise SystemExit(f"error: {server.kind.name} does not answer: {server.last_lines()}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("suanli", "python", "model", "gguf"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--format", choices=PRECISION, required=True)
    parser.add_argument("--clients", default="1,8")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json")
    args = parser.parse_args()
    root = ["--allow_root"] if os.geteuid() == 0 else []
    kinds = [
        Kind("suanli", lambda port: [args.suanli, "serve", "--model", args.model, "--model_name", "m", "--port", str(port),
                                     "--grpc_port", "-1", "--precision", PRECISION[args.format], *root],
             {"OMP_NUM_THREADS": str(args.threads)}),
        Kind("llama-cpp-python", lambda port: [args.python, "-m", "llama_cpp.server", "--model", args.gguf, "--host", HOST,
                                               "--port", str(port), "--n_ctx", "2048", "--n_threads", str(args.threads),
                                               "--n_threads_batch", str(args.threads)])]
    report = {"machine": machine(), "format": args.format, "tokens": args.tokens, "rates": {}}
    with Server(kinds[0]) as ours, Server(kinds[1]) as theirs:
        for server in (ours, theirs):
            wait_for(server)
        same = [write(ours, p, 32)[0] == write(theirs, p, 32)[0] for p in PROMPTS]
        report["same_texts_of_32_tokens"] = f"{sum(same)} of {len(same)}"
        for clients in map(int, args.clients.split(",")):
            rates = {server.kind.name: [] for server in (ours, theirs)}
            for _ in range(args.repeats):
                for server, other in ((ours, theirs), (theirs, ours)):
                    other.pause()
                    rates[server.kind.name].append(rate(server, clients, args.tokens))
                    other.resume()
            ratios = [a / b for a, b in zip(*rates.values())]
            report["rates"][clients] = {name: statistics.median(values) for name, values in rates.items()} | {
                "ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
            print(clients, report["rates"][clients], file=sys.stderr, flush=True)
        report["memory"] = {server.kind.name: server.memory()["resident"] for server in (ours, theirs)}
    text = json.dumps(report, indent=1)
    print(text)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            f.write(text + "\n")


main()
