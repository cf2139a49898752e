// SPDX-License-Identifier: Apache-2.0
//
// The options of an engine, once: what each is called, what it may be and what it means. The
// engine's own check, the daemon's configuration and flags, and the bench read this table; defaults
// are the initial values of EngineOptions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "engine/base/status.h"
#include "engine/options.h"

namespace edgemoe {

// ---- Names that options take; the first of each is the default ----

constexpr std::array<std::string_view, 5> kKernelNames = {"auto", "ref", "avx2", "avx512", "neon"};
constexpr std::array<std::string_view, 3> kPredictorNames = {"router", "path", "none"};
// In the order of EngineMode, see engine/serving/modes.h.
constexpr std::array<std::string_view, 5> kEngineModeNames = {"edgemoe", "resident", "on-demand",
                                                              "layer-stream", "mmap"};
constexpr std::array<std::string_view, 5> kStorageProfileNames = {"real", "nvme", "pi5-nvme",
                                                                  "sata", "sd"};
// In the order of VerifyMode, see engine/stream/pipeline/verifier.h.
constexpr std::array<std::string_view, 3> kVerifyNames = {"sample", "always", "first"};
constexpr std::uint32_t kThreadsMax = 64;
constexpr std::uint32_t kTopKMax = 262'144;  // as a default; more than that are all tokens

// ---- What an option holds ----

template <class T>
using EngineOptionMember = T EngineOptions::*;

struct TextOption {
  EngineOptionMember<std::string> at;
  Status (*check)(const std::string& text) = nullptr;  // null: any text; names no field
};
struct NameOption {
  EngineOptionMember<std::string> at;
  std::span<const std::string_view> names;
};
struct CountOption {
  EngineOptionMember<std::uint32_t> at;
  std::uint32_t least = 0;  // both ends are accepted
  std::uint32_t most = 0;
};
struct SizeOption {  // bytes; 0: chosen by the engine, "auto" for people
  EngineOptionMember<std::uint64_t> at;
};
struct FactorOption {
  EngineOptionMember<double> at;
  double most = 0;  // accepted are (0, most]
};
struct NumberOption {  // empty: by the model's file, "auto" for people
  EngineOptionMember<std::optional<double>> at;
  SamplingRange range;
  bool whole = false;
};
using OptionKind =
    std::variant<TextOption, NameOption, CountOption, SizeOption, FactorOption, NumberOption>;

struct EngineOption {
  std::string_view name;  // of the member of EngineOptions; Status::field() of its errors
  OptionKind kind;
  std::string accepts;       // type, unit and range, for people: "reads, in [0, 1024]"
  std::string_view meaning;  // for people
};

std::span<const EngineOption> EngineOptionTable();

// REQUIRES: there is such an option.
const EngineOption& EngineOptionNamed(std::string_view name);

// What is accepted, as in "a number in (0, 1]".
std::string AcceptedNumber(const NumberOption& option);
bool Accepts(const NumberOption& option, double number);

// INVALID_ARGUMENT names the option, the value found and what is accepted. What takes several
// options or the machine to judge is ValidateOptions' business.
Status CheckOption(const EngineOption& option, const EngineOptions& options);

}  // namespace edgemoe
