// SPDX-License-Identifier: Apache-2.0
#include "engine/model/arch/metadata_reader.h"

#include <cmath>
#include <cstdio>

namespace edgemoe {
namespace {

std::string Text(float value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", static_cast<double>(value));
  return text;
}

}  // namespace

MetadataReader::MetadataReader(const GgufFile& metadata, std::string_view architecture)
    : metadata_(metadata), prefix_(std::string(architecture) + ".") {}

std::string MetadataReader::KeyOf(std::string_view name) const {
  return prefix_ + std::string(name);
}

bool MetadataReader::Has(std::string_view name) const {
  return metadata_.Find(KeyOf(name)) != nullptr;
}

Status MetadataReader::Count(std::string_view name, std::uint32_t least, std::uint32_t most,
                             std::uint32_t* out) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(*out, metadata_.GetU32(key));
  if (*out >= least && *out <= most) return OkStatus();
  return InvalidArgumentError(key + ": found " + std::to_string(*out) + ", accepted are " +
                              std::to_string(least) + " to " + std::to_string(most));
}

Status MetadataReader::CountOr(std::string_view name, std::uint32_t least, std::uint32_t most,
                               std::uint32_t fallback, std::uint32_t* out) {
  if (Has(name)) return Count(name, least, most, out);
  *out = fallback;
  return OkStatus();
}

Status MetadataReader::Number(std::string_view name, float least, float most, float* out) {
  const std::string key = KeyOf(name);
  read_.insert(key);
  EDGEMOE_ASSIGN_OR_RETURN(*out, metadata_.GetF32(key));
  if (std::isfinite(*out) && *out >= least && *out <= most) return OkStatus();
  return InvalidArgumentError(key + ": found " + Text(*out) + ", accepted are numbers from " +
                              Text(least) + " to " + Text(most));
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
  std::string names;
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    if (found == accepted[i]) {
      *out = i;
      return OkStatus();
    }
    names.append(i == 0 ? "\"" : ", \"").append(accepted[i]).append("\"");
  }
  return UnimplementedError(key + ": found " + QuoteForMessage(found) + ", accepted are " + names);
}

void MetadataReader::Ignore(std::string_view name) { read_.insert(KeyOf(name)); }

Status MetadataReader::RefuseOthers() const {
  for (const GgufEntry& entry : metadata_.metadata()) {
    if (!entry.key.starts_with(prefix_) || read_.contains(entry.key)) continue;
    return UnimplementedError(entry.key +
                              ": not known of this architecture; a model that depends "
                              "on it cannot be run");
  }
  return OkStatus();
}

}  // namespace edgemoe
