"""From the slices of a case to its figures."""
import statistics

from intervals import far_off, ratio_of


def peak_of(probe, precision):
    """The rate that a computation in `precision` could have: f32 instructions serve bf16 too."""
    return max(probe["f32"], probe.get(precision, 0))


def side_figures(case, slices):
    seconds = [s["seconds"] for s in slices]
    probes = [peak_of(s["probe"], case.precision) for s in slices]
    figures = {"median_seconds": statistics.median(seconds), "best_seconds": min(seconds), "seconds": seconds,
               "probes": probes, "peak_bytes": max(s["peak_bytes"] for s in slices)}
    if case.tokens:
        figures["tokens_per_second"] = statistics.median(
            case.of_turn(case.tokens, turn) / s for turn, s in enumerate(seconds))
    if case.operations:
        figures["share_of_peak"] = statistics.median(
            case.of_turn(case.operations, turn) / s / p for turn, (s, p) in enumerate(zip(seconds, probes)))
    return figures


def summarise(case, results, settings, agreement, failed, held):
    """The row of a case: figures of each side, each peer's ratio to Suanli (its seconds over Suanli's in the same
    repeat: above 1, Suanli is faster), and the peer with the least median among those that `held` names."""
    sides = {name: side_figures(case, slices) for name, slices in results.items()}
    every_probe = [p for figures in sides.values() for p in figures["probes"]]
    off = iter(far_off(every_probe))
    for name, figures in sides.items():
        figures["far_off"] = [next(off) for _ in figures["probes"]]
        figures["setting"], figures["agreement"] = settings.get(name), agreement.get(name)
        if name != "suanli" and "suanli" in sides:
            figures |= ratio_of(figures["seconds"], sides["suanli"]["seconds"])
            figures["ratio_of_best"] = figures["best_seconds"] / sides["suanli"]["best_seconds"]
            figures["times_the_memory"] = figures["peak_bytes"] / max(sides["suanli"]["peak_bytes"], 1)
    rivals = [name for name in sides if name != "suanli" and name in held]
    return {"case": case.name, "precision": case.precision, "sides": sides, "failed": failed,
            "tokens": statistics.mean(case.tokens) if case.tokens else None,
            "best_peer": min(rivals, key=lambda name: sides[name]["median_seconds"], default=None)}
