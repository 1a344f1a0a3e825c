"""sass.tsv: a line for each kernel with its figures on sm_80, sm_90 and sm_100, as "80/90/100" where they differ.

usage: table.py FATBIN_FOLDER TOOLS NVCC     writes the table anew, after a change of kernels that is meant.
TOOLS is the folder of scripts/fetch_sass_tools.sh, FATBIN_FOLDER that of a build (build/release/fatbin).
"""
import os
import pathlib
import sys

from figures import INSTRUCTIONS, MACHINES, Figures, compiler_version, measure

TABLE = pathlib.Path(__file__).with_name("sass.tsv")
NUMBERS = ("threads", "registers", "shared", "dynamic", "spilled", "warps")
HEAD = "# Machine code of the CUDA kernels, made by nvcc "
LEGEND = """# threads: of the largest block; registers: of a thread; shared, dynamic: bytes that the kernel declares, that its launch adds;
# spilled: bytes of a thread's stack; warps: that a multiprocessor holds at once, of 64; then the instructions that are there.
# sm_80/sm_90/sm_100 where they differ; "-" for none. Written by tests/cuda/sass/table.py, held by tests/cuda/sass/sass_test.py.
"""


def joined(values):
    return values[0] if len(set(values)) == 1 else "/".join(values)


def line_of(kernel, measured):
    rows = [measured[kernel, machine] for machine in MACHINES]
    instructions = [" ".join(name for name in INSTRUCTIONS if name in row.instructions) or "-" for row in rows]
    return "\t".join([kernel, *(joined([str(getattr(row, number)) for row in rows]) for number in NUMBERS), joined(instructions)])


def write(measured, version):
    kernels = sorted({kernel for kernel, _ in measured})
    lines = ["\t".join(["kernel", *NUMBERS, "instructions"]), *(line_of(kernel, measured) for kernel in kernels)]
    TABLE.write_text(f"{HEAD}{version}\n{LEGEND}" + "\n".join(lines) + "\n")


def read():
    """(version of nvcc, {(kernel, machine): Figures})."""
    head, *lines = TABLE.read_text().splitlines()
    out = {}
    for line in (line for line in lines if not line.startswith(("#", "kernel\t"))):
        kernel, *cells = line.split("\t")
        for place, machine in enumerate(MACHINES):
            values = [(cell.split("/") * len(MACHINES))[place] if "/" not in cell else cell.split("/")[place] for cell in cells]
            out[kernel, machine] = Figures(*map(int, values[:-1]), frozenset(values[-1].replace("-", "").split()))
    return head.removeprefix(HEAD), out


def complaints(table, measured, same_compiler):
    """What is worse than the table says. Another compiler may use other registers; it must not spill where the table has
    none, nor lose an instruction."""
    out = [f"{kernel} sm_{machine}: not in the table" for kernel, machine in sorted(measured.keys() - table.keys())]
    out += [f"{kernel} sm_{machine}: in the table, not in the build" for kernel, machine in sorted(table.keys() - measured.keys())]
    for key in sorted(table.keys() & measured.keys()):
        was, now = table[key], measured[key]
        worse = [f"{name} {getattr(was, name)} -> {getattr(now, name)}" for name in ("registers", "shared", "dynamic", "spilled")
                 if getattr(now, name) > getattr(was, name) and (same_compiler or (name == "spilled" and was.spilled == 0))]
        if same_compiler and now.warps < was.warps:
            worse.append(f"warps {was.warps} -> {now.warps}")
        worse += [f"{name} is gone" for name in INSTRUCTIONS if name in was.instructions - now.instructions]
        if worse:
            out.append(f"{key[0]} sm_{key[1]}: " + ", ".join(worse))
    return out


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    fatbins, tools, nvcc = sys.argv[1:]
    write(measure(os.path.abspath(tools), fatbins), compiler_version(nvcc))
