/// The random streams of data/: one site each, so that none shares its numbers with another or with the model.
#pragma once

#include <cstdint>

namespace suanli {

constexpr uint32_t kSplitSite = 0xDA7A0001;    ///< step: the class
constexpr uint32_t kShuffleSite = 0xDA7A0002;  ///< step: the epoch
constexpr uint32_t kWindowSite = 0xDA7A0003;   ///< step: the epoch
constexpr uint32_t kMaskSite = 0xDA7A0004;     ///< step: the epoch; index: row and position

constexpr uint32_t kReservoirSite = 0xDA7A0005;    ///< step: the column; index: the value
constexpr uint32_t kMinHashSite = 0xDA7A0006;      ///< index: the hash function
constexpr uint32_t kGroupSite = 0xDA7A0007;        ///< the order of the groups of a split
constexpr uint32_t kReplaySite = 0xDA7A0008;       ///< the order in which old rows are replayed
constexpr uint32_t kInteractionSite = 0xDA7A0009;  ///< index: user and item: the order of one time
constexpr uint32_t kColdItemSite = 0xDA7A000A;     ///< which items are held out of training
constexpr uint32_t kItemDropSite = 0xDA7A000B;     ///< step: the epoch; index: row and position

}  // namespace suanli
