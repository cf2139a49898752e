// SPDX-License-Identifier: Apache-2.0
//
// The faulty twin of storage: passes requests to another reader and, by a plan that a seed makes
// reproducible, breaks some of them as real devices do. For tests and for trying out a daemon's
// behaviour under faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
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
  // Ordinals of requests since the reader was made, from 0; both ends included.
  std::uint64_t request_first = 0;
  std::uint64_t request_last = kNoLimit;
  // Touches this range of the file's bytes; any file by default.
  std::uint64_t offset_begin = 0;
  std::uint64_t offset_end = kNoLimit;
  std::uint32_t file_index = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t count_max = kNoLimit;  // then the rule is spent
  double probability = 1.0;            // of those that match all else
};

struct FaultSchedule {
  std::uint64_t seed = 1;
  std::vector<FaultRule> rules = {};
  // A finished request is withheld from 0 to this many calls of Poll or Wait, drawn at random; Wait
  // gives up withholding when there is nothing else.
  std::uint32_t delay_calls_max = 0;
  bool reorder = false;  // finished requests are delivered in random order
};

// "kind[:key=value...][;...]" with kind io-error, unavailable, end-of-file or short-read and keys
// first, last, begin, end, file, count, percent; or "seed=N", "delay=N", "reorder". Example:
// "io-error:first=100:count=1;short-read:percent=5;reorder;seed=7". INVALID_ARGUMENT names the
// part that is wrong and what would be accepted. At most kFaultRulesMax rules.
Result<FaultSchedule> ParseFaultSchedule(std::string_view text);
constexpr std::size_t kFaultRulesMax = 64;
constexpr std::uint32_t kFaultDelayCallsMax = 1000;

class FaultyReader final : public BlockReader {
 public:
  FaultyReader(std::unique_ptr<BlockReader> inner, FaultSchedule plan);

  std::string_view name() const override { return "faulty"; }
  std::size_t depth() const override { return inner_->depth(); }
  bool TrySubmit(const ReadRequest& request) override;
  void Flush() override { inner_->Flush(); }
  std::size_t Poll(std::span<ReadCompletion> completions) override;
  std::size_t Wait(std::span<ReadCompletion> completions) override;
  std::size_t in_flight() const override { return slots_.size() - free_.size(); }
  Status SetFixedBuffers(std::span<const std::span<std::byte>> regions) override {
    return inner_->SetFixedBuffers(regions);
  }
  // Of the requests as the caller saw them.
  const ReaderCounters& counters() const override { return counters_; }

  std::uint64_t fault_count() const { return fault_count_; }

 private:
  enum class Stage : std::uint8_t { kFree, kFirstPiece, kLastPiece, kFinished };
  struct Slot {
    Stage stage = Stage::kFree;
    ReadRequest request;
    std::uint32_t first_piece_bytes = 0;
    std::uint32_t calls_left = 0;  // how long a finished request is still withheld
    ReadCompletion completion;
  };

  const FaultRule* Match(const ReadRequest& request);
  void StartPiece(std::uint32_t index, std::uint32_t begin, std::uint32_t end);
  void Finish(std::uint32_t index, Status status, std::uint32_t bytes_read);
  void OnInner(const ReadCompletion& completion);
  void Collect(bool wait);
  // `force`: at least one of the finished ones, withheld or not.
  std::size_t Deliver(std::span<ReadCompletion> completions, bool force);
  void Age();

  std::unique_ptr<BlockReader> inner_;
  FaultSchedule plan_;
  std::vector<std::uint64_t> rule_hits_;  // [rules]
  Random random_;
  std::uint64_t request_count_ = 0;
  std::uint64_t fault_count_ = 0;
  std::vector<Slot> slots_;  // [depth]
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> finished_;  // in order of finishing
  std::vector<ReadCompletion> inner_completions_;
  ReaderCounters counters_;
};

}  // namespace edgemoe
