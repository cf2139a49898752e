// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/status.h"
#include "engine/io/storage_file.h"

namespace edgemoe {

// Fills `destination` (any size, any alignment) from `offset` (any), waiting for it: for dense
// weights at load. Uses at most kBounceBytes of extra memory for the duration of the call, and
// leaves nothing in the page cache: a direct file goes around it, of any other file what was read
// is dropped again.
//
// DATA_LOSS: the file ends before, or the medium failed; the message names path and offset.
// RESOURCE_EXHAUSTED: no memory for the bounce buffer. Thread-safe.
Status ReadFully(const StorageFile& file, std::uint64_t offset, std::span<std::byte> destination);

constexpr std::size_t kBounceBytes = std::size_t{1} << 20;

}  // namespace edgemoe
