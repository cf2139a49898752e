// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/trace_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kU32Max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kExpertBytesMax = std::uint64_t{1} << 40;
constexpr std::size_t kColumnCount = 9;
// "1.000" and what rounding adds to it.
constexpr double kWeightMax = 1.001;

class TraceParser {
 public:
  explicit TraceParser(const std::string& name) : name_(name) {}

  Status Line(std::string_view line);
  Result<RoutingTrace> Finish() &&;

 private:
  struct Row {
    std::uint32_t turn, phase, step, layer, slot, expert;
    float weight;
  };

  Status Wrong(std::string_view field, std::string_view value, const std::string& accepted) const;
  Status TooMuch(std::size_t most, const char* of) const;
  Status Number(std::string_view field, std::string_view text, std::uint64_t max,
                std::uint64_t& value) const;
  Status Comment(std::string_view text);
  Status HeaderField(std::string_view key, std::string_view value, std::uint64_t& layer);
  Status Columns(std::string_view line);
  Status ParseRow(std::string_view line, Row& row) const;
  Status Append(const Row& row);
  void BeginRow(const Row& row);
  void GiveSlots();

  const std::string& name_;
  std::size_t line_number_ = 0;
  bool in_rows_ = false;
  RoutingTrace trace_;
  Row last_{};
  std::vector<std::size_t> choices_end_;                          // of each row
  std::unordered_map<std::uint32_t, std::uint32_t> batch_turns_;  // of the last batch, to phases
};

Status TraceParser::Wrong(std::string_view field, std::string_view value,
                          const std::string& accepted) const {
  return NotAccepted(ShowValue(value), accepted)
      .WithContext(name_ + ":" + std::to_string(line_number_) + ": " + std::string(field));
}

Status TraceParser::TooMuch(std::size_t most, const char* of) const {
  const std::string limit = std::to_string(most) + " " + of;
  return ResourceExhaustedError(name_ + ": " +
                                FoundAndAccepted("more than " + limit, AcceptedAtMost(most)));
}

Status TraceParser::Number(std::string_view field, std::string_view text, std::uint64_t max,
                           std::uint64_t& value) const {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max)
    return Wrong(field, text, AcceptedRange(0, max));
  return OkStatus();
}

Status TraceParser::Line(std::string_view line) {
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (!in_rows_) return line.starts_with('#') ? Comment(line.substr(1)) : Columns(line);
  Row row{};
  EDGEMOE_RETURN_IF_ERROR(ParseRow(line, row));
  return Append(row);
}

// Words of the form key=value, and the format's version; others are for people.
Status TraceParser::Comment(std::string_view text) {
  const std::string format = " " + std::string(kTraceFormat) + " ";
  if (text.starts_with(format) && text.substr(format.size()) != kTraceVersion)
    return Wrong(kTraceFormat, text.substr(format.size()), std::string(kTraceVersion));
  std::uint64_t layer = kTraceLayersMax;  // none named so far
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    EDGEMOE_RETURN_IF_ERROR(HeaderField(word.substr(0, equals), word.substr(equals + 1), layer));
  }
  return OkStatus();
}

Status TraceParser::HeaderField(std::string_view key, std::string_view value,
                                std::uint64_t& layer) {
  TraceDescription& description = trace_.description;
  std::uint64_t number = 0;
  if (key == "model") {
    description.model = value;
  } else if (key == "arch") {
    description.architecture = value;
  } else if (key == "n_layer") {
    EDGEMOE_RETURN_IF_ERROR(Number(key, value, kTraceLayersMax, number));
    description.expert_bytes.resize(number);
  } else if (key == "n_expert") {
    EDGEMOE_RETURN_IF_ERROR(Number(key, value, kTraceExpertsMax, number));
    description.experts_per_layer = static_cast<std::uint32_t>(number);
  } else if (key == "n_expert_used") {
    EDGEMOE_RETURN_IF_ERROR(Number(key, value, kTraceExpertsMax, number));
    description.experts_used = static_cast<std::uint32_t>(number);
  } else if (key == "layer") {
    if (description.expert_bytes.empty()) return Wrong(key, value, "n_layer in a line before it");
    return Number(key, value, description.expert_bytes.size() - 1, layer);
  } else if (key == "expert_bytes") {
    if (layer == kTraceLayersMax) return Wrong(key, value, "layer before it in its line");
    EDGEMOE_RETURN_IF_ERROR(Number(key, value, kExpertBytesMax, description.expert_bytes[layer]));
  }
  return OkStatus();
}

