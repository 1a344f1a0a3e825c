"""Who competes: Suanli and each configuration of each peer, as a command and an environment."""
import glob
import os
from dataclasses import dataclass

PEERS_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
SENTENCE = "A warm and funny film."

# --isa: every runtime's own switch. OpenVINO and ONNX Runtime have none that a released build reads.
ISA_SWITCHES = {
    "avx2": {"SUANLI_ISA": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2",
             "DNNL_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "CT2_FORCE_CPU_ISA": "AVX2"},
    "avx512": {"SUANLI_ISA": "avx512", "ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16",
               "DNNL_MAX_CPU_ISA": "AVX512_CORE_BF16", "MKL_ENABLE_INSTRUCTIONS": "AVX512",
               "CT2_FORCE_CPU_ISA": "AVX512"},
}


@dataclass
class Competitor:
    name: str
    command: list
    environment: dict
    cases: dict          # kind -> precisions
    held: bool = True    # stays within --isa
    quick: bool = True   # takes part in --quick

    def takes(self, case):
        return case.precision in self.cases.get(case.kind, ())


def tcmalloc():
    return next(iter(sorted(glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4"))), None)


def suanli(binary, environment):
    return Competitor("suanli", [binary, "bench", "session"], environment, {})


def peers(python, threads, isa, cache):
    """Every configuration of every peer. `cache` keeps what torch.compile compiled."""
    base = {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "TORCHINDUCTOR_CACHE_DIR": cache,
            "TOKENIZERS_PARALLELISM": "true", **ISA_SWITCHES.get(isa, {})}
    allocator = {"LD_PRELOAD": tcmalloc()} if tcmalloc() else {}
    program = lambda name, *more: [python, os.path.join(PEERS_FOLDER, name), "--threads", str(threads), *more]
    floats, all_three = ("f32", "bf16"), ("f32", "bf16", "int8")
    inference = lambda *precisions: {kind: precisions for kind in ("infer", "embed", "load")}
    training = {"step": floats, "classify": floats, "optimizer": ("f32",), "pictures": ("f32",)}
    eager = {**inference(*floats), **training, "start": ("f32",)}
    free = isa is None
    found = [
        Competitor("PyTorch eager" + (", tcmalloc" if allocator else ""), program("pytorch_bench.py"),
                   {**base, **allocator}, eager),
        Competitor("torch.compile" + (", tcmalloc" if allocator else ""), program("pytorch_bench.py", "--compile"),
                   {**base, **allocator}, {"infer": floats, "embed": floats, "classify": floats, "step": floats}, quick=False),
        Competitor("ONNX Runtime", program("onnxruntime_bench.py"), base,
                   {**inference("f32", "int8"), "start": ("f32",)}, held=free),
        Competitor("OpenVINO", program("openvino_bench.py"), base, {**inference(*all_three), "start": ("f32",)},
                   held=free),
        Competitor("CTranslate2", program("ctranslate2_bench.py"), base,
                   {**inference(*all_three), "start": ("f32",)}),
        Competitor("sentence-transformers", program("sentence_transformers_bench.py"), {**base, **allocator},
                   {"embed": floats, "start": ("f32",)}),
        Competitor("tokenizers", [python, os.path.join(PEERS_FOLDER, "tokenizers_bench.py")], base,
                   {"tokenize": ("f32",)}),
    ]
    if allocator:
        found.insert(2, Competitor("PyTorch eager, glibc malloc", program("pytorch_bench.py"), base,
                                   {"step": floats}, quick=False))
    return found


def start_command(competitor, binary, model, sentence_file):
    """One start of the program up to its first answer, the vector of a sentence."""
    if competitor.name == "suanli":
        return [binary, "embed", "--model", model, "--normalize", "true", "--input", sentence_file]
    return [*competitor.command, "--once", model, SENTENCE]
