"""What the figures were taken on: processor, instruction sets, threads, and what else the machine was doing."""
import os
import platform


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        lines = f.read().splitlines()
    field = lambda name: next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
    flags = field("flags").split()
    wanted = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "amx_tile", "amx_bf16", "amx_int8")
    return {"cpu": f"{field('model name')}, family {field('cpu family')} model {field('model' + chr(9))}",
            "isa": [f for f in wanted if f in flags], "cores": cores(), "kernel": platform.release(),
            "huge_pages": huge_pages()}


def cores():
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


def huge_pages():
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="utf-8") as f:
            return f.read().split("[")[1].split("]")[0]
    except (OSError, IndexError):
        return "unknown"


def stolen():
    """Seconds that the host took from this machine since it started, over all cores."""
    with open("/proc/stat", encoding="utf-8") as f:
        return int(f.readline().split()[8]) / os.sysconf("SC_CLK_TCK")
