// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/io_faults.h"

#include <charconv>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "engine/io/faulty_reader.h"
#include "engine/io/throttled_reader.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kNumberMax = 1u << 30;
constexpr std::uint64_t kSlowMsMax = 60'000;
constexpr std::size_t kFaultsMax = 16;

Status BadFault(std::string_view part) {
  return InvalidArgumentError(
      "found \"" + std::string(part) +
      "\"; accepted, separated by ';', at most 16: \"eio:after=N\", \"eio:after=N,count=M\", "
      "\"eio:layer=L,expert=E\", \"short:every=N\", \"slow:ms=N\"");
}

using Numbers = std::map<std::string, std::uint64_t, std::less<>>;

std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return head;
}

// "after=3,count=2"; false when it is not of that form.
bool ParseNumbers(std::string_view text, Numbers& numbers) {
  while (!text.empty()) {
    std::string_view value = TakeUntil(text, ',');
    const std::string_view key = TakeUntil(value, '=');
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number > kNumberMax ||
        !numbers.emplace(key, number).second)
      return false;
  }
  return true;
}

bool HasKeys(const Numbers& numbers, std::initializer_list<std::string_view> keys) {
  if (numbers.size() != keys.size()) return false;
  for (const std::string_view key : keys)
    if (!numbers.contains(key)) return false;
  return true;
}

bool AddFault(std::string_view kind, const Numbers& numbers, IoFaults& faults) {
  const auto number = [&numbers](std::string_view key) { return numbers.find(key)->second; };
  if (kind == "eio" && HasKeys(numbers, {"after"})) {
    faults.read_errors.push_back({number("after"), 1});
  } else if (kind == "eio" && HasKeys(numbers, {"after", "count"})) {
    faults.read_errors.push_back({number("after"), number("count")});
  } else if (kind == "eio" && HasKeys(numbers, {"layer", "expert"})) {
    faults.unreadable.push_back({ExpertLayerIndex{static_cast<std::uint32_t>(number("layer"))},
                                 ExpertIndex{static_cast<std::uint32_t>(number("expert"))}});
  } else if (kind == "short" && HasKeys(numbers, {"every"}) && number("every") > 0) {
    faults.short_read_every = number("every");
  } else if (kind == "slow" && HasKeys(numbers, {"ms"}) && number("ms") <= kSlowMsMax) {
    faults.slow_ms = number("ms");
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<IoFaults> ParseIoFaults(std::string_view text) {
  IoFaults faults;
  for (std::size_t count = 0; !text.empty(); ++count) {
    const std::string_view part = TakeUntil(text, ';');
    std::string_view rest = part;
    const std::string_view kind = TakeUntil(rest, ':');
    Numbers numbers;
    if (count == kFaultsMax || !ParseNumbers(rest, numbers) || !AddFault(kind, numbers, faults))
      return Failure(BadFault(part));
  }
  return faults;
}

Result<std::unique_ptr<BlockReader>> AddFaults(std::unique_ptr<BlockReader> reader,
                                               const IoFaults& faults, const ExpertLayout& layout,
                                               const Clock& clock) {
  FaultSchedule plan;
  for (const IoFaults::ReadErrors& errors : faults.read_errors) {
    plan.rules.push_back(
        {.kind = FaultKind::kIoError, .request_first = errors.after, .count_max = errors.count});
  }
  for (const ExpertKey key : faults.unreadable) {
    if (key.layer.value >= layout.layer_count || key.expert.value >= layout.experts_per_layer) {
      return Failure(
          InvalidArgumentError("io_faults: found layer " + std::to_string(key.layer.value) +
                               ", expert " + std::to_string(key.expert.value) +
                               "; accepted: layers below " + std::to_string(layout.layer_count) +
                               ", experts below " + std::to_string(layout.experts_per_layer)));
    }
    for (const ExpertExtent& extent : layout.of(key)) {
      // The middle byte: its neighbours' reads, rounded outwards to blocks, touch the ends.
      const std::uint64_t middle = extent.offset + extent.bytes / 2;
      plan.rules.push_back({.kind = FaultKind::kIoError,
                            .offset_begin = middle,
                            .offset_end = middle + 1,
                            .file_index = extent.file_index});
    }
  }
  if (faults.short_read_every > 0) {
    plan.rules.push_back({.kind = FaultKind::kShortRead,
                          .probability = 1.0 / static_cast<double>(faults.short_read_every)});
  }
  if (!plan.rules.empty())
    reader = std::make_unique<FaultyReader>(std::move(reader), std::move(plan));
  if (faults.slow_ms > 0) {
    reader = std::make_unique<ThrottledReader>(
        std::move(reader), ThrottledReader::Options{.bytes_per_second = 0,
                                                    .latency_ns = faults.slow_ms * 1'000'000,
                                                    .clock = &clock,
                                                    .sleep = {}});
  }
  return reader;
}

}  // namespace edgemoe
