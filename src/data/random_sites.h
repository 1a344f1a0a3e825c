/// The random streams of data/: one site each, so that none shares its numbers with another or with the model.
#pragma once

#include <cstdint>

namespace suanli {

constexpr uint32_t kSplitSite = 0xDA7A0001;    ///< step: the class
constexpr uint32_t kShuffleSite = 0xDA7A0002;  ///< step: the epoch
constexpr uint32_t kWindowSite = 0xDA7A0003;   ///< step: the epoch
constexpr uint32_t kMaskSite = 0xDA7A0004;     ///< step: the epoch; index: row and position

}  // namespace suanli
