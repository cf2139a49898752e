// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/option_check.h"

#include <sched.h>

#include <algorithm>
#include <string_view>

#include "engine/base/accepted.h"
#include "engine/kernels/dispatch.h"
#include "engine/option_table.h"

namespace edgemoe {
namespace {

std::uint32_t AllowedCores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&allowed)));
}

}  // namespace

Status ValidateOptions(const EngineOptions& options) {
  if (options.model_path.empty())
    return InvalidField("model_path", ShowValue(""), "the path of a GGUF file");
  for (const EngineOption& option : EngineOptionTable())
    EDGEMOE_RETURN_IF_ERROR(CheckOption(option, options));
  if (const auto kernels = SelectKernels(options.kernels); !kernels)
    return kernels.error().InField("kernels");
  if (options.mode == "mmap" && options.storage_profile != "real")
    return InvalidField("storage_profile", ShowValue(options.storage_profile),
                        "\"real\" with mode \"mmap\", for the page cache reads by itself");
  return OkStatus();
}

std::size_t ThreadCount(const EngineOptions& options) {
  if (options.threads != 0) return options.threads;
  return std::min(AllowedCores(), kThreadsMax);
}

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
