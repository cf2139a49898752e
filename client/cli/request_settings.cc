// SPDX-License-Identifier: Apache-2.0
#include "client/cli/request_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "client/cli/terminal/format_text.h"

namespace edgemoe::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Part = RequestSetting::Part;

constexpr RequestSetting kSettings[] = {
    {Part::kReasoning, "enabled", "--think,!--no-think", "",
     "Whether the model thinks first (default: as its template has it)"},
    {Part::kReasoning, "effort", "--reasoning-effort", "EFFORT",
     "How much it thinks, as the template knows it: low, medium, high"},
    {Part::kReasoningLimit, "max_tokens", "--reasoning-limit", "N",
     "Tokens after which its thinking is closed"},
    {Part::kSampling, "temperature", "-t,--temperature", "T",
     "0 takes the most likely token (default 0.8)"},
    {Part::kSampling, "top_k", "--top-k", "K",
     "Only the K most likely tokens; 0: all (default 40)"},
    {Part::kSampling, "top_p", "--top-p", "P",
     "Fewest tokens that reach this probability (default 0.95)"},
    {Part::kSampling, "min_p", "--min-p", "P",
     "Least probability relative to the best token (default 0.05)"},
    {Part::kSampling, "repetition_penalty", "--repetition-penalty", "X",
     "Divides the logits of recent tokens (default 1: off)"},
    {Part::kSampling, "presence_penalty", "--presence-penalty", "X",
     "Taken off the logits of tokens that occurred (default 0)"},
    {Part::kSampling, "frequency_penalty", "--frequency-penalty", "X",
     "Taken off for each occurrence (default 0)"},
    {Part::kSampling, "penalty_last_n", "--penalty-last-n", "N",
     "Recent tokens that the penalties see (default 64)"},
    {Part::kSampling, "seed", "--seed", "SEED",
     "The same seed gives the same answer (default: random)"},
    {Part::kStopping, "max_tokens", "-n,--max-tokens", "N", "Tokens to write at most"},
    {Part::kStopping, "time_limit_seconds", "--time-limit", "SECONDS",
     "How long the answer may take, its wait included"},
    {Part::kStopping, "ignore_end_of_generation", "--ignore-end", "",
     "Go on past the model's own end token"},
};

const FieldDescriptor* FieldOf(const RequestSetting& setting, const Message& part) {
  return part.GetDescriptor()->FindFieldByName(setting.field);
}

template <class Number>
bool Parse(const std::string& text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

// The text of a number as the field's setter takes it; false where it is none.
template <class Number>
bool SetNumber(const std::string& text, Message& part, const FieldDescriptor* field,
               void (google::protobuf::Reflection::*set)(Message*, const FieldDescriptor*, Number)
                   const) {
  Number value{};
  if (!Parse(text, value)) return false;
  (part.GetReflection()->*set)(&part, field, value);
  return true;
}

}  // namespace

std::string RequestSetting::flag() const {
  const std::string_view all = flags;
  const std::size_t begin = all.find("--");
  return std::string(all.substr(begin, all.find(',', begin) - begin));
}

std::string RequestSetting::name() const {
  std::string name = flag().substr(2);
  std::ranges::replace(name, '-', '_');
  return name;
}

std::span<const RequestSetting> RequestSettings() { return kSettings; }

const RequestSetting* FindRequestSetting(std::string_view name) {
  std::string wanted(name);
  std::ranges::replace(wanted, '-', '_');
  const auto* const found = std::ranges::find(kSettings, wanted, &RequestSetting::name);
  return found == std::end(kSettings) ? nullptr : found;
}

Message& PartOf(const RequestSetting& setting, v1::ChatRequest& request) {
  switch (setting.part) {
    case Part::kSampling: return *request.mutable_sampling();
    case Part::kStopping: return *request.mutable_stopping();
    case Part::kReasoning:
    case Part::kReasoningLimit: break;
  }
  return *request.mutable_reasoning();
}

std::string SetFromText(const RequestSetting& setting, const std::string& text, Message& part) {
  using google::protobuf::Reflection;
  const FieldDescriptor* const field = FieldOf(setting, part);
  const Reflection& reflection = *part.GetReflection();
  const char* accepted = "a number";
  bool taken = false;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_FLOAT:
      taken = SetNumber(text, part, field, &Reflection::SetFloat);
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      taken = SetNumber(text, part, field, &Reflection::SetDouble);
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      taken = SetNumber(text, part, field, &Reflection::SetUInt32);
      accepted = "a whole number in [0, 4294967295]";
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      taken = SetNumber(text, part, field, &Reflection::SetUInt64);
      accepted = "a whole number in [0, 18446744073709551615]";
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      taken = text == "on" || text == "off";
      accepted = "on, off";
      if (taken) reflection.SetBool(&part, field, text == "on");
      break;
    default: reflection.SetString(&part, field, text); taken = true;
  }
  return taken ? "" : "found \"" + text + "\"; accepted: " + accepted;
}

void Unset(const RequestSetting& setting, Message& part) {
  part.GetReflection()->ClearField(&part, FieldOf(setting, part));
}

std::string TextOf(const RequestSetting& setting, const Message& part) {
  const FieldDescriptor* const field = FieldOf(setting, part);
  const google::protobuf::Reflection& reflection = *part.GetReflection();
  if (!reflection.HasField(part, field)) return "";
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Format("%g", static_cast<double>(reflection.GetFloat(part, field)));
    case FieldDescriptor::CPPTYPE_DOUBLE: return Format("%g", reflection.GetDouble(part, field));
    case FieldDescriptor::CPPTYPE_UINT32: return std::to_string(reflection.GetUInt32(part, field));
    case FieldDescriptor::CPPTYPE_UINT64: return std::to_string(reflection.GetUInt64(part, field));
    case FieldDescriptor::CPPTYPE_BOOL: return reflection.GetBool(part, field) ? "on" : "off";
    default: return reflection.GetString(part, field);
  }
}

}  // namespace edgemoe::cli
