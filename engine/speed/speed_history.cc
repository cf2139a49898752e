// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/speed_history.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/system/processor.h"
#include "engine/base/system/whole_file.h"
#include "engine/io/state_json.h"

namespace edgemoe {
namespace {

using nlohmann::json;

// Of the file, and of the way of estimating.
constexpr int kHistoryVersion = 1;

bool IsSpeed(double value) { return std::isfinite(value) && value > 0; }

bool IsGood(const SpeedPair& pair) {
  return IsSpeed(pair.expected) && IsSpeed(pair.measured) &&
         IsSpeed(pair.miss_exponent.value_or(1));
}

json ToJson(const SpeedPair& pair) {
  json stored = {{"expected", pair.expected}, {"measured", pair.measured}, {"model", pair.model}};
  if (pair.miss_exponent) stored["miss_exponent"] = *pair.miss_exponent;
  return stored;
}

// Throws what nlohmann::json throws for values of other types.
std::vector<SpeedPair> PairsFromJson(const json& stored) {
  if (stored.at("version").get<int>() != kHistoryVersion ||
      stored.at("processor").get<std::string>() != ProcessorName())
    return {};
  const json& list = stored.at("pairs");
  if (!list.is_array() || list.size() > kSpeedPairsMax) return {};
  std::vector<SpeedPair> pairs;
  for (const json& one : list) {
    SpeedPair pair = {.expected = one.at("expected").get<double>(),
                      .measured = one.at("measured").get<double>(),
                      .model = one.at("model").get<std::string>()};
    if (one.contains("miss_exponent")) pair.miss_exponent = one.at("miss_exponent").get<double>();
    if (!IsGood(pair)) return {};
    pairs.push_back(pair);
  }
  return pairs;
}

// Of ascending values, between the two nearest ones.
double Percentile(std::span<const double> values, double percent) {
  const double place = percent / 100 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace

SpeedHistory::SpeedHistory(const std::string& directory)
    : path_(directory + "/speed-history.json") {}

std::vector<SpeedPair> SpeedHistory::Read() const {
  const std::optional<json> stored = ReadStateJson(path_);
  if (!stored) return {};
  try {
    return PairsFromJson(*stored);
  } catch (const json::exception&) {
    return {};
  }
}

Status SpeedHistory::Add(const SpeedPair& pair) const {
  if (!IsGood(pair))
    return InvalidArgumentError(
        "speed: " + FoundAndAccepted(ShowValue(pair.expected) + ", " + ShowValue(pair.measured),
                                     "tokens a second above 0"));
  std::vector<SpeedPair> pairs = Read();
  if (pairs.size() >= kSpeedPairsMax)
    pairs.erase(pairs.begin(), pairs.end() - static_cast<std::ptrdiff_t>(kSpeedPairsMax - 1));
  pairs.push_back(pair);
  json list = json::array();
  for (const SpeedPair& one : pairs) list.push_back(ToJson(one));
  const json stored = {
      {"version", kHistoryVersion}, {"processor", ProcessorName()}, {"pairs", std::move(list)}};
  return WriteWholeFile(path_, stored.dump(2) + "\n", {.make_folders = true});
}

std::optional<double> MissExponentOf(std::span<const SpeedPair> pairs, const std::string& model) {
  for (std::size_t i = pairs.size(); i > 0; --i)
    if (pairs[i - 1].model == model && pairs[i - 1].miss_exponent)
      return pairs[i - 1].miss_exponent;
  return std::nullopt;
}

SpeedBar BarOf(std::span<const SpeedPair> pairs) {
  if (pairs.size() < kSpeedPairsMin) return kDefaultSpeedBar;
  std::vector<double> ratios;
  ratios.reserve(pairs.size());
  for (const SpeedPair& pair : pairs) ratios.push_back(pair.measured / pair.expected);
  std::ranges::sort(ratios);
  return {.low = std::min(1.0, Percentile(ratios, 10)),
          .high = std::max(1.0, Percentile(ratios, 90)),
          .pair_count = static_cast<std::uint32_t>(ratios.size())};
}

}  // namespace edgemoe
