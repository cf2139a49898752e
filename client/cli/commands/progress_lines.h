// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace edgemoe::cli {

// Progress on standard error where no line can be overwritten: a line for each thing that is done,
// and one a minute.
class ProgressLines {
 public:
  void Tell(const std::string& what, const std::string& text) {
    const auto now = std::chrono::steady_clock::now();
    if (what == what_ && now - told_at_ < std::chrono::minutes(1)) return;
    what_ = what;
    told_at_ = now;
    std::fprintf(stderr, "edgemoe: %s\n", text.c_str());
  }

 private:
  std::string what_;
  std::chrono::steady_clock::time_point told_at_;
};

}  // namespace edgemoe::cli