Status TraceParser::Columns(std::string_view line) {
  if (line != kTraceColumns) return Wrong("columns", line, std::string(kTraceColumns));
  const TraceDescription& description = trace_.description;
  if (description.expert_bytes.empty())
    return Wrong("header", "", "a line with n_layer before the columns");
  if (description.experts_per_layer == 0)
    return Wrong("header", "", "a line with n_expert above 0 before the columns");
  if (description.experts_used == 0 || description.experts_used > description.experts_per_layer) {
    return Wrong("n_expert_used", std::to_string(description.experts_used),
                 AcceptedRange(1, description.experts_per_layer));
  }
  in_rows_ = true;
  return OkStatus();
}

Status TraceParser::ParseRow(std::string_view line, Row& row) const {
  std::array<std::string_view, kColumnCount> fields;
  std::string_view rest = line;
  for (std::size_t i = 0; i < kColumnCount; ++i) {
    const std::size_t comma = rest.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == kColumnCount))
      return Wrong("row", line, std::to_string(kColumnCount) + " values between commas");
    fields[i] = rest.substr(0, comma);
    rest.remove_prefix(std::min(rest.size(), fields[i].size() + 1));
  }
  const TraceDescription& description = trace_.description;
  const auto number = [&](std::size_t field, std::string_view column, std::uint64_t max,
                          std::uint32_t& value) {
    std::uint64_t wide = 0;
    Status status = Number(column, fields[field], max, wide);
    value = static_cast<std::uint32_t>(wide);
    return status;
  };
  std::uint32_t residency = 0;
  std::uint64_t bytes = 0;
  EDGEMOE_RETURN_IF_ERROR(number(0, "turn", kU32Max, row.turn));
  EDGEMOE_RETURN_IF_ERROR(number(1, "phase", 1, row.phase));
  EDGEMOE_RETURN_IF_ERROR(number(2, "step", kU32Max, row.step));
  EDGEMOE_RETURN_IF_ERROR(number(3, "layer", description.expert_bytes.size() - 1, row.layer));
  EDGEMOE_RETURN_IF_ERROR(number(4, "slot", description.experts_used - 1, row.slot));
  EDGEMOE_RETURN_IF_ERROR(number(5, "expert", description.experts_per_layer - 1, row.expert));
  const std::string_view weight = fields[6];
  const auto [end, error] =
      std::from_chars(weight.data(), weight.data() + weight.size(), row.weight);
  if (error != std::errc() || end != weight.data() + weight.size() || !(row.weight >= 0) ||
      row.weight > kWeightMax) {
    return Wrong("weight", weight, "a number in [0, 1]");
  }
  EDGEMOE_RETURN_IF_ERROR(number(7, "residency", 1, residency));
  EDGEMOE_RETURN_IF_ERROR(Number("expert_bytes", fields[8], kExpertBytesMax, bytes));
  if (description.expert_bytes[row.layer] == 0)
    return Wrong("layer", fields[3], "layers whose expert_bytes the header tells");
  return OkStatus();
}

Status TraceParser::Append(const Row& row) {
  if (trace_.choices.size() == kTraceRowsMax) {
    return TooMuch(kTraceRowsMax, "rows");
  }
  const bool same_token = !trace_.rows.empty() && row.turn == last_.turn &&
                          row.phase == last_.phase && row.step == last_.step &&
                          row.layer == last_.layer;
  const std::uint32_t slot_expected = same_token && row.slot != 0 ? last_.slot + 1 : 0;
  if (row.slot != slot_expected) {
    return Wrong("slot", std::to_string(row.slot),
                 std::to_string(slot_expected) + ", the rank in its token's choice");
  }
  if (row.slot == 0) {
    BeginRow(row);
  } else {
    for (std::size_t i = trace_.choices.size() - row.slot; i < trace_.choices.size(); ++i) {
      if (trace_.choices[i].expert == row.expert)
        return Wrong("expert", std::to_string(row.expert), "each expert once in a token's choice");
    }
  }
  trace_.choices.push_back({row.expert, row.weight});
  choices_end_.back() = trace_.choices.size();
  trace_.batches.back().row_end = trace_.rows.size();
  last_ = row;
  return OkStatus();
}

