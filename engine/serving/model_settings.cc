// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/model_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "engine/base/accepted.h"
#include "engine/option_table.h"

namespace edgemoe {
namespace {

struct SamplingRow {
  std::string_view option;
  std::string_view file_key;  // under "general.sampling.", as llama.cpp names them; empty: none
  double (*get)(const SamplingParameters& sampling);
  void (*set)(double value, SamplingParameters& sampling);
};

template <auto kMember>
constexpr SamplingRow Row(std::string_view option, std::string_view file_key) {
  return {option, file_key,
          [](const SamplingParameters& sampling) { return static_cast<double>(sampling.*kMember); },
          [](double value, SamplingParameters& sampling) {
            sampling.*kMember = static_cast<std::decay_t<decltype(sampling.*kMember)>>(value);
          }};
}

using P = SamplingParameters;
constexpr std::array kRows = {
    Row<&P::temperature>("temperature", "temp"),
    Row<&P::top_k>("top_k", "top_k"),
    Row<&P::top_p>("top_p", "top_p"),
    Row<&P::min_p>("min_p", "min_p"),
    Row<&P::repetition_penalty>("repetition_penalty", "penalty_repeat"),
    Row<&P::presence_penalty>("presence_penalty", ""),
    Row<&P::frequency_penalty>("frequency_penalty", ""),
    Row<&P::penalty_last_n>("penalty_last_n", "penalty_last_n"),
};

// The shortest digits that are this number as a float.
std::string NumberJson(double number) {
  std::array<char, 32> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(number));
  return error == std::errc() ? std::string(text.data(), end) : "0";
}

std::string TextJson(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A number of any type; none for a bool, a text or a list.
std::optional<double> ToNumber(const GgufValue& value) {
  return std::visit(
      [](const auto& held) -> std::optional<double> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
          return static_cast<double>(held);
        } else {
          return std::nullopt;
        }
      },
      value);
}

// What llama.cpp writes for "no limit" is ours: of top_k all tokens, of penalty_last_n the context.
double WithoutLimit(std::string_view option, double number, std::uint32_t context_length) {
  if (option == "top_k" && (number < 0 || number > kTopKMax)) return 0;
  if (option == "penalty_last_n" && number == -1) return std::min(context_length, kPenaltyLastNMax);
  return number;
}

Result<std::optional<double>> FromFile(const GgufFile& metadata, const SamplingRow& row,
                                       const NumberOption& option, std::uint32_t context_length) {
  if (row.file_key.empty()) return std::nullopt;
  const std::string key = "general.sampling." + std::string(row.file_key);
  const GgufValue* const value = metadata.Find(key);
  if (value == nullptr) return std::nullopt;
  std::optional<double> number = ToNumber(*value);
  if (number) number = WithoutLimit(row.option, *number, context_length);
  if (number && Accepts(option, *number)) return number;
  return Failure(NotAccepted(DescribeGgufValue(*value),
                             AcceptedNumber(option) + ", or another value for the model's " +
                                 std::string(row.option) + " in the configuration")
                     .WithContext(key));
}

Status ChooseSampling(const GgufFile& metadata, const EngineOptions& options,
                      ModelDescription& description) {
  for (const SamplingRow& row : kRows) {
    const auto& option = std::get<NumberOption>(EngineOptionNamed(row.option).kind);
    SettingSource source = SettingSource::kConfiguration;
    std::optional<double> value = options.*option.at;
    if (!value) {
      EDGEMOE_ASSIGN_OR_RETURN(value, FromFile(metadata, row, option, description.context_length));
      source = value ? SettingSource::kFile : SettingSource::kBuiltIn;
    }
    if (value) row.set(*value, description.sampling);
    description.settings.push_back({.option = std::string(row.option),
                                    .json = NumberJson(row.get(description.sampling)),
                                    .source = source});
  }
  return OkStatus();
}

// As llama.cpp numbers them; of files that name none, or one that gives no vector, ours.
Status ChoosePooling(const GgufFile& metadata, ModelDescription& description) {
  const std::string key = description.architecture + ".pooling_type";
  EDGEMOE_ASSIGN_OR_RETURN(const std::uint32_t type, metadata.GetU32Or(key, 0));
  constexpr std::array kPoolings = {Pooling::kMean, Pooling::kFirst, Pooling::kLast};
  constexpr std::array kNames = {"mean", "first", "last"};
  const bool known = type >= 1 && type <= kPoolings.size();
  const std::size_t chosen = known ? type - 1 : 0;
  description.pooling = kPoolings[chosen];
  description.settings.push_back(
      {.option = "pooling",
       .json = TextJson(kNames[chosen]),
       .source = known ? SettingSource::kFile : SettingSource::kBuiltIn});
  return OkStatus();
}

}  // namespace

Status ChooseSettings(const GgufFile& metadata, const EngineOptions& options,
                      ModelDescription& description) {
  const EngineOptions ours;
  const auto from_options = [](bool differs) {
    return differs ? SettingSource::kConfiguration : SettingSource::kBuiltIn;
  };
  const auto add = [&description](const char* option, std::string json, SettingSource source) {
    description.settings.push_back({option, std::move(json), source});
  };
  const bool shorter = description.context_length < options.context_tokens;
  add("context_tokens",
      std::to_string(std::min(description.context_length, options.context_tokens)),
      shorter ? SettingSource::kFile : from_options(options.context_tokens != ours.context_tokens));
  add("idle_shrink_after_s", std::to_string(options.idle_shrink_after_s),
      from_options(options.idle_shrink_after_s != ours.idle_shrink_after_s));
  add("system_prompt", TextJson(options.system_prompt),
      from_options(!options.system_prompt.empty()));
  const bool in_file = options.template_file.empty() && description.has_chat_template;
  add("template_file", TextJson(options.template_file),
      in_file ? SettingSource::kFile : from_options(!options.template_file.empty()));
  if (!options.template_file.empty()) description.has_chat_template = true;
  EDGEMOE_RETURN_IF_ERROR(ChoosePooling(metadata, description));
  return ChooseSampling(metadata, options, description);
}

}  // namespace edgemoe
