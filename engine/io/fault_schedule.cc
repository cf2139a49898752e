// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <optional>
#include <string>

#include "engine/io/faulty_reader.h"

namespace edgemoe {
namespace {

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<FaultKind> ParseKind(std::string_view text) {
  if (text == "io-error") return FaultKind::kIoError;
  if (text == "unavailable") return FaultKind::kUnavailable;
  if (text == "end-of-file") return FaultKind::kEndOfFile;
  if (text == "short-read") return FaultKind::kShortRead;
  return std::nullopt;
}

// The text up to the separator, which is removed together with it.
std::string_view TakeUntil(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

Status Wrong(std::string_view found, std::string_view accepted) {
  return InvalidArgumentError("fault plan: found \"" + std::string(found) + "\", accepted " +
                              std::string(accepted));
}

Status SetCondition(FaultRule& rule, std::string_view pair) {
  std::string_view rest = pair;
  const std::string_view key = TakeUntil(rest, '=');
  const std::optional<std::uint64_t> value = ParseNumber(rest);
  if (!value) return Wrong(pair, "key=number");
  if (key == "first") {
    rule.request_first = *value;
  } else if (key == "last") {
    rule.request_last = *value;
  } else if (key == "begin") {
    rule.offset_begin = *value;
  } else if (key == "end") {
    rule.offset_end = *value;
  } else if (key == "count") {
    rule.count_max = *value;
  } else if (key == "file" && *value < std::numeric_limits<std::uint32_t>::max()) {
    rule.file_index = static_cast<std::uint32_t>(*value);
  } else if (key == "percent" && *value <= 100) {
    rule.probability = static_cast<double>(*value) / 100;
  } else {
    return Wrong(pair, "first, last, begin, end, file, count and percent (0 to 100)");
  }
  return OkStatus();
}

Status AddPart(FaultSchedule& plan, std::string_view part) {
  std::string_view rest = part;
  const std::string_view head = TakeUntil(rest, ':');
  if (const std::optional<FaultKind> kind = ParseKind(head)) {
    if (plan.rules.size() == kFaultRulesMax)
      return Wrong(part, "at most " + std::to_string(kFaultRulesMax) + " rules");
    FaultRule& rule = plan.rules.emplace_back(FaultRule{.kind = *kind});
    while (!rest.empty()) EDGEMOE_RETURN_IF_ERROR(SetCondition(rule, TakeUntil(rest, ':')));
    return OkStatus();
  }
  std::string_view value_text = part;
  const std::string_view key = TakeUntil(value_text, '=');
  const std::optional<std::uint64_t> value = ParseNumber(value_text);
  if (key == "reorder" && value_text.empty()) {
    plan.reorder = true;
  } else if (key == "seed" && value) {
    plan.seed = *value;
  } else if (key == "delay" && value && *value <= kFaultDelayCallsMax) {
    plan.delay_calls_max = static_cast<std::uint32_t>(*value);
  } else {
    return Wrong(part,
                 "io-error, unavailable, end-of-file, short-read, seed=N, reorder and delay=0 to " +
                     std::to_string(kFaultDelayCallsMax));
  }
  return OkStatus();
}

}  // namespace

Result<FaultSchedule> ParseFaultSchedule(std::string_view text) {
  FaultSchedule plan;
  while (!text.empty()) EDGEMOE_FAIL_IF_ERROR(AddPart(plan, TakeUntil(text, ';')));
  return plan;
}

}  // namespace edgemoe