// A token joins the batch while the layer stays the same; but of a turn there are either tokens of
// the prompt or one that is decoded.
void TraceParser::BeginRow(const Row& row) {
  const bool decodes = row.phase == 1;
  const auto turn = batch_turns_.find(row.turn);
  const bool joins = !trace_.batches.empty() && row.layer == last_.layer &&
                     (turn == batch_turns_.end() || (turn->second == 0 && !decodes));
  if (!joins) {
    batch_turns_.clear();
    const bool begins_step = trace_.batches.empty() || row.layer <= last_.layer;
    trace_.batches.push_back(
        {ExpertLayerIndex{row.layer}, begins_step, trace_.rows.size(), trace_.rows.size()});
  }
  batch_turns_[row.turn] = row.phase;
  if (decodes && trace_.batches.back().begins_step) ++trace_.decode_tokens;
  trace_.rows.push_back({.request = RequestId{std::uint64_t{row.turn} + 1},
                         .session = {},
                         .phase = decodes ? RoutingPhase::kDecode : RoutingPhase::kPrefill,
                         .position = row.step,
                         .choices = {}});
  choices_end_.push_back(0);
}

// Each turn has the lowest slot that is free from its first row to its last.
void TraceParser::GiveSlots() {
  std::unordered_map<std::uint64_t, std::size_t> last_row;
  for (std::size_t i = 0; i < trace_.rows.size(); ++i) last_row[trace_.rows[i].request.value] = i;
  std::unordered_map<std::uint64_t, std::uint32_t> slot_of;
  std::vector<bool> taken;
  for (std::size_t i = 0; i < trace_.rows.size(); ++i) {
    RoutedRow& row = trace_.rows[i];
    const auto [at, is_new] = slot_of.try_emplace(row.request.value);
    if (is_new) {
      const auto free = std::find(taken.begin(), taken.end(), false);
      at->second = static_cast<std::uint32_t>(free - taken.begin());
      if (free == taken.end()) {
        taken.push_back(true);
      } else {
        *free = true;
      }
    }
    row.session = SessionSlot{at->second};
    if (last_row[row.request.value] == i) taken[at->second] = false;
    if (taken.size() > kTraceSessionsMax) break;  // refused by the caller
  }
  trace_.sessions_max = static_cast<std::uint32_t>(taken.size());
}

Result<RoutingTrace> TraceParser::Finish() && {
  if (!in_rows_) return Failure(Wrong("columns", "", std::string(kTraceColumns)));
  if (trace_.rows.empty()) return Failure(Wrong("row", "", "at least one"));
  GiveSlots();
  if (trace_.sessions_max > kTraceSessionsMax) {
    return Failure(TooMuch(kTraceSessionsMax, "turns at once"));
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i < trace_.rows.size(); ++i) {
    trace_.rows[i].choices = std::span(trace_.choices).subspan(begin, choices_end_[i] - begin);
    begin = choices_end_[i];
  }
  return std::move(trace_);
}

}  // namespace

Result<RoutingTrace> ReadTrace(std::istream& input, const std::string& name) {
  TraceParser parser(name);
  std::vector<char> line(kTraceLineBytesMax + 1);
  while (input.getline(line.data(), static_cast<std::streamsize>(line.size())))
    EDGEMOE_FAIL_IF_ERROR(parser.Line(line.data()));
  if (!input.eof()) {
    return Failure(ResourceExhaustedError(name + ": " +
                                          FoundAndAccepted("a line of more than " +
                                                               std::to_string(kTraceLineBytesMax) +
                                                               " bytes, or a read that failed",
                                                           "shorter lines")));
  }
  return std::move(parser).Finish();
}

}  // namespace edgemoe
