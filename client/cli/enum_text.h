// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/generated_enum_reflection.h>

#include <string>
#include <string_view>

namespace edgemoe::cli {

// A value's name without what all names of its enum begin with: "MAX_TOKENS" of
// FINISH_REASON_MAX_TOKENS; a number for a value that this client does not know.
template <class Enum>
std::string EnumText(Enum value) {
  constexpr std::string_view kUnspecified = "UNSPECIFIED";
  const google::protobuf::EnumDescriptor* const type = google::protobuf::GetEnumDescriptor<Enum>();
  const auto* const found = type->FindValueByNumber(static_cast<int>(value));
  if (found == nullptr) return std::to_string(static_cast<int>(value));
  return found->name().substr(type->FindValueByNumber(0)->name().size() - kUnspecified.size());
}

}  // namespace edgemoe::cli
