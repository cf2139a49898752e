// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>

namespace edgemoe {

// Beyond these a rendering is refused. The defaults leave room for a prompt of tens of megabytes
// and keep the worst template to seconds.
struct RenderLimits {
  // Nodes evaluated, items visited: templates that look through the whole conversation for each of
  // its messages have enough for a thousand.
  std::uint64_t steps_max = 16'000'000;
  std::uint64_t handled_bytes_max = 512ULL << 20;  // text and data read or made, in all
  std::size_t output_bytes_max = 64U << 20;
};

struct RenderOptions {
  // What strftime_now() formats. Without it the template finds no such function, as in
  // {% if strftime_now is defined %}.
  std::optional<std::tm> now = std::nullopt;
  RenderLimits limits = {};
};

}  // namespace edgemoe
