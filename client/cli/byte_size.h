// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgemoe::cli {

// "1200MiB", "1.5 GiB", "4096", "10MB" (powers of ten), "2G" (as GiB); nothing for other texts and
// for what does not fit 64 bits. The same forms as the daemon's configuration.
std::optional<std::uint64_t> ParseByteSize(std::string_view text);

// "1.17 GiB", "640.00 MiB", "12 B".
std::string FormatByteSize(double bytes);

}  // namespace edgemoe::cli
