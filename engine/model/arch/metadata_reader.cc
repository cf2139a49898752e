// SPDX-License-Identifier: Apache-2.0
#include "engine/model/arch/metadata_reader.h"

#include <algorithm>
#include <cmath>

#include "engine/base/accepted.h"
#include "engine/model/arch/other_inputs.h"

namespace edgemoe {

MetadataReader::MetadataReader(const GgufFile& metadata, std::string_view architecture)
    : metadata_(metadata), prefix_(std::string(architecture) + ".") {}

std::string MetadataReader::KeyOf(std::string_view name) const {
  return prefix_ + std::string(name);
}

bool MetadataReader::Has(std::string_view name) const {
  return metadata_.Find(KeyOf(name)) != nullptr;
}

bool MetadataReader::HasArray(std::string_view name) const {
  const GgufValue* const value = metadata_.Find(KeyOf(name));
  return value != nullptr && std::holds_alternative<GgufArray>(*value);
}

Status MetadataReader::Count(std::string_view name, std::uint32_t least, std::uint32_t most,
                             std::uint32_t* out) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(*out, metadata_.GetU32(key));
  return CheckRange(key, *out, least, most);
}

Status MetadataReader::CountOr(std::string_view name, std::uint32_t least, std::uint32_t most,
                               std::uint32_t fallback, std::uint32_t* out) {
  if (Has(name)) return Count(name, least, most, out);
  *out = fallback;
  return OkStatus();
}

Status MetadataReader::OnlyCount(std::string_view name, std::uint32_t only, std::string_view why) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(const std::uint32_t found, metadata_.GetU32Or(key, only));
  if (found == only) return OkStatus();
  return InvalidField(key, ShowValue(found), ShowValue(only) + ", " + std::string(why));
}

Status MetadataReader::SameInEachLayer(std::string_view name, std::uint32_t least,
                                       std::uint32_t most, std::uint32_t layer_count,
                                       std::uint32_t* out) {
  const std::string key = KeyOf(name);
  if (!HasArray(name)) return Count(name, least, most, out);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<std::int32_t> numbers, metadata_.GetInt32Array(key));
  const std::string accepted =
      "one integer, or " + std::to_string(layer_count) + " equal ones, one a layer";
  if (numbers.size() != layer_count)
    return InvalidField(key, "an array of " + std::to_string(numbers.size()), accepted);
  const auto other = std::ranges::find_if(numbers, [&](auto n) { return n != numbers.front(); });
  if (other != numbers.end())
    return UnimplementedError(key + ": " +
                              FoundAndAccepted(std::to_string(numbers.front()) +
                                                   " in layer 0 and " + std::to_string(*other) +
                                                   " in layer " +
                                                   std::to_string(other - numbers.begin()),
                                               accepted));
  if (numbers.front() < 0)
    return InvalidField(key, ShowValue(numbers.front()), AcceptedRange(least, most));
  *out = static_cast<std::uint32_t>(numbers.front());
  return CheckRange(key, *out, least, most);
}

Status MetadataReader::EachLayer(std::string_view name, std::uint32_t least, std::uint32_t most,
                                 std::uint32_t layer_count, std::vector<std::uint32_t>* out) {
  const std::string key = KeyOf(name);
  out->assign(layer_count, 0);
  if (!HasArray(name)) {
    EDGEMOE_RETURN_IF_ERROR(Count(name, least, most, &out->front()));
    out->assign(layer_count, out->front());
    return OkStatus();
  }
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(const std::vector<std::int32_t> numbers, metadata_.GetInt32Array(key));
  if (numbers.size() != layer_count)
    return InvalidField(key, "an array of " + std::to_string(numbers.size()),
                        "one integer, or " + std::to_string(layer_count) + ", one a layer");
  for (std::uint32_t i = 0; i < layer_count; ++i) {
    if (numbers[i] < 0) return InvalidField(key, ShowValue(numbers[i]), AcceptedRange(least, most));
    (*out)[i] = static_cast<std::uint32_t>(numbers[i]);
    EDGEMOE_RETURN_IF_ERROR(CheckRange(key, (*out)[i], least, most));
  }
  return OkStatus();
}

Status MetadataReader::Flags(std::string_view name, std::uint32_t layer_count,
                             std::vector<bool>* out) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(*out, metadata_.GetBoolArray(key));
  if (out->size() == layer_count) return OkStatus();
  return InvalidField(key, "an array of " + std::to_string(out->size()),
                      std::to_string(layer_count) + " bools, one a layer");
}

Result<std::vector<std::int32_t>> MetadataReader::Numbers(std::string_view name) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  return metadata_.GetInt32Array(key);
}

Status MetadataReader::Number(std::string_view name, float least, float most, float* out) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(*out, metadata_.GetF32(key));
  if (std::isfinite(*out) && *out >= least && *out <= most) return OkStatus();
  return InvalidField(key, ShowValue(static_cast<double>(*out)),
                      AcceptedRange(static_cast<double>(least), static_cast<double>(most)));
}

Status MetadataReader::NumberOr(std::string_view name, float least, float most, float fallback,
                                float* out) {
  if (Has(name)) return Number(name, least, most, out);
  *out = fallback;
  return OkStatus();
}

Status MetadataReader::OneOf(std::string_view name, std::span<const std::string_view> accepted,
                             std::size_t fallback, std::size_t* out) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(const std::string_view found,
                           metadata_.GetStringOr(key, accepted[fallback]));
  const auto at = std::ranges::find(accepted, found);
  if (at == accepted.end())
    return UnimplementedError(key + ": " +
                              FoundAndAccepted(ShowValue(found), AcceptedNames(accepted)));
  *out = static_cast<std::size_t>(at - accepted.begin());
  return OkStatus();
}

Status MetadataReader::BoolOr(std::string_view name, bool fallback, bool* out) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(*out, metadata_.GetBoolOr(key, fallback));
  return OkStatus();
}

Status MetadataReader::OnlyTrue(std::string_view name) {
  bool found = true;
  EDGEMOE_RETURN_IF_ERROR(BoolOr(name, true, &found));
  if (found) return OkStatus();
  return UnimplementedError(KeyOf(name) + ": " + FoundAndAccepted("false", "true"));
}

void MetadataReader::Ignore(std::string_view name) { read_.insert(KeyOf(name)); }

Status MetadataReader::RefuseOthers() const {
  for (const GgufEntry& entry : metadata_.metadata()) {
    if (!entry.key.starts_with(prefix_) || read_.contains(entry.key)) continue;
    if (!OtherInputOfKey(std::string_view(entry.key).substr(prefix_.size())).empty()) continue;
    return UnimplementedError(entry.key + ": found " + DescribeGgufValue(entry.value) +
                              "; the key is not known of this architecture, and a model that "
                              "depends on it cannot be run");
  }
  return OkStatus();
}

}  // namespace edgemoe
