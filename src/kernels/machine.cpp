#include "kernels/machine.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "base/env.h"
#include "base/error.h"
#include "base/parallel.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace suanli {

namespace {

constexpr std::array<const char*, 4> kNames = {"scalar", "avx2", "avx512", "amx"};

#if defined(__x86_64__)

/// Intel SDM volume 2, CPUID: the feature words that our kernels ask for.
struct Features {
  uint32_t leaf1_ecx = 0, leaf7_ebx = 0, leaf7_ecx = 0, leaf7_edx = 0, leaf7_1_eax = 0;
  uint64_t saved = 0;  ///< XCR0: the register states that the system saves on a context switch

  Features() {
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(1, 0, &a, &b, &c, &d) != 0) leaf1_ecx = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
      leaf7_ebx = b, leaf7_ecx = c, leaf7_edx = d;
      const uint32_t last_subleaf = a;
      if (last_subleaf >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) leaf7_1_eax = a;
    }
    if (has(leaf1_ecx, {27})) {  // OSXSAVE: XGETBV may be used
      uint32_t low = 0, high = 0;
      __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
      saved = uint64_t{high} << 32 | low;
    }
  }

  static bool has(uint64_t word, std::initializer_list<int> bits) {
    return std::ranges::all_of(bits, [word](int bit) { return (word >> bit & 1) != 0; });
  }
};

/// AMX tiles are 8 KiB of state: Linux gives them to a process that asks (arch_prctl(2)).
bool tiles_granted() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

void detect_cpu(Machine& machine) {
  const Features f;
  const bool avx2 = Features::has(f.saved, {1, 2}) &&                    // XMM and YMM state
                    Features::has(f.leaf1_ecx, {12, 28, 29}) &&          // FMA, AVX, F16C
                    Features::has(f.leaf7_ebx, {3, 5, 8});               // BMI1, AVX2, BMI2
  const bool avx512 = avx2 && Features::has(f.saved, {5, 6, 7}) &&       // mask registers, ZMM
                      Features::has(f.leaf7_ebx, {16, 17, 28, 30, 31});  // F, DQ, CD, BW, VL
  const bool amx = avx512 && Features::has(f.saved, {17, 18}) &&         // tile configuration, tile data
                   Features::has(f.leaf7_edx, {22, 24, 25}) &&           // AMX-BF16, AMX-TILE, AMX-INT8
                   tiles_granted();
  machine.isa = amx ? Isa::amx : avx512 ? Isa::avx512 : avx2 ? Isa::avx2 : Isa::scalar;
  machine.avx512_bf16 = avx512 && Features::has(f.leaf7_1_eax, {5});
  machine.avx512_vnni = avx512 && Features::has(f.leaf7_ecx, {11});
}

#else
void detect_cpu(Machine&) {}
#endif

/// Applies SUANLI_ISA: never above what the machine has.
void apply_cap(Machine& machine) {
  const auto wanted = environment("SUANLI_ISA");
  if (!wanted) return;
  const auto found = std::ranges::find(kNames, *wanted);
  if (found == kNames.end()) {
    throw UserError("SUANLI_ISA", "expected scalar, avx2, avx512 or amx, got \"" + *wanted +
                                      "\"; unset it to use all that the machine has");
  }
  machine.isa = std::min(machine.isa, static_cast<Isa>(found - kNames.begin()));
  if (machine.isa < Isa::avx512) machine.avx512_bf16 = machine.avx512_vnni = false;
}

std::string read_cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

Machine read_machine() {
  Machine machine;
  detect_cpu(machine);
  apply_cap(machine);
  machine.threads = thread_count();
  machine.cpu_model = read_cpu_model();
  return machine;
}

}  // namespace

const Machine& machine() {
  static const Machine instance = read_machine();
  return instance;
}

const char* name_of(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

}  // namespace suanli
