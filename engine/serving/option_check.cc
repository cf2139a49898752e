// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/option_check.h"

#include <sched.h>

#include <algorithm>

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

}  // namespace edgemoe
