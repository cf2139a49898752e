// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "download/remote_header.h"
#include "engine/base/result.h"

namespace edgemoe {

// A HeaderCheck: whether the bytes hold all of a GGUF file's header, as the engine's parser says.
Result<std::optional<HeaderFacts>> CheckGgufHeader(std::span<const std::byte> bytes,
                                                   std::uint64_t file_bytes);

}  // namespace edgemoe
