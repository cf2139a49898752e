// SPDX-License-Identifier: Apache-2.0
#include "server/calls/models.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/system/usable_memory.h"
#include "engine/plan.h"
#include "engine/speed.h"
#include "server/calls/model_lookup.h"
#include "server/calls/page.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/pack_messages.h"

namespace edgemoe::calls {
namespace {

v1::Model ToModel(const NamedModel& file, const ServiceParts& parts) {
  Result<ModelDescription> description = DescribeModel(parts.options_of(file.path));
  if (description) {
    description->name = file.name;
    return ToApi(*description, v1::MODEL_STATE_AVAILABLE);
  }
  v1::Model model;
  model.set_name(file.name);
  model.set_path(file.path);
  model.set_state(v1::MODEL_STATE_BROKEN);
  model.set_error(description.error().ToString());
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

// Of one that is loaded as it is served, of another as its file says.
v1::Model Describe(const NamedModel& model, const ServiceParts& parts) {
  if (model.is_loaded)
    if (const Result<EngineLease> engine = parts.engines.LeaseDefault()) return ToModel(**engine);
  return ToModel(model, parts);
}

Result<std::vector<v1::Model>> Models(const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<NamedModel> named, ListNamedModels(parts));
  std::vector<v1::Model> models;
  for (const NamedModel& model : named)
    if (!model.is_loaded || model.place == ModelPlace::kLoaded)
      models.push_back(Describe(model, parts));
  std::ranges::stable_sort(models, {}, &v1::Model::name);
  return models;
}

// "qwen3-30b-a3b" of "qwen3:30b-a3b".
std::string AsFileName(std::string name) {
  std::ranges::replace_if(
      name, [](char c) { return c == '/' || c == ':'; }, '-');
  return name;
}

Status StartPack(const v1::PackRequest& request, const std::shared_ptr<PackStream>& stream,
                 const ServiceParts& parts) {
  EDGEMOE_ASSIGN_OR_RETURN(PackOptions options, PackJobOf(request, parts));
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

Status ListCatalogue(const v1::ListCatalogueRequest&, v1::ListCatalogueResponse& response,
                     const ServiceParts& parts, const Caller&) {
  for (const CatalogueEntry& entry : parts.catalogue.entries()) {
    v1::CatalogueModel& model = *response.add_models();
    model.set_name(entry.name);
    model.set_pull_name(parts.catalogue.ReferenceOf(entry.name, UsableMemoryBytes()));
    model.set_licence(entry.licence);
  }
  return OkStatus();
}

Status GetModel(const v1::GetModelRequest& request, v1::GetModelResponse& response,
                const ServiceParts& parts, const Caller&) {
  if (request.name().empty()) {
    EDGEMOE_ASSIGN_OR_RETURN(const EngineLease engine, parts.engines.LeaseDefault());
    *response.mutable_model() = ToModel(*engine);
    return OkStatus();
  }
  EDGEMOE_ASSIGN_OR_RETURN(const NamedModel model, FindModel("name", request.name(), parts));
  *response.mutable_model() = Describe(model, parts);
  return OkStatus();
}

Status Plan(const v1::PlanRequest& request, v1::PlanResponse& response, const ServiceParts& parts,
            const Caller&) {
  EngineOptions options = parts.engine_options();
  // Of the model that is loaded, the budget that it has now.
  const Result<EngineLease> engine = parts.engines.LeaseDefault();
  if (request.model().empty() && !engine && engine.error().reason() == Reason::kNoModel)
    return engine.error();
  if (!request.model().empty()) {
    EDGEMOE_ASSIGN_OR_RETURN(const NamedModel model, FindModel("model", request.model(), parts));
    if (!model.is_loaded) options = parts.options_of(model.path);
  }
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

Result<PackOptions> PackJobOf(v1::PackRequest request, const ServiceParts& parts) {
  const std::string& source = request.source_path();
  if (!source.empty() && !source.starts_with('/')) {
    EDGEMOE_ASSIGN_OR_FAIL(const NamedModel model, FindModel("source_path", source, parts));
    // What another program keeps has a name of its own, and a folder that is not ours.
    if (model.place == ModelPlace::kForeign && request.output_path().empty() &&
        !parts.models_directory.empty())
      request.set_output_path(parts.models_directory + "/" + AsFileName(model.name) + "-pack.gguf");
    request.set_source_path(model.path);
  }
  EDGEMOE_ASSIGN_OR_FAIL(PackOptions options, ToPackOptions(request, parts.models_directory));
  const EngineOptions engine = parts.engine_options();
  options.threads = engine.threads;
  options.io_backend = engine.io_backend;
  return options;
}

void Pack(const v1::PackRequest& request, const std::shared_ptr<PackStream>& stream,
          const ServiceParts& parts, const Caller&) {
  if (const Status status = StartPack(request, stream, parts); !status.ok())
    return stream->Refuse(status);
  stream->Open();
}

}  // namespace edgemoe::calls
