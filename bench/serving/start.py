"""From the start of a process to its first answer, and what it keeps in memory at rest. Servers take turns."""
import statistics
import time

from session import Refused

from serving.servers import SENTENCE, Server


def start(kind):
    """(server, figures): answered once, at rest."""
    server = Server(kind)
    try:
        seconds = server.first_answer(SENTENCE)
        server.settle()
        time.sleep(0.2)
        return server, {"seconds": seconds, **server.memory()}
    except BaseException:
        server.close()
        raise


def measure(kinds, repeats, rng):
    """(servers of the last repeat, paused; {name: figures}; {name: why it is left out})."""
    servers, found, failed = [], {kind.name: [] for kind in kinds}, {}
    for repeat in range(repeats):
        order = [kind for kind in kinds if kind.name not in failed]
        rng.shuffle(order)
        for kind in order:
            try:
                server, figures = start(kind)
            except Refused as error:
                failed[kind.name] = str(error)
                del found[kind.name]
                continue
            found[kind.name].append(figures)
            if repeat < repeats - 1:
                server.close()
            else:
                server.pause()
                servers.append(server)
    medians = {name: {key: statistics.median(f[key] for f in figures) for key in figures[0]} | {"starts": figures}
               for name, figures in found.items()}
    return servers, medians, failed
