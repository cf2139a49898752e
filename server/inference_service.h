// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.Inference: checks, translates, hands to the engine. Holds no state. What each call
// does and which errors it gives stands in proto/edgemoe/v1/inference.proto.
#pragma once

#include "edgemoe/v1/inference.grpc.pb.h"
#include "server/service_parts.h"

namespace edgemoe {

class InferenceService final : public v1::Inference::CallbackService {
 public:
  // `parts` outlives the service.
  explicit InferenceService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerWriteReactor<v1::GenerateResponse>* Complete(
      grpc::CallbackServerContext* context, const v1::CompleteRequest* request) override;
  grpc::ServerWriteReactor<v1::GenerateResponse>* Chat(grpc::CallbackServerContext* context,
                                                       const v1::ChatRequest* request) override;
  grpc::ServerWriteReactor<v1::ScoreResponse>* Score(grpc::CallbackServerContext* context,
                                                     const v1::ScoreRequest* request) override;
  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context,
                                     const v1::TokenizeRequest* request,
                                     v1::TokenizeResponse* response) override;
  grpc::ServerUnaryReactor* Detokenize(grpc::CallbackServerContext* context,
                                       const v1::DetokenizeRequest* request,
                                       v1::DetokenizeResponse* response) override;
  grpc::ServerUnaryReactor* ApplyTemplate(grpc::CallbackServerContext* context,
                                          const v1::ApplyTemplateRequest* request,
                                          v1::ApplyTemplateResponse* response) override;
  grpc::ServerUnaryReactor* Abort(grpc::CallbackServerContext* context,
                                  const v1::AbortRequest* request,
                                  v1::AbortResponse* response) override;

 private:
  // Makes the stream of a call and runs `submit(stream, engine)`, which gives the request's id, on
  // a worker.
  template <class Response, class Submit>
  grpc::ServerWriteReactor<Response>* StartStream(grpc::CallbackServerContext& context,
                                                  const std::string& model, Submit submit);

  const ServiceParts& parts_;
};

}  // namespace edgemoe
