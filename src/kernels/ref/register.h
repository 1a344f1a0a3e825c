/// The kernels of kernels/ref, added to their lists in one explicit call.
#pragma once

namespace suanli::kernels {
void register_ref();
}
