"""The machine code of the CUDA kernels as figures: registers, memory, spills, occupancy and the instructions that matter.

cuobjdump and nvdisasm (scripts/fetch_sass_tools.sh) read the fatbins of a build; nothing is run. Written and compared as sass.tsv.
"""
import concurrent.futures
import dataclasses
import pathlib
import re
import subprocess
import tempfile

MACHINES = (80, 90, 100)

# Instructions as the table names them, and how the disassembly does.
INSTRUCTIONS = {
    "HMMA": r" HMMA\.",  # tensor cores, 16 bits and tf32
    "IMMA": r" IMMA\.",  # tensor cores, 8 bits
    "LDSM": r" LDSM\.",  # ldmatrix
    "LDGSTS": r" LDGSTS\.",  # cp.async
    "LDG.128": r" LDG\.\S*128",
    "STG.128": r" STG\.\S*128",
}


def tiled_shared(columns, held):
    """shared_elements(rows_of_block(columns, held), columns, held) of src/kernels/cuda/attention_tiled.h, in bytes."""
    sizes = (4 * (held * rows * columns + 32 * columns + 32 * rows) for rows in (64, 32, 16))
    return next(size for size in sizes if size <= 48 << 10)


# Shared memory that a launch adds to what the kernel declares; {pattern of the kernel's name: bytes of its groups}.
DYNAMIC_SHARED = {
    r"tiled_forward_(\d+)": lambda head: tiled_shared(head, 1),
    r"tiled_(?:queries|keys)_(\d+)": lambda head: tiled_shared(head, 2),
    r"flash_forward_(\d+)_": lambda head: (64 + 2 * 64) * head * 2,
    r"flash_(?:queries|keys)_(\d+)_": lambda head: (2 * 64 + 4 * (16 if head > 96 else 32)) * head * 2,
    r"layer_norm_forward_(?:f32|bf16|f16)": lambda: 768 * 4,  # a row of BERT-base
    r"layer_norm_forward_f64": lambda: 768 * 8,
}

DEFAULT_THREADS = 256  # of a block, where the kernel states no bound: Grid in src/kernels/cuda/launch.h

RESERVED = 1 << 10  # of shared memory, in each block, for the system
SHARED_OF_PROCESSOR = {80: 164 << 10, 90: 228 << 10, 100: 228 << 10}


@dataclasses.dataclass(frozen=True)
class Figures:
    """One kernel on one machine. `warps` are those that a multiprocessor holds at once, of 64."""
    threads: int
    registers: int
    shared: int
    dynamic: int
    spilled: int
    warps: int
    instructions: frozenset


def round_up(value, step):
    return -(-value // step) * step


def occupancy(machine, threads, registers, shared):
    """Warps of a multiprocessor: limits of the CUDA C++ Programming Guide's table of compute capabilities, rounding as the
    toolkit's cuda_occupancy.h does it. 64 Ki registers, given to a warp in steps of 256, in four equal parts; shared memory in
    steps of 128 bytes, 1 KiB of each block reserved; at most 64 warps and 32 blocks."""
    warps = round_up(threads, 32) // 32
    by_registers = 65536 // 4 // round_up(max(registers, 1) * 32, 256) * 4 // warps
    by_shared = SHARED_OF_PROCESSOR[machine] // round_up(shared + RESERVED, 128)
    return min(by_registers, by_shared, 64 // warps, 32) * warps


def dynamic_shared(kernel):
    for pattern, size in DYNAMIC_SHARED.items():
        found = re.match(pattern, kernel)
        if found:
            return size(*map(int, found.groups()))
    return 0


def output_of(program, *arguments):
    run = subprocess.run([program, *arguments], text=True, capture_output=True)
    if run.returncode != 0:
        raise RuntimeError(f"[sass] {program} {' '.join(map(str, arguments))}: {run.stderr.strip()}")
    return run.stdout


def instructions_of(tools, machine_code):
    """{kernel: the instructions of INSTRUCTIONS in it}."""
    parts = re.split(r"^\.text\.(\w+):$", output_of(f"{tools}/nvdisasm", "-c", machine_code), flags=re.M)
    return {kernel: frozenset(name for name, pattern in INSTRUCTIONS.items() if re.search(pattern, body))
            for kernel, body in zip(parts[1::2], parts[2::2])}


def figures_of(tools, fatbin):
    """{(kernel, machine): Figures} of one fatbin."""
    bounds = dict(re.findall(r"^\.visible \.entry (\w+)\([^)]*\)\n\.maxntid (\d+)",
                             output_of(f"{tools}/cuobjdump", "-ptx", fatbin), re.M))
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([f"{tools}/cuobjdump", "-xelf", "all", fatbin], cwd=folder, check=True, capture_output=True)
        for machine_code in pathlib.Path(folder).glob("*.cubin"):
            machine = int(re.search(r"sm_(\d+)", machine_code.name)[1])
            instructions = instructions_of(tools, machine_code)
            for kernel, registers, stack, shared, local in re.findall(
                    r"Function (\w+):\n\s+REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)",
                    output_of(f"{tools}/cuobjdump", "-res-usage", machine_code)):
                shared = max(int(shared) - (RESERVED if machine >= 90 else 0), 0)  # there the compiler counts it in
                dynamic, block = dynamic_shared(kernel), int(bounds.get(kernel, DEFAULT_THREADS))
                out[kernel, machine] = Figures(
                    threads=block, registers=int(registers), shared=shared, dynamic=dynamic, spilled=max(int(stack), int(local)),
                    warps=occupancy(machine, block, int(registers), shared + dynamic), instructions=instructions[kernel])
    return out


def measure(tools, folder):
    """{(kernel, machine): Figures} of all fatbins in a folder."""
    fatbins = sorted(pathlib.Path(folder).resolve().glob("*.fatbin"))
    if not fatbins:
        raise RuntimeError(f"[sass] expected fatbins in {folder}, found none; build suanli with CUDA")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return {key: figures for part in pool.map(lambda f: figures_of(tools, f), fatbins) for key, figures in part.items()}


def compiler_version(nvcc):
    return re.search(r"V([\d.]+)", subprocess.run([nvcc, "--version"], text=True, capture_output=True, check=True).stdout)[1]
