// SPDX-License-Identifier: Apache-2.0
#include "server/calls/models.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/plan.h"
#include "engine/speed.h"
#include "server/calls/page.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/pack_messages.h"
#include "server/models/model_directory.h"

namespace edgemoe::calls {
namespace {

v1::Model ToModel(const ModelFile& file) {
  if (file.description) return ToApi(*file.description, v1::MODEL_STATE_AVAILABLE);
  v1::Model model;
  model.set_name(file.name);
  model.set_path(file.path);
  model.set_state(v1::MODEL_STATE_BROKEN);
  model.set_error(file.description.error().ToString());
  std::error_code unknown;
  const std::uintmax_t bytes = std::filesystem::file_size(file.path, unknown);
  if (!unknown) model.set_file_bytes(bytes);
  return model;
}

v1::Model ToModel(const Engine& engine) {
  const Status status = engine.availability();
  if (status.ok()) return ToApi(engine.model(), v1::MODEL_STATE_LOADED);
  v1::Model model = ToApi(engine.model(), v1::MODEL_STATE_BROKEN);
  model.set_error(status.ToString());
  return model;
}

Result<std::vector<v1::Model>> Models(const ServiceParts& parts) {
  std::vector<v1::Model> models;
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  if (engine) models.push_back(ToModel(**engine));
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<ModelFile> files,
                         ListModelFiles(parts.models_directory, parts.options_of));
  for (const ForeignModel& foreign : FindForeignModels(parts.foreign_places)) {
    Result<ModelDescription> description = DescribeModel(parts.options_of(foreign.path));
    if (!description) continue;  // other programs have other kinds of models, too
    description->name = foreign.name;
    files.push_back(
        {.name = foreign.name, .path = foreign.path, .description = std::move(description)});
  }
  for (const ModelFile& file : files) {
    std::error_code ignored;
    const bool loaded =
        engine && std::filesystem::equivalent(file.path, (*engine)->model().path, ignored);
    if (!loaded) models.push_back(ToModel(file));
  }
  std::ranges::stable_sort(models, {}, &v1::Model::name);
  return models;
}

// `field`: what the request calls the name.
Result<v1::Model> Find(const char* field, const std::string& name, const ServiceParts& parts) {
  {
    const Result<EngineLease> engine = parts.engines.LeaseDefault();
    if (engine && (name.empty() || name == (*engine)->model().name)) return ToModel(**engine);
    if (name.empty()) return Failure(engine.error());
  }
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<v1::Model> models, Models(parts));
  std::string names;
  for (v1::Model& model : models) {
    if (model.name() == name) return std::move(model);
    names += (names.empty() ? "" : ", ") + ShowValue(model.name());
  }
  // A short name means what is there of it, the first by name.
  for (v1::Model& model : models)
    if (parts.catalogue.Means(name, std::filesystem::path(model.path()).filename().string()))
      return std::move(model);
  if (parts.catalogue.Has(name))
    return Failure(
        Status(StatusCode::kNotFound, field,
               ShowValue(name) + " is not here yet: `edgemoe pull " + name + "` gets it"));
  return Failure(Status(
      StatusCode::kNotFound, field,
      FoundAndAccepted(ShowValue(name), names.empty() ? "none, as there are no models" : names)));
}

Status StartPack(const v1::PackRequest& request, const std::shared_ptr<PackStream>& stream,
                 const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_RETURN(PackOptions options, ToPackOptions(request, parts.models_directory));
  options.threads = parts.engine_options.threads;
  options.io_backend = parts.engine_options.io_backend;
  return parts.packs.TryStart(std::move(options), stream);
}

}  // namespace

Status ListModels(const v1::ListModelsRequest& request, v1::ListModelsResponse& response,
                  const ServiceParts& parts, const Caller&) {
  EDGEMOE_ASSIGN_OR_RETURN(std::vector<v1::Model> models, Models(parts));
  EDGEMOE_ASSIGN_OR_RETURN(const PageRange page, PageOf(request, models.size()));
  for (std::size_t i = page.begin; i < page.end; ++i) {
    models[i].clear_settings();
    *response.add_models() = std::move(models[i]);
  }
  response.set_next_page_token(page.next_page_token);
  return OkStatus();
}

Status GetModel(const v1::GetModelRequest& request, v1::GetModelResponse& response,
                const ServiceParts& parts, const Caller&) {
  EDGEMOE_ASSIGN_OR_RETURN(*response.mutable_model(), Find("name", request.name(), parts));
  return OkStatus();
}

Status Plan(const v1::PlanRequest& request, v1::PlanResponse& response, const ServiceParts& parts,
            const Caller&) {
  EngineOptions options = parts.engine_options;
  if (!request.model().empty()) {
    EDGEMOE_ASSIGN_OR_RETURN(const v1::Model model, Find("model", request.model(), parts));
    options = parts.options_of(model.path());
  }
  // Of the model that is loaded, the budget that it has now.
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  if (engine && (*engine)->model().path == options.model_path && !request.has_context_tokens() &&
      !request.has_sessions_max())
    options.memory_budget_bytes = (*engine)->GetStats().memory.budget_bytes;
  if (request.has_budget_bytes()) options.memory_budget_bytes = request.budget_bytes();
  if (request.has_context_tokens()) options.context_tokens = request.context_tokens();
  if (request.has_sessions_max()) options.sessions_max = request.sessions_max();
  EDGEMOE_ASSIGN_OR_RETURN(MemoryPlan plan, PlanMemory(options));
  // A plan without it is worth as much.
  if (plan.fits)
    if (const Result<ExpectedSpeed> expected =
            ExpectSpeed(options, plan, {.storage_path = options.model_path}))
      *response.mutable_expected_speed() = ToApi(*expected);
  *response.mutable_plan() = ToApi(InConfiguration(std::move(plan), parts));
  return OkStatus();
}

void Pack(const v1::PackRequest& request, const std::shared_ptr<PackStream>& stream,
          const ServiceParts& parts, const Caller&) {
  if (const Status status = StartPack(request, stream, parts); !status.ok())
    return stream->Refuse(status);
  stream->Open();
}

}  // namespace edgemoe::calls
