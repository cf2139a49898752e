// SPDX-License-Identifier: Apache-2.0
#include "engine/model_name.h"

#include <string_view>

#include "engine/base/split_name.h"

namespace edgemoe {

std::string ModelNameFromPath(const std::string& path) {
  constexpr std::string_view kExtension = ".gguf";
  std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (const auto split = ParseSplitName(name)) return std::string(split->stem);
  if (name.size() > kExtension.size() && name.ends_with(kExtension))
    name.remove_suffix(kExtension.size());
  return std::string(name);
}

}  // namespace edgemoe
