/// What PyTorch's batch normalisation keeps beside running_var: how many batches it has seen.
#pragma once

#include <string>
#include <string_view>

namespace suanli::models {

/// True for the name of such a counter.
bool counts_batches(std::string_view name);

/// The name of the counter beside a running variance; empty beside another tensor.
std::string counter_beside(const std::string& name);

}  // namespace suanli::models
