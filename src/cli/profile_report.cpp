#include "cli/profile_report.h"

#include <algorithm>
#include <cstdio>

namespace suanli::cli {

namespace {

constexpr int kKernels = 10;

bool is_kernel(const ProfileTotal& total) { return !total.implementation.empty(); }

void print_kernel(const ProfileTotal& total, double wall, const Roofline& roofline) {
  const double compute = roofline.compute_seconds(total.dtype, total.flops);
  const double memory = roofline.memory_seconds(total.bytes);
  const bool by_compute = total.flops > 0 && compute >= memory;
  std::fprintf(stderr, "%-22s %-10s %-5s %8lld %10.2f %6.1f%% %9.1f %-7s", total.name.c_str(),
               total.implementation.c_str(), total.dtype.c_str(), static_cast<long long>(total.calls),
               1e3 * total.seconds, 1e2 * total.seconds / wall,
               1e-9 * (by_compute ? total.flops : total.bytes) / total.seconds, by_compute ? "GFLOP/s" : "GB/s");
  const double share = std::max(compute, memory) / total.seconds;
  // Faster than memory: the caches held what the kernel read.
  const char* limit = by_compute ? "compute" : share > 1 ? "cache" : "memory";
  if (share > 0) std::fprintf(stderr, " %4.0f%% (%s)", 1e2 * share, limit);
  std::fputc('\n', stderr);
}

}  // namespace

bool has_kernels(const Profile& profile) { return std::ranges::any_of(profile.totals, is_kernel); }

void print_profile(const Profile& profile, const Roofline& roofline) {
  if (has_kernels(profile)) {
    std::fprintf(stderr, "%-22s %-10s %-5s %8s %10s %7s %17s %s\n", "kernel", "by", "dtype", "calls", "ms", "of wall",
                 "rate", "of the limit");
  }
  int printed = 0;
  for (const ProfileTotal& total : profile.totals) {
    if (!is_kernel(total) || printed == kKernels) continue;
    print_kernel(total, profile.seconds, roofline);
    ++printed;
  }
  const double outside = profile.seconds - profile.kernel_seconds;
  std::fprintf(stderr, "outside kernels: %.1f ms, %.1f%% of %.3f s\nphases:", 1e3 * outside,
               1e2 * outside / profile.seconds, profile.seconds);
  const char* separator = " ";
  for (const ProfileTotal& total : profile.totals) {
    if (is_kernel(total)) continue;
    std::fprintf(stderr, "%s%s %.1f%%", separator, total.name.c_str(), 1e2 * total.seconds / profile.seconds);
    separator = ", ";
  }
  std::fputc('\n', stderr);
  if (profile.left_out > 0) {
    std::fprintf(stderr, "the trace holds the first %zu scopes and not the last %lld, which the table counts too\n",
                 profile.events.size(), static_cast<long long>(profile.left_out));
  }
}

}  // namespace suanli::cli
