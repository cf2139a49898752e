// SPDX-License-Identifier: Apache-2.0
//
// The bodies of edgemoe.v1.InferenceService: check, translate, hand to the engine. Any front end
// calls them, on a worker. What each call does and which errors it gives stands in
// proto/edgemoe/v1/inference.proto.
#pragma once

#include <memory>

#include "edgemoe/v1/inference.pb.h"
#include "server/calls/service_parts.h"
#include "server/calls/streams/response_stream.h"
#include "server/calls/streams/token_stream.h"

namespace edgemoe::calls {

// The stream for one of the four calls that follow, which submit its request or refuse it.
// `method` is the call's name and outlives the stream.
std::shared_ptr<ResponseStream> MakeResponseStream(const ServiceParts& parts, const char* method,
                                                   const Caller& caller);
void Complete(const v1::CompleteRequest& request, const std::shared_ptr<ResponseStream>& stream,
              const ServiceParts& parts, const Caller& caller);
void Chat(const v1::ChatRequest& request, const std::shared_ptr<ResponseStream>& stream,
          const ServiceParts& parts, const Caller& caller);
void Score(const v1::ScoreRequest& request, const std::shared_ptr<ResponseStream>& stream,
           const ServiceParts& parts, const Caller& caller);

void Embed(const v1::EmbedRequest& request, const std::shared_ptr<ResponseStream>& stream,
           const ServiceParts& parts, const Caller& caller);

// Takes the text out of the request, which the stream keeps.
void Tokenize(v1::TokenizeRequest& request, const std::shared_ptr<TokenStream>& stream,
              const ServiceParts& parts, const Caller& caller);

Status Detokenize(const v1::DetokenizeRequest& request, v1::DetokenizeResponse& response,
                  const ServiceParts& parts, const Caller& caller);
Status ApplyTemplate(const v1::ApplyTemplateRequest& request, v1::ApplyTemplateResponse& response,
                     const ServiceParts& parts, const Caller& caller);
Status ListRequests(const v1::ListRequestsRequest& request, v1::ListRequestsResponse& response,
                    const ServiceParts& parts, const Caller& caller);
Status Abort(const v1::AbortRequest& request, v1::AbortResponse& response,
             const ServiceParts& parts, const Caller& caller);

}  // namespace edgemoe::calls
