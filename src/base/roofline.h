/// What a machine can do at most, as the least time that a piece of work takes (Williams et al. 2009).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace suanli {

struct Roofline {
  std::map<std::string, double, std::less<>> flops_per_second;  ///< by dtype; what is missing was not measured
  double bytes_per_second = 0;                                  ///< from memory; 0: not measured

  /// Seconds that the operations take at the peak of their dtype; 0 where it is not known.
  double compute_seconds(std::string_view dtype, double flops) const {
    const auto peak = flops_per_second.find(dtype);
    return peak == flops_per_second.end() || peak->second <= 0 ? 0 : flops / peak->second;
  }
  /// Seconds that the bytes take from or to memory; 0 where its bandwidth is not known.
  double memory_seconds(double bytes) const { return bytes_per_second > 0 ? bytes / bytes_per_second : 0; }
};

}  // namespace suanli
