/// Decoding and augmentation of pictures as work of a session.
#pragma once

#include <memory>

#include "cli/session_work.h"

namespace suanli::cli {

/// {"files": [...]}: each picture read, decoded, augmented as RandomResizedCrop and RandomHorizontalFlip to "size" and
/// normalised by ImageNet's mean and deviation, on the calling thread. Answers: some values of each picture resized
/// to the size as it is. Throws UserError.
std::unique_ptr<SessionWork> open_pictures(const Json& request);

}  // namespace suanli::cli
