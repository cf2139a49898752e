// SPDX-License-Identifier: Apache-2.0
#include "server/models_service.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "server/model_directory.h"
#include "server/translate_models.h"
#include "server/unary_call.h"

namespace edgemoe {
namespace {

v1::Model ToModel(const ModelFile& file) {
  if (file.description) return ToApi(*file.description, v1::AVAILABLE);
  v1::Model model;
  model.set_name(file.name);
  model.set_path(file.path);
  model.set_state(v1::BROKEN);
  model.set_error(file.description.error().ToString());
  return model;
}

}  // namespace

Result<std::vector<v1::Model>> ModelsService::Models() const {
  std::vector<v1::Model> models;
  const Engine* const engine = parts_.engines.engine();
  if (engine != nullptr) models.push_back(ToApi(engine->model(), v1::LOADED));
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<ModelFile> files,
                         ListModelFiles(parts_.models_directory));
  for (const ModelFile& file : files) {
    std::error_code ignored;
    const bool loaded =
        engine != nullptr && std::filesystem::equivalent(file.path, engine->model().path, ignored);
    if (!loaded) models.push_back(ToModel(file));
  }
  return models;
}

Result<v1::Model> ModelsService::Find(const std::string& name) const {
  const Engine* const engine = parts_.engines.engine();
  if (engine != nullptr && (name.empty() || name == engine->model().name))
    return ToApi(engine->model(), v1::LOADED);
  if (name.empty()) return Failure(parts_.engines.Find("").error());
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<v1::Model> models, Models());
  std::string names;
  for (v1::Model& model : models) {
    if (model.name() == name) return std::move(model);
    names += (names.empty() ? "'" : ", '") + model.name() + "'";
  }
  return Failure(NotFoundError("model: found '" + name.substr(0, 200) + "'; accepted: " +
                               (names.empty() ? "none, as there are no models" : names)));
}

grpc::ServerUnaryReactor* ModelsService::List(grpc::CallbackServerContext* context,
                                              const v1::ListModelsRequest*,
                                              v1::ListModelsResponse* response) {
  return RunUnary(*context, parts_.workers, [this, response]() -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(std::vector<v1::Model> models, Models());
    for (v1::Model& model : models) *response->add_models() = std::move(model);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* ModelsService::Get(grpc::CallbackServerContext* context,
                                             const v1::GetModelRequest* request,
                                             v1::Model* response) {
  return RunUnary(*context, parts_.workers, [this, request, response]() -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(*response, Find(request->name()));
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* ModelsService::Plan(grpc::CallbackServerContext* context,
                                              const v1::PlanRequest* request,
                                              v1::PlanResponse* response) {
  return RunUnary(*context, parts_.workers, [this, request, response]() -> Status {
    EngineOptions options = parts_.engine_options;
    if (!request->model().empty()) {
      EDGEMOE_ASSIGN_OR_RETURN(const v1::Model model, Find(request->model()));
      options.model_path = model.path();
    }
    if (request->has_budget_bytes()) options.memory_budget_bytes = request->budget_bytes();
    if (request->has_context_tokens()) options.context_tokens = request->context_tokens();
    if (request->has_sessions_max()) options.sessions_max = request->sessions_max();
    EDGEMOE_ASSIGN_OR_RETURN(const MemoryPlan plan, PlanMemory(options));
    *response = ToApi(plan);
    return OkStatus();
  });
}

}  // namespace edgemoe
