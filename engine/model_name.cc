// SPDX-License-Identifier: Apache-2.0
#include "engine/model_name.h"

#include <cstddef>
#include <string_view>

namespace edgemoe {

std::string ModelNameFromPath(const std::string& path) {
  constexpr std::string_view kExtension = ".gguf";
  constexpr std::string_view kPart = "-00001-of-00000";  // its digits vary
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.size() > kExtension.size() && name.ends_with(kExtension))
    name.resize(name.size() - kExtension.size());
  if (name.size() <= kPart.size()) return name;
  const std::string_view end = std::string_view(name).substr(name.size() - kPart.size());
  for (std::size_t i = 0; i < kPart.size(); ++i) {
    const bool digit = end[i] >= '0' && end[i] <= '9';
    if (kPart[i] == '0' || kPart[i] == '1' ? !digit : end[i] != kPart[i]) return name;
  }
  name.resize(name.size() - kPart.size());
  return name;
}

}  // namespace edgemoe
