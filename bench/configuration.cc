// SPDX-License-Identifier: Apache-2.0
#include "bench/configuration.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "bench/statistics.h"
#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/describe.h"
#include "engine/plan.h"

namespace edgemoe::bench {
namespace {

std::uint64_t ExpertBytes(const ModelDescription& model, const MemoryPlan& plan) {
  return plan.expert_total_bytes / std::max(1u, model.layer_count * model.expert_count);
}

struct FlagName {
  std::string_view option;  // of the engine
  const char* flag;
};
constexpr FlagName kFlags[] = {{"memory_budget_bytes", "--budget"},
                               {"expert_budget_bytes", "--expert-budget"},
                               {"threads", "--threads"},
                               {"context_tokens", "--context"},
                               {"prefill_chunk_tokens", "--chunk"},
                               {"io_backend", "--io-backend"},
                               {"io_depth", "--io-depth"},
                               {"verify", "--verify"},
                               {"kernels", "--kernels"},
                               {"mode", "--mode"},
                               {"eviction_policy", "--policy"},
                               {"predictor", "--predictor"},
                               {"storage_profile", "--storage"},
                               {"storage_scale", "--storage-scale"}};

// An error of the engine in the words of the command line.
Status InFlags(const Status& status) {
  for (const FlagName& name : kFlags)
    if (name.option == status.field()) return status.WithField(name.flag);
  return status;
}

Result<double> ParseScale(const std::string& text, std::uint64_t expert_bytes) {
  if (text == "paper")
    return static_cast<double>(expert_bytes) / static_cast<double>(kPaperExpertBytes);
  double scale = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, scale);
  if (error != std::errc() || stop != end || !(scale > 0))
    return Failure(
        InvalidField("--storage-scale", ShowValue(text), "a number above 0, or \"paper\""));
  return scale;
}

Result<EngineOptions> BaseOptions(const RunSettings& run) {
  EngineOptions options = run.engine;
  options.model_path = run.models.front();
  if (!run.budget.empty()) {
    Result<std::uint64_t> budget = ParseByteSize(run.budget);
    if (!budget) return Failure(budget.error().InField("--budget"));
    options.memory_budget_bytes = *budget;
  }
  return options;
}

// The list, or the one value that stands for the default.
std::vector<std::string> OrDefault(const std::vector<std::string>& list, const std::string& value) {
  return list.empty() ? std::vector<std::string>{value} : list;
}

// `share_of`: the expert bytes of which a budget may be a share.
Status Add(EngineOptions options, const std::string& expert_budget, std::uint64_t share_of,
           Configurations& made) {
  if (!expert_budget.empty()) {
    Result<std::uint64_t> bytes = ParseShare(expert_budget, share_of);
    if (!bytes) return bytes.error().InField("--expert-budget");
    options.expert_budget_bytes = *bytes;
  }
  EDGEMOE_ASSIGN_OR_RETURN(MemoryPlan plan, PlanMemory(options).map_error(InFlags));
  if (!plan.fits)
    return InFlags(plan.shortage)
        .WithContext(options.model_path + ", mode \"" + options.mode + "\"");
  made.list.push_back({std::move(options), std::move(plan), expert_budget});
  return OkStatus();
}

// One mode on one file and storage, with each policy, predictor and budget where these matter.
Status AddMode(const RunSettings& run, EngineOptions options, std::uint64_t share_of,
               Configurations& made) {
  const std::string& storage = options.storage_profile;
  if (options.mode == "mmap" && storage != "real") {
    const std::string note = "mmap is not measured on \"" + storage +
                             "\": the page cache reads by itself, at the speed of what is there";
    if (std::ranges::find(made.notes, note) == made.notes.end()) made.notes.push_back(note);
    return OkStatus();
  }
  if (options.mode != "edgemoe") return Add(std::move(options), "", share_of, made);
  for (const std::string& policy : OrDefault(run.policies, options.eviction_policy)) {
    for (const std::string& predictor : OrDefault(run.predictors, options.predictor)) {
      for (const std::string& expert_budget : OrDefault(run.expert_budgets, "")) {
        EngineOptions one = options;
        one.eviction_policy = policy;
        one.predictor = predictor;
        EDGEMOE_RETURN_IF_ERROR(Add(std::move(one), expert_budget, share_of, made));
      }
    }
  }
  return OkStatus();
}

}  // namespace

std::string FileName(const std::string& path) { return std::filesystem::path(path).filename(); }

Result<Configurations> MakeConfigurations(const RunSettings& run) {
  EDGEMOE_ASSIGN_OR_FAIL(const ModelDescription model, DescribeModel(run.models.front()));
  EDGEMOE_ASSIGN_OR_FAIL(const EngineOptions base, BaseOptions(run));
  EDGEMOE_ASSIGN_OR_FAIL(const MemoryPlan whole, PlanMemory(base).map_error(InFlags));
  EDGEMOE_ASSIGN_OR_FAIL(const double scale,
                         ParseScale(run.storage_scale, ExpertBytes(model, whole)));
  Configurations made;
  for (const std::string& storage : run.storages) {
    for (const std::string& path : run.models) {
      for (const std::string& mode : run.modes) {
        EngineOptions options = base;
        options.model_path = path;
        options.mode = mode;
        options.storage_profile = storage;
        if (storage != "real") options.storage_scale = scale;
        EDGEMOE_FAIL_IF_ERROR(AddMode(run, options, whole.expert_total_bytes, made));
      }
    }
  }
  return made;
}

Json ToJson(const Configuration& configuration) {
  const EngineOptions& options = configuration.options;
  const bool caches = options.mode == "edgemoe";
  Json json = {
      {"file", options.model_path}, {"mode", options.mode}, {"storage", options.storage_profile}};
  if (options.storage_profile != "real") json["storage_scale"] = options.storage_scale;
  if (caches) {
    json["policy"] = options.eviction_policy;
    json["predictor"] = options.predictor;
    json["expert_budget"] = configuration.expert_budget;
    json["verify"] = options.verify;
  }
  json["budget_bytes"] = configuration.plan.budget_bytes;
  json["expert_bytes"] = configuration.plan.expert_bytes;
  json["expert_total_bytes"] = configuration.plan.expert_total_bytes;
  return json;
}

}  // namespace edgemoe::bench
