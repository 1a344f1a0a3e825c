"""Compares what the kernel tests wrote on a GPU with what they wrote on the interpreter, and prints it as markdown.

usage: results.py NATIVE INTERPRETED     Files of SUANLI_TEST_RESULTS (tests/kernels/harness.cpp): case, array, hash of the bits, largest
error in units of its bound. Exit code 1: a case is missing, or one lies outside its bound.
"""
import collections
import sys


def read(name):
    """{(case, array): [(hash, error), ...]}: a case runs with aligned and unaligned buffers."""
    out = collections.defaultdict(list)
    with open(name) as file:
        for line in file:
            case, array, bits, error = line.rstrip("\n").split("\t")
            out[case, array].append((bits, float(error)))
    return out


def comparison(native, interpreted):
    """(lines of markdown, complaints). What the GPU ran beyond the interpreter's cases is not looked at."""
    complaints = [f"{' '.join(key)}: run by the interpreter, not on the GPU" for key in interpreted if key not in native]
    pairs = [(key, ours, theirs) for key in interpreted if key in native for ours, theirs in zip(native[key], interpreted[key])]
    for key, (_, ours), (_, theirs) in pairs:
        if not (ours <= 1 and theirs <= 1):
            complaints.append(f"{' '.join(key)}: error {ours:.3g} of its bound on the GPU, {theirs:.3g} on the interpreter")
    kernels = collections.defaultdict(list)
    for key, ours, theirs in pairs:
        kernels[key[0].split()[0]].append((ours, theirs))
    lines = ["| kernel | outputs | of these the same bits | largest error on the GPU | on the interpreter |",
             "| --- | ---: | ---: | ---: | ---: |"]
    for kernel, of_kernel in sorted(kernels.items()):
        same = sum(ours[0] == theirs[0] for ours, theirs in of_kernel)
        largest = [max(pair[side][1] for pair in of_kernel) for side in (0, 1)]
        lines.append(f"| {kernel} | {len(of_kernel)} | {same} | {largest[0]:.2f} | {largest[1]:.2f} |")
    return lines, complaints


def main():
    lines, complaints = comparison(*map(read, sys.argv[1:]))
    print("\n## Kernels beside the interpreter\n\nErrors against f64 in units of their bound (1: as large as may be).\n")
    print("\n".join(lines))
    sys.exit("\n".join(complaints) if complaints else 0)


if __name__ == "__main__":
    main()
