// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/models_service.h"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/pack.h"
#include "engine/plan.h"
#include "server/rpc/message_bytes.h"
#include "server/rpc/model_directory.h"
#include "server/rpc/pack_call.h"
#include "server/rpc/translate/models.h"
#include "server/rpc/translate/pack.h"
#include "server/rpc/unary_call.h"

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
    names += (names.empty() ? "" : ", ") + ShowValue(model.name());
  }
  return Failure(Status(
      StatusCode::kNotFound, "model",
      FoundAndAccepted(ShowValue(name), names.empty() ? "none, as there are no models" : names)));
}

grpc::ServerUnaryReactor* ModelsService::List(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) {
  return RunUnary<v1::ListModelsRequest, v1::ListModelsResponse>(
      context, parts_.workers, request, response,
      [this](const v1::ListModelsRequest&, v1::ListModelsResponse& list) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(std::vector<v1::Model> models, Models());
        for (v1::Model& model : models) *list.add_models() = std::move(model);
        return OkStatus();
      });
}

grpc::ServerUnaryReactor* ModelsService::Get(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) {
  return RunUnary<v1::GetModelRequest, v1::Model>(
      context, parts_.workers, request, response,
      [this](const v1::GetModelRequest& get, v1::Model& model) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(model, Find(get.name()));
        return OkStatus();
      });
}

grpc::ServerUnaryReactor* ModelsService::Plan(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) {
  return RunUnary<v1::PlanRequest, v1::PlanResponse>(
      context, parts_.workers, request, response,
      [this](const v1::PlanRequest& wish, v1::PlanResponse& answer) -> Status {
        EngineOptions options = parts_.engine_options;
        if (!wish.model().empty()) {
          EDGEMOE_ASSIGN_OR_RETURN(const v1::Model model, Find(wish.model()));
          options.model_path = model.path();
        }
        if (wish.has_budget_bytes()) options.memory_budget_bytes = wish.budget_bytes();
        if (wish.has_context_tokens()) options.context_tokens = wish.context_tokens();
        if (wish.has_sessions_max()) options.sessions_max = wish.sessions_max();
        EDGEMOE_ASSIGN_OR_RETURN(const MemoryPlan plan, PlanMemory(options));
        answer = ToApi(plan);
        return OkStatus();
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ModelsService::Pack(grpc::CallbackServerContext*,
                                                                const grpc::ByteBuffer* request) {
  const std::shared_ptr<PackCall> call = PackCall::Make();
  PackCall* const reactor = call.get();
  const auto start = [this, call, request]() -> Status {
    v1::PackRequest pack;
    EDGEMOE_RETURN_IF_ERROR(ParseMessage(*request, pack));
    EDGEMOE_ASSIGN_OR_RETURN(PackOptions options, ToPackOptions(pack, parts_.models_directory));
    options.threads = parts_.engine_options.threads;
    options.io_backend = parts_.engine_options.io_backend;
    return packs_.TryStart(std::move(options), call);
  };
  const bool posted = parts_.workers.TryPost([call, start] {
    if (Status status = start(); !status.ok()) call->Refuse(status);
  });
  if (!posted)
    call->Refuse(ResourceExhaustedError("too many calls wait for an answer; try again later"));
  return reactor;
}

}  // namespace edgemoe
