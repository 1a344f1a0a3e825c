"""More than the server can take: ten times its peak is offered; what is refused, how fast, and what is still done."""
import statistics

from session import Refused

from serving.load import Case, rate_of, wrk, write_bodies
from serving.servers import Server, suanli

BATCH = 8
IN_FLIGHT = 16     # requests; as many wait for the model at most
CONNECTIONS = 144  # IN_FLIGHT of them wait for answers, the others offer
TIMES = 10


def kind_of(binary, model):
    return suanli(binary, model, "--max_concurrent_requests", str(IN_FLIGHT), "--max_queue_size", str(IN_FLIGHT),
                  "--max_connections_per_address", str(2 * CONNECTIONS))


def measure(binary, model, sentences, work, repeats, seconds):
    """The peak is that of a closed loop of IN_FLIGHT connections; it and the overload take turns."""
    kind = kind_of(binary, model)
    bodies = write_bodies(kind, sentences, BATCH, work)
    with Server(kind) as server:
        server.first_answer(sentences[0])
        seconds = Case(BATCH, IN_FLIGHT).seconds(seconds, rate_of(server, sentences[:32]))
        turns = [turn(server, bodies, seconds) for _ in range(repeats)]
    median = lambda key: statistics.median(t[key] for t in turns)
    return {key: median(key) for key in turns[0] if key != "answers"} | {
        "batch": BATCH, "in_flight": IN_FLIGHT, "connections": CONNECTIONS, "seconds": seconds, "turns": turns}


def turn(server, bodies, seconds):
    calm = wrk("load.lua", server.url(), 1, IN_FLIGHT, seconds, bodies)
    server.settle()
    peak = (calm["requests"] - calm["refused"]) / calm["seconds"]
    if peak == 0:
        raise Refused("nothing was answered at the peak")
    period = (CONNECTIONS - IN_FLIGHT) / (TIMES * peak)
    found = wrk("overload.lua", server.url(), CONNECTIONS, CONNECTIONS, seconds, bodies, period)
    server.settle()
    taken, refused = found["taken"], found["refused"]
    offered = taken["count"] + refused["count"] + found["other"] + found["failed"]
    return {"peak": peak, "offered": offered / found["seconds"], "goodput": taken["count"] / found["seconds"],
            "times_the_peak": offered / found["seconds"] / peak, "share_of_peak": taken["count"] / found["seconds"] / peak,
            "p50_refused": refused["p50"], "p99_refused": refused["p99"], "p50_taken": taken["p50"], "p99_taken": taken["p99"],
            "refused_at_peak": calm["refused"], "errors": found["other"] + found["failed"] + calm["failed"], "answers": found}
