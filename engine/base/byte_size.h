// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace edgemoe {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;

// "1200MiB", "1.5GiB", "64 MiB", "4096", "10MB" (powers of ten), "2G" (as GiB) to bytes, in capital
// or small letters. The one parser of sizes: configuration, flags, bench and command line have the
// same forms. INVALID_ARGUMENT names the text and the forms that are accepted, not the field.
Result<std::uint64_t> ParseByteSize(std::string_view text);

// "1.17 GiB", "640 MiB", "12 B": for people.
std::string FormatByteSize(std::uint64_t bytes);
// The same, rounded up: what is read back is enough. For the least that works.
std::string FormatLeastByteSize(std::uint64_t bytes);

}  // namespace edgemoe
