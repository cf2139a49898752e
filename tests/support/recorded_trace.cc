// SPDX-License-Identifier: Apache-2.0
#include "tests/support/recorded_trace.h"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>

#include "engine/base/check.h"
#include "engine/trace/trace_format.h"

namespace edgemoe {
namespace {

constexpr std::size_t kUsed = 6;
constexpr std::size_t kTokenDigits = 2 * kUsed;

struct Place {
  int phase;  // 1: decoding
  std::size_t step, layer;
};

void AddToken(const Place& place, const std::string& digits, std::ostream& trace) {
  for (std::size_t slot = 0; slot < kUsed; ++slot) {
    trace << "0," << place.phase << "," << place.step << "," << place.layer << "," << slot << ","
          << std::stoul(digits.substr(2 * slot, 2), nullptr, 16) << ",0,0,0\n";
  }
}

void AddHeader(std::istream& sizes, std::ostream& trace) {
  std::ostringstream layers;
  std::size_t count = 0;
  for (std::uint64_t bytes = 0; sizes >> bytes; ++count)
    layers << "# layer=" << count << " expert_bytes=" << bytes << "\n";
  trace << "# model=Qwen3-30B-A3B arch=qwen3moe n_layer=" << count
        << " n_expert=128 n_expert_used=" << kUsed << "\n"
        << layers.str() << kTraceColumns << "\n";
}

}  // namespace

std::string RecordedTraceText() {
  std::ifstream file(EDGEMOE_SOURCE_DIR "/tests/support/qwen3-30b-a3b.routes");
  std::ostringstream trace;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string kind, digits;
    Place at{};
    line >> kind;
    if (kind == "#") continue;
    if (kind == "bytes") {
      AddHeader(line, trace);
      continue;
    }
    at.phase = kind == "decode" ? 1 : 0;
    if (at.phase == 0) line >> at.layer;
    line >> at.step >> digits;
    EDGEMOE_CHECK(!line.fail() && digits.size() % kTokenDigits == 0, "a line of whole tokens");
    for (std::size_t i = 0; i < digits.size(); i += kTokenDigits) {
      AddToken(at, digits.substr(i, kTokenDigits), trace);
      ++(at.phase == 0 ? at.step : at.layer);
    }
  }
  return std::move(trace).str();
}

}  // namespace edgemoe
