// SPDX-License-Identifier: Apache-2.0
//
// edgemoe.v1.InferenceService over gRPC: joins each call to its body in server/calls/inference.h.
#pragma once

#include <functional>
#include <memory>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "server/calls/streams/response_stream.h"
#include "server/rpc/front_end.h"

namespace edgemoe {

// Each method takes and gives bytes: see message_bytes.h.
class InferenceService final
    : public v1::InferenceService::WithRawCallbackMethod_Complete<
          v1::InferenceService::WithRawCallbackMethod_Chat<
              v1::InferenceService::WithRawCallbackMethod_Score<
                  v1::InferenceService::WithRawCallbackMethod_Embed<
                      v1::InferenceService::WithRawCallbackMethod_Tokenize<
                          v1::InferenceService::WithRawCallbackMethod_Detokenize<
                              v1::InferenceService::WithRawCallbackMethod_ApplyTemplate<
                                  v1::InferenceService::WithRawCallbackMethod_ListRequests<
                                      v1::InferenceService::WithRawCallbackMethod_Abort<
                                          v1::InferenceService::Service>>>>>>>>> {
 public:
  // `front_end` outlives the service.
  explicit InferenceService(const FrontEnd& front_end) : front_end_(front_end) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Complete(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Chat(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Score(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Embed(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Tokenize(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* Detokenize(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ApplyTemplate(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListRequests(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Abort(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;

 private:
  std::function<std::shared_ptr<ResponseStream>(const Caller&)> Responses(const char* method) const;

  const FrontEnd& front_end_;
};

}  // namespace edgemoe
