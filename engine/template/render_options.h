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
  std::uint64_t steps_max = 4'000'000;             // nodes evaluated, items visited
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
