"""The figures of serve.py as Markdown."""
from report import cells


def ms(seconds):
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:,.0f}"


def mb(size):
    return f"{size / 1e6:,.0f}"


def heading(report):
    m = report["machine"]
    return (f"{m['cpu']}, {m['cores']} cores, {' '.join(m['isa'])}; wrk on the same cores; {report['repeats']} repeats of "
            f"{report['seconds']:g} s; load {report['load_average'][0]:.1f}, stolen {report['stolen_seconds']:.1f} s of "
            f"{report['wall_seconds']:.0f} s. " + "; ".join(f"{k} {v}" for k, v in report["versions"].items()) + ".")


def start(report):
    lines = [cells("server", "start to first answer, ms", "at rest: resident MB", "/ weights", "of no file MB", "/ weights",
                   "lowest cosine to Suanli"), cells(*["---"] * 7)]
    for name, f in report["start"].items():
        lines.append(cells(name, ms(f["seconds"]), mb(f["resident"]), f"{f['resident'] / report['weights']:.2f}",
                           mb(f["anonymous"]), f"{f['anonymous'] / report['weights']:.2f}", f"{report['agreement'].get(name, 1):.6f}"))
    return "\n".join(lines) + f"\n\nWeights: {mb(report['weights'])} MB." + "".join(
        f" {name} is left out: {reason}." for name, reason in report["failed"].items())


def load(report):
    lines = [cells("sentences x connections", "server", "requests/s", "sentences/s", "p50 ms", "p99 ms", "answers", "errors",
                   "Suanli's rate / its rate"),
             cells(*["---"] * 9)]
    for row in report["load"]:
        for name, f in sorted(row["sides"].items(), key=lambda item: -item[1]["requests_per_second"]):
            ratio = f"{f['ratio']:.2f} ({f['low']:.2f} to {f['high']:.2f})" if "ratio" in f else ""
            lines.append(cells(row["case"], name, f"{f['requests_per_second']:.4g}", f"{f['sentences_per_second']:.4g}",
                               ms(f["p50"]), ms(f["p99"]), f["requests"], f["errors"], ratio))
        for name, reason in row["failed"].items():
            lines.append(cells(row["case"], name, f"not timed: {reason.replace('|', '/')[:160]}", *[""] * 6))
    return "\n".join(lines)


def overhead(f):
    return (f"One request of 16 tokens over a kept connection: {ms(f['request'])} ms, the bare model {ms(f['model'])} ms, "
            f"so {ms(f['added'])} ms are added; ratio {f['ratio']:.2f} ({f['low']:.2f} to {f['high']:.2f}). Of that, client "
            f"and kernel take {ms(f['nothing'])} ms: the same request to a server that does nothing. Medians of "
            f"{f['requests']:,} each, in turns.")


def overload(f):
    return (f"Requests of {f['batch']} sentences, {f['in_flight']} under way at most, {f['connections']} connections: peak "
            f"{f['peak']:.4g} requests/s; at {f['times_the_peak']:.1f} times that, {f['goodput']:.4g} were done, "
            f"{100 * f['share_of_peak']:.0f}% of the peak, in {ms(f['p50_taken'])} ms (p99 {ms(f['p99_taken'])}); a 429 took "
            f"{ms(f['p50_refused'])} ms (p99 {ms(f['p99_refused'])}). Other answers and failures: {f['errors']:g}.")


def markdown(report):
    parts = [heading(report), "Start and memory:", start(report)]
    if report["load"]:
        parts += ["Closed loop; p50 and p99 as wrk corrects them for coordinated omission:", load(report)]
    for name, text in (("overhead", overhead), ("overload", overload)):
        if report.get(name):
            parts += [f"{name.capitalize()}:", text(report[name])]
    return "\n\n".join(parts) + "\n"
