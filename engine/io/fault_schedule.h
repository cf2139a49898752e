// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong with reads on purpose: in tests, and in a daemon whose behaviour under faults is
// tried out. One grammar for both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/expert_key.h"
#include "engine/base/result.h"
#include "engine/io/block_reader.h"

namespace edgemoe {

enum class FaultKind : std::uint8_t {
  kIoError,      // DATA_LOSS; the destination holds garbage
  kUnavailable,  // UNAVAILABLE, as after too many EAGAIN; the destination is untouched
  kEndOfFile,    // DATA_LOSS; the file seems to end one block before bytes_needed
  kShortRead,    // succeeds, but in two pieces with the second one read later: a retry
};

// Breaks requests that match all of its conditions. The first rule that matches counts.
struct FaultRule {
  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

  FaultKind kind = FaultKind::kIoError;
  std::uint64_t after = 0;             // requests since the reader was made that are spared
  std::uint64_t count_max = kNoLimit;  // faults; then the rule is spent
  double probability = 1.0;            // of those that match all else
  // Touches this range of a file's bytes; of any file by default.
  std::uint64_t offset_begin = 0;
  std::uint64_t offset_end = kNoLimit;
  std::uint32_t file_index = std::numeric_limits<std::uint32_t>::max();
  // Touches this expert. Readers know files alone: engine/stream/pipeline/faults.h makes a range of
  // bytes of it.
  std::optional<ExpertKey> expert{};
};

struct FaultSchedule {
  std::vector<FaultRule> rules = {};
  std::uint64_t slow_ms = 0;  // more time for each read
  // A finished request is withheld from 0 to this many calls of Poll or Wait, drawn at random; Wait
  // gives up withholding when there is nothing else.
  std::uint32_t late_calls_max = 0;
  bool shuffle = false;  // finished requests are delivered in random order
  std::uint64_t seed = 1;

  // Whether FaultyReader has something to do.
  bool breaks_reads() const { return !rules.empty() || late_calls_max > 0 || shuffle; }
  bool empty() const { return !breaks_reads() && slow_ms == 0; }
};

// The grammar, as help and errors tell it. Further, for tests: "begin=B,end=E" and "file=F" as
// conditions; "late:calls=N", "shuffle" and "random:seed=N" for the order of completions.
constexpr std::string_view kFaultGrammar =
    "eio:after=N, eio:after=N,count=M, eio:layer=L,expert=E, short:every=N or slow:ms=N, busy and "
    "eof with what eio has, several separated by ;";

// At most kFaultPartsMax parts. A kind with `after` alone breaks one request, otherwise all that
// match; `every=N` one of N on average. INVALID_ARGUMENT names the part that is wrong and the
// grammar, not the field.
Result<FaultSchedule> ParseFaultSchedule(std::string_view text);
constexpr std::size_t kFaultPartsMax = 64;
constexpr std::uint32_t kFaultLateCallsMax = 1000;
constexpr std::uint64_t kFaultSlowMsMax = 60'000;

// `reader` with these faults; as it is where there are none. `clock` outlives the result.
// REQUIRES: no rule names an expert.
std::unique_ptr<BlockReader> AddFaults(std::unique_ptr<BlockReader> reader,
                                       const FaultSchedule& faults, const Clock& clock);

}  // namespace edgemoe
