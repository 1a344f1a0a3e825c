"""What the server adds to the bare model: one request of 16 tokens over a kept connection beside `suanli bench session`
with the same 16 tokens, in turns. A third side is a server that does nothing: the cost of client and kernel."""
import json
import multiprocessing
import os
import socket
import statistics
import time

from agreement import disagreement
from intervals import ratio_of
from session import Refused, Session

from serving.servers import HOST

WORDS = "the film was a warm and funny story of two friends in the city"  # one token each
TOKENS = 16
TURNS = 50  # of a slice: a server may end a connection after some hundreds of requests
WARM_UP = 5


class Connection:
    """A kept connection; `ask` is one request from bytes to bytes."""

    def __init__(self, port, path, body):
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = (f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def ask(self):
        self.socket.sendall(self.request)
        return received(self.socket)

    def seconds(self, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.ask()
            times.append(time.perf_counter() - start)
        return times


def received(connection):
    """One message with its head, of a known length."""
    data = connection.recv(65536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += more(connection)
    length = int(data[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(data) < end + 4 + length:
        data += more(connection)
    return data


def more(connection):
    part = connection.recv(65536)
    if not part:
        raise Refused("the connection ended within an answer")
    return part


def answer_always(listener, answer):
    while True:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(65536):  # the request is small: it comes in one piece
                connection.sendall(answer)


def token_ids(model):
    with open(os.path.join(model, "vocab.txt"), encoding="utf-8") as f:
        ids = {token: i for i, token in enumerate(f.read().split("\n"))}
    found = [ids[token] for token in ["[CLS]", *WORDS.split(), "[SEP]"]]
    assert len(found) == TOKENS
    return found


def measure(server, binary, model, work, repeats):
    """Medians of repeats x TURNS requests, in seconds; `server` is Suanli's, paused before and afterwards."""
    file = os.path.join(work, "sixteen.json")
    with open(file, "w", encoding="utf-8") as f:
        json.dump({"sequences": [token_ids(model)]}, f)
    body = json.dumps(server.kind.body([WORDS]))
    with Session([binary, "bench", "session"], {}) as bare, socket.create_server((HOST, 0)) as listener:
        bare.ask(do="open", kind="infer", model=model, precision="f32", work=file)
        server.resume()
        answer = Connection(server.port, server.kind.path, body).ask()
        text, _ = disagreement(bare.ask(do="answers"), {"vectors": server.ask([WORDS])}, "f32")
        if text:
            raise Refused(f"the server's answer is not the model's: {text}")
        nothing = multiprocessing.Process(target=answer_always, args=(listener, answer), daemon=True)
        nothing.start()
        try:
            return in_turns(server, bare, listener.getsockname()[1], body, repeats)
        finally:
            nothing.kill()
            nothing.join()
            server.pause()


def in_turns(server, bare, nothing, body, repeats):
    def over_connection(port):
        connection = Connection(port, server.kind.path, body)
        connection.seconds(WARM_UP)
        return connection.seconds(TURNS)

    times = {"request": [], "model": [], "nothing": []}
    for _ in range(repeats):
        times["nothing"].append(over_connection(nothing))
        server.resume()
        times["request"].append(over_connection(server.port))
        server.settle()
        server.pause()
        times["model"].append(bare.ask(do="run", first=0, count=WARM_UP + TURNS)["seconds"][WARM_UP:])
        bare.settle()
    medians = {name: [statistics.median(slice) for slice in slices] for name, slices in times.items()}
    found = {name: statistics.median(t for slice in slices for t in slice) for name, slices in times.items()}
    return found | {"requests": repeats * TURNS, "added": found["request"] - found["model"],
                    **ratio_of(medians["request"], medians["model"])}
