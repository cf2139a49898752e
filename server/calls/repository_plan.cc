// SPDX-License-Identifier: Apache-2.0
#include "server/calls/repository_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/describe.h"
#include "engine/plan.h"
#include "engine/speed.h"
#include "server/calls/recommendation.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/pull_messages.h"

namespace edgemoe::calls {
namespace {

// Plans one model after another and remembers what a recommendation wants to know. Used by one
// thread at a time.
class RepositoryPlanner {
 public:
  // Keeps nothing of `parts`: a run may end after it.
  RepositoryPlanner(const ServiceParts& parts, std::uint64_t reserve_bytes)
      : options_of_(parts.options_of),
        in_configuration_(parts.in_configuration),
        models_directory_(parts.models_directory),
        storage_path_(StoragePath(parts)),
        reserve_bytes_(reserve_bytes) {}

  std::unique_ptr<v1::PlanRepositoryResponse> Plan(const PullHeader& header) {
    auto response = std::make_unique<v1::PlanRepositoryResponse>();
    v1::RepositoryModel& model = *response->mutable_model();
    model = ToApi(header);
    if (const Status problem = Understand(header, model); !problem.ok()) {
      model.clear_plan();
      model.mutable_model()->set_state(v1::MODEL_STATE_BROKEN);
      model.mutable_model()->set_error(WithoutFolder(problem.message(), header.path));
    }
    model.set_fits_storage(FitsStorage(model.bytes()));
    Remember(model);
    return response;
  }

  std::unique_ptr<v1::PlanRepositoryResponse> Conclude() const {
    auto response = std::make_unique<v1::PlanRepositoryResponse>();
    const Recommendation recommendation = Recommend(choices_);
    if (recommendation.index)
      response->mutable_recommendation()->set_pull_name(names_[*recommendation.index]);
    response->mutable_recommendation()->set_reason(recommendation.reason);
    return response;
  }

 private:
  // Unknown free space is enough: a download looks again.
  bool FitsStorage(std::uint64_t bytes) const {
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(models_directory_, error);
    return error ||
           (space.available >= reserve_bytes_ && space.available - reserve_bytes_ >= bytes);
  }

  Status Understand(const PullHeader& header, v1::RepositoryModel& model) const {
    EDGEMOE_RETURN_IF_ERROR(header.problem);
    const EngineOptions options = options_of_(header.path);
    EDGEMOE_ASSIGN_OR_RETURN(const ModelDescription description, DescribeModel(options));
    *model.mutable_model() = ToApi(description, v1::MODEL_STATE_AVAILABLE);
    model.set_bytes(description.file_bytes);
    model.mutable_model()->clear_path();
    model.mutable_model()->clear_settings();
    model.set_bits_per_weight(
        8 * static_cast<double>(description.file_bytes) /
        static_cast<double>(std::max<std::uint64_t>(1, description.parameter_count)));
    Result<MemoryPlan> plan = PlanMemory(options);
    if (!plan) return in_configuration_(plan.error());
    if (!plan->fits) plan->explanation = in_configuration_(plan->shortage).message();
    *model.mutable_plan() = ToApi(*plan);
    if (!plan->fits) return OkStatus();
    model.set_expert_share(ShareInMemory(*plan));
    if (const Result<ExpectedSpeed> speed =
            ExpectSpeed(options, *plan, {.storage_path = storage_path_}))
      *model.mutable_expected_speed() = ToApi(*speed);
    return OkStatus();
  }

  // What of the device can be read on which the models will lie: the loaded model's file, or what
  // is in the directory.
  static std::string StoragePath(const ServiceParts& parts) {
    struct stat directory = {};
    struct stat loaded = {};
    const std::string model = parts.engine_options().model_path;
    const bool is_same = ::stat(parts.models_directory.c_str(), &directory) == 0 &&
                         ::stat(model.c_str(), &loaded) == 0 && directory.st_dev == loaded.st_dev;
    return is_same ? model : parts.models_directory;
  }

  static double ShareInMemory(const MemoryPlan& plan) {
    if (plan.expert_bytes >= plan.expert_total_bytes) return 1;
    return static_cast<double>(plan.expert_bytes) / static_cast<double>(plan.expert_total_bytes);
  }

  // Where the header lay for a moment tells a person nothing.
  static std::string WithoutFolder(std::string text, const std::string& path) {
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    for (std::size_t at = 0; !folder.empty() && (at = text.find(folder, at)) != std::string::npos;)
      text.erase(at, folder.size());
    return text;
  }

  void Remember(const v1::RepositoryModel& model) {
    names_.push_back(model.pull_name());
    std::optional<double> tokens_per_second;
    if (model.has_expected_speed()) tokens_per_second = model.expected_speed().tokens_per_second();
    choices_.push_back({.bytes = model.bytes(),
                        .bits_per_weight = model.bits_per_weight(),
                        .can_be_used = model.has_plan(),
                        .fits_storage = model.fits_storage(),
                        .budget_floor_bytes = model.plan().budget_floor_bytes(),
                        .fits_budget = model.plan().fits(),
                        .expert_share = model.expert_share(),
                        .tokens_per_second = tokens_per_second});
  }

  const std::function<EngineOptions(const std::string&)> options_of_;
  const std::function<Status(const Status&)> in_configuration_;
  const std::string models_directory_;
  const std::string storage_path_;
  const std::uint64_t reserve_bytes_;
  std::vector<ModelChoice> choices_;
  std::vector<std::string> names_;
};

Status Start(const v1::PlanRepositoryRequest& request, const std::shared_ptr<PlanStream>& stream,
             const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_RETURN(PullRequest wanted, ToPullRequest(request, parts.models_directory));
  wanted.model = parts.catalogue.RepositoryOf(wanted.model);
  const auto planner = std::make_shared<RepositoryPlanner>(parts, wanted.reserve_bytes);
  stream->SetPlanner({.plan = [planner](const PullHeader& header) { return planner->Plan(header); },
                      .conclude = [planner] { return planner->Conclude(); }});
  return parts.headers.Start(std::move(wanted), stream);
}

}  // namespace

void PlanRepository(const v1::PlanRepositoryRequest& request,
                    const std::shared_ptr<PlanStream>& stream, const ServiceParts& parts,
                    const Caller&) {
  if (const Status status = Start(request, stream, parts); !status.ok())
    return stream->Refuse(status);
  stream->Open();
}

}  // namespace edgemoe::calls
