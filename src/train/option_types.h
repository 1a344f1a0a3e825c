/// Short names of the types of options, for the tables of them; internal to train/.
#pragma once

#include "base/config.h"

namespace suanli {

inline constexpr auto kText = OptionType::text;
inline constexpr auto kPath = OptionType::path;
inline constexpr auto kBoolean = OptionType::boolean;
inline constexpr auto kInteger = OptionType::integer;
inline constexpr auto kReal = OptionType::real;
inline constexpr auto kList = OptionType::list;

}  // namespace suanli
