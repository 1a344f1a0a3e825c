/// The kernels of kernels/cpu, added to their lists in one explicit call.
#pragma once

namespace suanli::kernels {
void register_cpu();
}
