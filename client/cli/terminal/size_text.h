// SPDX-License-Identifier: Apache-2.0
//
// Sizes in bytes and durations, as people write and read them on the command line.
#pragma once

#include <cstdint>
#include <string>

namespace edgemoe::cli {

// What the daemon's configuration takes as a size, too: "1200MiB", "1.5 GiB", "4096". Throws
// CLI::ValidationError, which names the option, the text and the forms that are accepted.
std::uint64_t SizeFromText(const std::string& option, const std::string& text);

// "1.17 GiB", "640.00 MiB", "12 B": always two decimals, so that columns line up.
std::string SizeText(double bytes);
std::string SizeText(std::uint64_t bytes);

// "42 s", "17 min", "2.5 h".
std::string DurationText(double seconds);

}  // namespace edgemoe::cli
