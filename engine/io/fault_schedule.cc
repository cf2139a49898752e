// SPDX-License-Identifier: Apache-2.0
#include "engine/io/fault_schedule.h"

#include <array>
#include <charconv>
#include <map>
#include <string>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/io/faulty_reader.h"
#include "engine/io/throttled_reader.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 40;

struct KindName {
  std::string_view name;
  FaultKind kind;
};
constexpr std::array<KindName, 4> kKinds = {{{"eio", FaultKind::kIoError},
                                             {"busy", FaultKind::kUnavailable},
                                             {"eof", FaultKind::kEndOfFile},
                                             {"short", FaultKind::kShortRead}}};

// The text up to the separator, which is removed together with it.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return head;
}

// "after=3,count=2". Each key is taken once; what is left at the end is not of the kind's.
class Numbers {
 public:
  static std::optional<Numbers> Parse(std::string_view text) {
    Numbers numbers;
    while (!text.empty()) {
      std::string_view value = TakeUntil(text, ',');
      const std::string_view key = TakeUntil(value, '=');
      std::uint64_t number = 0;
      const char* const end = value.data() + value.size();
      const auto [stop, error] = std::from_chars(value.data(), end, number);
      if (error != std::errc() || stop != end || number > kNumberMax ||
          !numbers.values_.emplace(key, number).second)
        return std::nullopt;
    }
    return numbers;
  }

  std::optional<std::uint64_t> Take(std::string_view key) {
    const auto at = values_.find(key);
    if (at == values_.end()) return std::nullopt;
    const std::uint64_t number = at->second;
    values_.erase(at);
    return number;
  }
  bool empty() const { return values_.empty(); }

 private:
  std::map<std::string_view, std::uint64_t> values_;
};

constexpr bool FitsIndex(std::uint64_t number) {
  return number < std::numeric_limits<std::uint32_t>::max();
}

// False for numbers that a rule cannot have.
bool SetConditions(Numbers& numbers, FaultRule& rule) {
  const auto after = numbers.Take("after");
  const auto count = numbers.Take("count");
  const std::uint64_t every = numbers.Take("every").value_or(1);
  const auto layer = numbers.Take("layer");
  const auto expert = numbers.Take("expert");
  const auto file = numbers.Take("file");
  rule.offset_begin = numbers.Take("begin").value_or(rule.offset_begin);
  rule.offset_end = numbers.Take("end").value_or(rule.offset_end);
  rule.after = after.value_or(0);
  if (count || after) rule.count_max = count.value_or(1);
  if (every == 0 || layer.has_value() != expert.has_value()) return false;
  rule.probability = 1.0 / static_cast<double>(every);
  if (expert) {
    if (!FitsIndex(*layer) || !FitsIndex(*expert)) return false;
    rule.expert = ExpertKey{ExpertLayerIndex{static_cast<std::uint32_t>(*layer)},
                            ExpertIndex{static_cast<std::uint32_t>(*expert)}};
  }
  if (file) {
    if (!FitsIndex(*file)) return false;
    rule.file_index = static_cast<std::uint32_t>(*file);
  }
  return true;
}

bool AddPart(std::string_view part, FaultSchedule& faults) {
  const std::string_view kind = TakeUntil(part, ':');
  std::optional<Numbers> numbers = Numbers::Parse(part);
  if (!numbers) return false;
  for (const KindName& known : kKinds) {
    if (known.name != kind) continue;
    FaultRule& rule = faults.rules.emplace_back(FaultRule{.kind = known.kind});
    return SetConditions(*numbers, rule) && numbers->empty();
  }
  std::optional<std::uint64_t> number;
  if (kind == "shuffle") {
    faults.shuffle = true;
    return numbers->empty();
  }
  if (kind == "slow" && (number = numbers->Take("ms")) && *number <= kFaultSlowMsMax) {
    faults.slow_ms = *number;
  } else if (kind == "late" && (number = numbers->Take("calls")) && *number <= kFaultLateCallsMax) {
    faults.late_calls_max = static_cast<std::uint32_t>(*number);
  } else if (kind == "random" && (number = numbers->Take("seed"))) {
    faults.seed = *number;
  } else {
    return false;
  }
  return numbers->empty();
}

}  // namespace

Result<FaultSchedule> ParseFaultSchedule(std::string_view text) {
  FaultSchedule faults;
  for (std::size_t count = 0; !text.empty(); ++count) {
    const std::string_view part = TakeUntil(text, ';');
    if (count == kFaultPartsMax)
      return Failure(NotAccepted("more parts", AcceptedAtMost(kFaultPartsMax) + " separated by ;"));
    if (!AddPart(part, faults)) return Failure(NotAccepted(ShowValue(part), kFaultGrammar));
  }
  return faults;
}

std::unique_ptr<BlockReader> AddFaults(std::unique_ptr<BlockReader> reader,
                                       const FaultSchedule& faults, const Clock& clock) {
  if (faults.breaks_reads()) reader = std::make_unique<FaultyReader>(std::move(reader), faults);
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
