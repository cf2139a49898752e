// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/models_service.h"

#include <memory>

#include "server/calls/model_changes.h"
#include "server/calls/models.h"
#include "server/calls/repository_plan.h"
#include "server/rpc/unary_answer.h"

namespace edgemoe {

grpc::ServerWriteReactor<grpc::ByteBuffer>* ModelsService::Pack(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(
      {*context, front_end_, Right::kAdministration}, *request,
      [this](const Caller&) { return std::make_shared<PackStream>(front_end_.parts.streams); },
      calls::Pack);
}

grpc::ServerUnaryReactor* ModelsService::ListModels(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response,
                     calls::ListModels);
}

grpc::ServerUnaryReactor* ModelsService::ListCatalogue(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response,
                     calls::ListCatalogue);
}

grpc::ServerUnaryReactor* ModelsService::GetModel(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response,
                     calls::GetModel);
}

grpc::ServerUnaryReactor* ModelsService::Plan(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kInference}, *request, *response, calls::Plan);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ModelsService::Pull(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(
      {*context, front_end_, Right::kAdministration}, *request,
      [this](const Caller&) { return std::make_shared<PullStream>(front_end_.parts.streams); },
      calls::Pull);
}

grpc::ServerUnaryReactor* ModelsService::CancelPull(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request,
                                                    grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kAdministration}, *request, *response,
                     calls::CancelPull);
}

grpc::ServerUnaryReactor* ModelsService::AddModel(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kAdministration}, *request, *response,
                     calls::AddModel);
}

grpc::ServerUnaryReactor* ModelsService::RemoveModel(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
  return AnswerUnary({*context, front_end_, Right::kAdministration}, *request, *response,
                     calls::RemoveModel);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ModelsService::PlanRepository(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return AnswerStream(
      {*context, front_end_, Right::kAdministration}, *request,
      [this](const Caller&) {
        return std::make_shared<PlanStream>(front_end_.parts.streams, front_end_.parts.headers);
      },
      calls::PlanRepository);
}

}  // namespace edgemoe
