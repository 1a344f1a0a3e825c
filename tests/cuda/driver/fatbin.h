/// The PTX in what cuModuleLoadData is given.
#pragma once

#include <string>

namespace stand_in {

/// image: PTX text, a fatbin or its wrapper. Throws std::runtime_error where there is no PTX in it that can be read.
std::string ptx_of(const void* image);

}  // namespace stand_in
