"""Who serves: Suanli and its peers, each as its users start it, and one running process of any of them."""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import Callable

from session import Refused

PEERS_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers")
HOST = "127.0.0.1"
SENTENCE = "A warm and funny film."


@dataclass
class Kind:
    """How a server is started and asked. The command is what `command(port)` returns."""
    name: str
    command: Callable[[int], list]
    environment: dict = field(default_factory=dict)
    path: str = "/embed"
    body: Callable[[list], dict] = lambda texts: {"inputs": texts}
    vectors: Callable[[object], list] = lambda answer: answer


def suanli(binary, model, *more):
    root = ["--allow_root"] if os.geteuid() == 0 else []
    return Kind("suanli", lambda port: [binary, "serve", "--model", model, "--port", str(port), *root, *more])


def peers(python, infinity, model, onnx):
    """sentence-transformers, ONNX Runtime and, where it is installed, infinity."""
    base = {"MODEL": model, "ONNX": onnx, "HF_HUB_OFFLINE": "1"}

    def uvicorn(name, module):
        return Kind(name, lambda port: [python, "-m", "uvicorn", f"{module}:app", "--app-dir", PEERS_FOLDER, "--host", HOST,
                                        "--port", str(port), "--no-access-log"], base)

    found = [uvicorn("sentence-transformers", "sentence_transformers_server"),
             uvicorn("ONNX Runtime", "onnxruntime_server")]
    if infinity:
        name = os.path.basename(os.path.normpath(model))
        found.append(Kind(
            "infinity", lambda port: [infinity, "v2", "--model-id", model, "--served-model-name", name, "--engine", "torch",
                                      "--device", "cpu", "--host", HOST, "--port", str(port)], {"HF_HUB_OFFLINE": "1"},
            path="/embeddings", body=lambda texts: {"model": name, "input": texts},
            vectors=lambda answer: [row["embedding"] for row in answer["data"]]))
    return found


def free_port():
    with contextlib.closing(socket.create_server((HOST, 0))) as free:
        return free.getsockname()[1]


class Server:
    """A process of a kind, started by the constructor. Use as a context: it ends with it."""

    def __init__(self, kind):
        self.kind, self.port, self.log = kind, free_port(), tempfile.TemporaryFile("w+")
        self.began = time.perf_counter()
        self.process = subprocess.Popen(kind.command(self.port), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, **kind.environment}, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def url(self):
        return f"http://{HOST}:{self.port}{self.kind.path}"

    def first_answer(self, text, longest=120):
        """Seconds from the start of the process to its answer. Throws Refused where it ends or takes longer."""
        while time.perf_counter() < self.began + longest:
            try:
                self.ask([text])
                return time.perf_counter() - self.began
            except OSError:
                if self.process.poll() is not None:
                    raise Refused(f"the server ended: {self.last_lines()}") from None
                time.sleep(0.002)
        raise Refused(f"no answer within {longest} s: {self.last_lines()}")

    def ask(self, texts):
        """The vectors of the texts, asked over a connection of its own."""
        with contextlib.closing(http.client.HTTPConnection(HOST, self.port, timeout=120)) as connection:
            connection.request("POST", self.kind.path, json.dumps(self.kind.body(texts)),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        if response.status != 200:
            raise Refused(f"status {response.status}: {content[:200]}")
        return self.kind.vectors(json.loads(content))

    def last_lines(self):
        self.log.seek(0)
        return " | ".join(self.log.read().strip().splitlines()[-3:])

    def memory(self):
        """Resident bytes: all, and those of no file."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            sizes = {line.split(":")[0]: line.split()[1] for line in f if line.startswith(("VmRSS:", "RssAnon:"))}
        return {"resident": 1024 * int(sizes["VmRSS"]), "anonymous": 1024 * int(sizes["RssAnon"])}

    def pause(self):
        """Stops it where it stands: nobody's idle threads take from who is measured."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def settle(self, longest=60):
        """Waits until it no longer computes what clients left behind: under a fifth of a core in 0.2 s."""
        end, used = time.monotonic() + longest, self.cpu_ticks()
        while time.monotonic() < end:
            time.sleep(0.2)
            before, used = used, self.cpu_ticks()
            if used - before < 0.2 * 0.2 * os.sysconf("SC_CLK_TCK"):
                return

    def cpu_ticks(self):
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        except OSError:
            raise Refused(f"the server ended: {self.last_lines()}") from None

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.resume()
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
