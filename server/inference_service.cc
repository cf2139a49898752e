// SPDX-License-Identifier: Apache-2.0
#include "server/inference_service.h"

#include <memory>
#include <string>
#include <utility>

#include "server/request_log.h"
#include "server/rpc_stream.h"
#include "server/translate_events.h"
#include "server/unary_call.h"

namespace edgemoe {
namespace {

using GenerateStream = RpcStream<v1::GenerateResponse>;
using ScoreStream = RpcStream<v1::ScoreResponse>;

Result<RequestId> SubmitGenerate(GenerateStream& stream, Engine& engine, GenerateRequest request) {
  stream.SetTranslator(
      GenerateTranslator(engine, request.sampling.seed, request.top_logprob_count >= 0));
  return engine.Generate(std::move(request), stream.MakeSink());
}

Result<RequestId> SubmitChat(GenerateStream& stream, Engine& engine, const v1::ChatRequest& request,
                             const SeedSource& new_seed) {
  EDGEMOE_ASSIGN_OR_FAIL(const Conversation conversation, ToConversation(request));
  EDGEMOE_ASSIGN_OR_FAIL(GenerateRequest generate, ToGenerateRequest(request, new_seed));
  EDGEMOE_ASSIGN_OR_FAIL(generate.prompt,
                         engine.ApplyTemplate(conversation.messages, conversation.options));
  return SubmitGenerate(stream, engine, std::move(generate)).map_error(AboutMessages);
}

Result<RequestId> SubmitScore(ScoreStream& stream, Engine& engine,
                              const v1::ScoreRequest& request) {
  EDGEMOE_ASSIGN_OR_FAIL(ScoreRequest score, ToScoreRequest(request));
  stream.SetTranslator(ScoreTranslator(engine));
  return engine.Score(std::move(score), stream.MakeSink());
}

}  // namespace

template <class Response, class Submit>
grpc::ServerWriteReactor<Response>* InferenceService::StartStream(
    grpc::CallbackServerContext& context, const std::string& model, Submit submit) {
  auto stream = RpcStream<Response>::Make(
      context, parts_.streams, parts_.engine_options.stall_timeout_ms, parts_.retry_delay,
      [&parts = parts_](RequestId request, const FinishedEvent& event) {
        parts.retry_delay.Observe(event.timings.prompt_ns + event.timings.decode_ns);
        LogRequest(parts.log, request, event);
      });
  RpcStream<Response>* const reactor = stream.get();
  const bool posted = parts_.workers.TryPost([this, stream, &model, submit = std::move(submit)] {
    if (stream->cancelled())
      return stream->Submitted(nullptr, Failure(CancelledError("the client has gone")));
    const Result<Engine*> engine = parts_.engines.Find(model);
    if (!engine) return stream->Submitted(nullptr, Failure(engine.error()));
    stream->Submitted(*engine, submit(*stream, **engine));
  });
  if (!posted)
    stream->Submitted(
        nullptr,
        Failure(ResourceExhaustedError("too many requests arrive at once; try again later")));
  return reactor;
}

grpc::ServerWriteReactor<v1::GenerateResponse>* InferenceService::Complete(
    grpc::CallbackServerContext* context, const v1::CompleteRequest* request) {
  return StartStream<v1::GenerateResponse>(
      *context, request->model(),
      [this, request](GenerateStream& stream, Engine& engine) -> Result<RequestId> {
        EDGEMOE_ASSIGN_OR_FAIL(GenerateRequest generate,
                               ToGenerateRequest(*request, parts_.new_seed));
        return SubmitGenerate(stream, engine, std::move(generate));
      });
}

grpc::ServerWriteReactor<v1::GenerateResponse>* InferenceService::Chat(
    grpc::CallbackServerContext* context, const v1::ChatRequest* request) {
  return StartStream<v1::GenerateResponse>(
      *context, request->model(), [this, request](GenerateStream& stream, Engine& engine) {
        return SubmitChat(stream, engine, *request, parts_.new_seed);
      });
}

grpc::ServerWriteReactor<v1::ScoreResponse>* InferenceService::Score(
    grpc::CallbackServerContext* context, const v1::ScoreRequest* request) {
  return StartStream<v1::ScoreResponse>(*context, request->model(),
                                        [request](ScoreStream& stream, Engine& engine) {
                                          return SubmitScore(stream, engine, *request);
                                        });
}

grpc::ServerUnaryReactor* InferenceService::Tokenize(grpc::CallbackServerContext* context,
                                                     const v1::TokenizeRequest* request,
                                                     v1::TokenizeResponse* response) {
  return RunUnary(*context, parts_.workers, [this, request, response]() -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(request->model()));
    EDGEMOE_ASSIGN_OR_RETURN(std::vector<TokenPiece> pieces,
                             engine->Tokenize(request->text(), ToTokenizeOptions(*request)));
    for (TokenPiece& piece : pieces) {
      v1::Token& token = *response->add_tokens();
      token.set_id(piece.token.value);
      token.set_bytes(std::move(piece.bytes));
      token.set_byte_begin(piece.byte_begin);
      token.set_byte_end(piece.byte_end);
    }
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* InferenceService::Detokenize(grpc::CallbackServerContext* context,
                                                       const v1::DetokenizeRequest* request,
                                                       v1::DetokenizeResponse* response) {
  return RunUnary(*context, parts_.workers, [this, request, response]() -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(request->model()));
    const bool render_special = !request->has_render_special() || request->render_special();
    EDGEMOE_ASSIGN_OR_RETURN(std::string text,
                             engine->Detokenize(ToTokenIds(request->tokens()), render_special));
    response->set_text(std::move(text));
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* InferenceService::ApplyTemplate(grpc::CallbackServerContext* context,
                                                          const v1::ApplyTemplateRequest* request,
                                                          v1::ApplyTemplateResponse* response) {
  return RunUnary(*context, parts_.workers, [this, request, response]() -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(request->model()));
    EDGEMOE_ASSIGN_OR_RETURN(const Conversation conversation, ToConversation(*request));
    EDGEMOE_ASSIGN_OR_RETURN(std::string prompt,
                             engine->ApplyTemplate(conversation.messages, conversation.options));
    response->set_prompt(std::move(prompt));
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* InferenceService::Abort(grpc::CallbackServerContext* context,
                                                  const v1::AbortRequest* request,
                                                  v1::AbortResponse*) {
  return RunUnary(*context, parts_.workers, [this, request]() -> Status {
    EDGEMOE_ASSIGN_OR_RETURN(Engine * engine, parts_.engines.Find(""));
    return engine->Abort(RequestId{request->request_id()});
  });
}

}  // namespace edgemoe
