// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/option_check.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "engine/base/accepted.h"
#include "engine/cache/policy_factory.h"
#include "engine/io/fault_schedule.h"
#include "engine/io/reader_factory.h"
#include "engine/kernels/dispatch.h"
#include "engine/serving/modes.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kThreadsMax = 64;
constexpr std::uint32_t kContextTokensMax = 1u << 20;
constexpr double kStorageScaleMax = 1000;
constexpr std::array<std::string_view, 3> kPredictors = {"router", "path", "none"};

Status CheckName(const char* field, const std::string& found,
                 std::span<const std::string_view> accepted) {
  if (std::ranges::find(accepted, found) != accepted.end()) return OkStatus();
  return InvalidField(field, ShowValue(found), AcceptedNames(accepted));
}

Status CheckMeasuring(const EngineOptions& options) {
  const Result<EngineMode> mode = ParseEngineMode(options.mode);
  if (!mode) return mode.error().InField("mode");
  if (!(options.storage_scale > 0 && options.storage_scale <= kStorageScaleMax))
    return InvalidField("storage_scale", ShowValue(options.storage_scale),
                        AcceptedAbove(0, kStorageScaleMax));
  const Result<StorageProfile> profile =
      ParseStorageProfile(options.storage_profile, options.storage_scale);
  if (!profile) return profile.error().InField("storage_profile");
  if (*mode == EngineMode::kMapped && profile->bytes_per_second != 0)
    return InvalidField("storage_profile", ShowValue(options.storage_profile),
                        "\"real\" with mode \"mmap\", for the page cache reads by itself");
  return OkStatus();
}

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
  EDGEMOE_RETURN_IF_ERROR(
      CheckRange("context_tokens", options.context_tokens, 1, kContextTokensMax));
  EDGEMOE_RETURN_IF_ERROR(CheckRange("sessions_max", options.sessions_max, 1, 64));
  EDGEMOE_RETURN_IF_ERROR(CheckRange("queue_max", options.queue_max, 0, 4096));
  EDGEMOE_RETURN_IF_ERROR(CheckRange("prefill_chunk_tokens", options.prefill_chunk_tokens, 1, 512));
  EDGEMOE_RETURN_IF_ERROR(CheckRange("threads", options.threads, 0, kThreadsMax));
  EDGEMOE_RETURN_IF_ERROR(CheckRange("io_depth", options.io_depth, 0, 1024));
  EDGEMOE_RETURN_IF_ERROR(CheckName("io_backend", options.io_backend, kIoBackendNames));
  if (const auto policy = FindEvictionPolicy(options.eviction_policy); !policy)
    return policy.error().InField("eviction_policy");
  EDGEMOE_RETURN_IF_ERROR(CheckName("predictor", options.predictor, kPredictors));
  if (const auto kernels = SelectKernels(options.kernels); !kernels)
    return kernels.error().InField("kernels");
  if (const auto faults = ParseFaultSchedule(options.io_faults); !faults)
    return faults.error().InField("io_faults");
  return CheckMeasuring(options);
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
