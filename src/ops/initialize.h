/// Start-up of the engine.
#pragma once

namespace suanli {

/// Registers every kernel of this build and the gradient sum. Call it once before the first op; later calls do nothing.
void initialize();

}  // namespace suanli
