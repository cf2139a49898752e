// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/io/block_reader.h"
#include "tests/support/fake_clock.h"

namespace edgemoe {

// Storage that is a span of bytes, in the time of a FakeClock: which request is served when, which
// fails and how depends on the seed alone. Waiting moves the clock. Single-threaded.
class SimulatedReader final : public BlockReader {
 public:
  struct Options {
    std::uint64_t seed = 0;
    std::size_t depth = 8;
    std::uint64_t latency_ns_max = 100'000;  // of each request, drawn
    std::uint32_t error_percent = 0;         // of requests: DATA_LOSS
    // From the `dead_from`th request on, `dead_count` of them fail; a device that comes back.
    std::uint64_t dead_from = UINT64_MAX;
    std::uint64_t dead_count = 0;
    // From this request on each takes a hundred times as long.
    std::uint64_t slow_from = UINT64_MAX;
  };

  SimulatedReader(std::span<const std::byte> file, FakeClock* clock, const Options& options)
      : file_(file), clock_(clock), options_(options), random_(options.seed) {}

  std::string_view name() const override { return "simulated"; }
  std::size_t depth() const override { return options_.depth; }
  std::size_t in_flight() const override { return requests_.size(); }
  const ReaderCounters& counters() const override { return counters_; }
  void Flush() override {}

  bool TrySubmit(const ReadRequest& request) override {
    if (requests_.size() == options_.depth) return false;
    EDGEMOE_CHECK(request.offset % kReadAlignment == 0 && request.bytes % kReadAlignment == 0 &&
                      request.bytes > 0 && request.bytes_needed <= request.bytes,
                  "a request that no reader takes");
    const std::uint64_t ordinal = submitted_++;
    std::uint64_t latency_ns = random_.NextBelow(options_.latency_ns_max + 1);
    if (ordinal >= options_.slow_from) latency_ns *= 100;
    const bool dead =
        ordinal >= options_.dead_from && ordinal - options_.dead_from < options_.dead_count;
    requests_.push_back({.request = request,
                         .due_ns = clock_->NowNs() + latency_ns,
                         .fails = dead || random_.NextBelow(100) < options_.error_percent});
    // Not to be read before it is there: what a layer computes from early must not pass.
    std::memset(request.destination, 0xee, request.bytes);
    return true;
  }

  std::size_t Poll(std::span<ReadCompletion> completions) override {
    std::size_t count = 0;
    for (std::size_t i = 0; i < requests_.size() && count < completions.size();) {
      if (requests_[i].due_ns > clock_->NowNs()) {
        ++i;
        continue;
      }
      completions[count++] = Finish(requests_[i]);
      requests_[i] = requests_.back();
      requests_.pop_back();
    }
    return count;
  }

  std::size_t Wait(std::span<ReadCompletion> completions) override {
    if (requests_.empty()) return 0;
    const auto first =
        std::min_element(requests_.begin(), requests_.end(),
                         [](const InFlight& a, const InFlight& b) { return a.due_ns < b.due_ns; });
    if (first->due_ns > clock_->NowNs()) clock_->Advance(first->due_ns - clock_->NowNs());
    return Poll(completions);
  }

 private:
  struct InFlight {
    ReadRequest request;
    std::uint64_t due_ns = 0;
    bool fails = false;
  };

  ReadCompletion Finish(const InFlight& in_flight) {
    const ReadRequest& request = in_flight.request;
    ++counters_.reads;
    if (in_flight.fails) {
      ++counters_.errors;
      return {.tag = request.tag, .status = DataLossError("simulated"), .bytes_read = 0};
    }
    const std::uint64_t left = file_.size() - std::min<std::uint64_t>(request.offset, file_.size());
    const auto bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(request.bytes, left));
    EDGEMOE_CHECK(bytes >= request.bytes_needed, "reads beyond the end of the file");
    std::memcpy(request.destination, file_.data() + request.offset, bytes);
    counters_.bytes += bytes;
    return {.tag = request.tag, .status = OkStatus(), .bytes_read = bytes};
  }

  std::span<const std::byte> file_;
  FakeClock* const clock_;
  const Options options_;
  Random random_;
  std::uint64_t submitted_ = 0;
  std::vector<InFlight> requests_;
  ReaderCounters counters_;
};

}  // namespace edgemoe
