"""The figures as Markdown: Suanli beside the best peer, every configuration's own figures, every kernel."""


def milliseconds(seconds):
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:,.0f}"


def cells(*values):
    return "| " + " | ".join(str(v) for v in values) + " |"


def rate(figures):
    return f"{figures['tokens_per_second']:,.0f}" if "tokens_per_second" in figures else ""


def share(figures):
    return f"{100 * figures['share_of_peak']:.0f}%" if "share_of_peak" in figures else ""


def megabytes(figures):
    return f"{figures['peak_bytes'] / 1e6:,.0f}"


def ratio(figures):
    return f"{figures['ratio']:.2f} ({figures['low']:.2f} to {figures['high']:.2f})" if "ratio" in figures else ""


def off(figures):
    return f"{sum(figures['far_off'])} of {len(figures['far_off'])}" if any(figures["far_off"]) else ""


def against_the_best(rows):
    lines = [cells("case", "Suanli ms", "real tokens/s", "of the peak", "peak MB", "best peer", "its ms", "its tokens/s",
                   "its MB", "ratio (95%)", "slices at another speed"), cells(*["---"] * 11)]
    for row in rows:
        ours, best = row["sides"].get("suanli"), row["best_peer"]
        theirs = row["sides"].get(best)
        own = (milliseconds(ours["median_seconds"]), rate(ours), share(ours), megabytes(ours)) if ours else \
            (f"none: {row['failed'].get('suanli', '')}", "", "", "")
        peer = (best, milliseconds(theirs["median_seconds"]), rate(theirs), megabytes(theirs), ratio(theirs)) \
            if theirs else ("none", "", "", "", "")
        lines.append(cells(row["case"], *own, *peer, off(ours) if ours else ""))
    return "\n".join(lines)


def every_side(rows):
    lines = [cells("case", "who", "setting", "ms", "best ms", "real tokens/s", "of the peak", "peak MB",
                   "its time / Suanli's (95%)", "agreement"), cells(*["---"] * 10)]
    for row in rows:
        for name, f in sorted(row["sides"].items(), key=lambda item: item[1]["median_seconds"]):
            agreement = "" if f["agreement"] is None else f"{f['agreement']:.6f}"
            lines.append(cells(row["case"], name, f["setting"] or "", milliseconds(f["median_seconds"]),
                               milliseconds(f["best_seconds"]), rate(f), share(f), megabytes(f), ratio(f), agreement))
        for name, reason in row["failed"].items():
            lines.append(cells(row["case"], name, f"not timed: {reason.replace('|', '/')[:160]}", *[""] * 7))
    return "\n".join(lines)


def kernels(ops):
    lines = [cells("op", "size", "dtype", "by", "us", "GFLOP/s", "GB/s", "of the limit"), cells(*["---"] * 8)]
    for op in ops["ops"]:
        lines.append(cells(op["op"], op["size"], op["dtype"], op["implementation"], f"{op['microseconds']:.1f}",
                           f"{op['gflops']:.1f}", f"{op['gigabytes_per_second']:.1f}",
                           f"{100 * op['share_of_limit']:.0f}% ({op['limit']})"))
    return "\n".join(lines)


def heading(report):
    m, held = report["machine"], report["isa"]
    text = (f"{m['cpu']}, {m['cores']} cores, {' '.join(m['isa'])}; huge pages {m['huge_pages']}; {report['threads']} "
            f"threads; {report['repeats']} repeats of {1e3 * report['slice_seconds']:.0f} ms slices; load "
            f"{report['load_average'][0]:.1f}, stolen {report['stolen_seconds']:.1f} s of {report['wall_seconds']:.0f} s. "
            + "; ".join(f"{name} {version}" for name, version in report["versions"].items()) + ".")
    if held:
        text += f"\n\nHeld to {held}; {', '.join(report['not_held'])} cannot be and are never the best peer."
    return text


def markdown(report):
    parts = [heading(report), "Ratio: the best peer's time over Suanli's in the same repeat; above 1, Suanli is faster.",
             against_the_best(report["rows"]), "Every configuration:", every_side(report["rows"])]
    if report.get("ops"):
        parts += ["Every kernel of Suanli beside the limit of the machine:", kernels(report["ops"])]
    return "\n\n".join(parts) + "\n"
