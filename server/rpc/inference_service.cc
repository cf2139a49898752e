// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/inference_service.h"

#include <memory>
#include <string>
#include <utility>

#include "server/rpc/request_log.h"
#include "server/rpc/rpc_stream.h"
#include "server/rpc/translate/events.h"
#include "server/rpc/unary_call.h"

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

template <class Request, class Response, class Submit>
grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::StartStream(
    grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes, Submit submit) {
  auto stream = RpcStream<Response>::Make(
      context, parts_.streams, parts_.engine_options.stall_timeout_ms, parts_.retry_delay,
      [&parts = parts_](RequestId request, const FinishedEvent& event) {
        parts.retry_delay.Observe(event.timings.prompt_ns + event.timings.decode_ns);
        LogRequest(parts.log, request, event);
      });
  RpcStream<Response>* const reactor = stream.get();
  const bool posted = parts_.workers.TryPost([this, stream, &bytes, submit = std::move(submit)] {
    if (stream->cancelled())
      return stream->Submitted(nullptr, Failure(CancelledError("the client has gone")));
    Request request;
    if (Status status = ParseMessage(bytes, request); !status.ok())
      return stream->Submitted(nullptr, Failure(std::move(status)));
    const Result<Engine*> engine = parts_.engines.Find(request.model());
    if (!engine) return stream->Submitted(nullptr, Failure(engine.error()));
    stream->Submitted(*engine, submit(*stream, **engine, request));
  });
  if (!posted)
    stream->Submitted(
        nullptr,
        Failure(ResourceExhaustedError("too many requests arrive at once; try again later")));
  return reactor;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Complete(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return StartStream<v1::CompleteRequest, v1::GenerateResponse>(
      *context, *request,
      [this](GenerateStream& stream, Engine& engine,
             const v1::CompleteRequest& complete) -> Result<RequestId> {
        EDGEMOE_ASSIGN_OR_FAIL(GenerateRequest generate,
                               ToGenerateRequest(complete, parts_.new_seed));
        return SubmitGenerate(stream, engine, std::move(generate));
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Chat(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return StartStream<v1::ChatRequest, v1::GenerateResponse>(
      *context, *request,
      [this](GenerateStream& stream, Engine& engine, const v1::ChatRequest& chat) {
        return SubmitChat(stream, engine, chat, parts_.new_seed);
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* InferenceService::Score(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return StartStream<v1::ScoreRequest, v1::ScoreResponse>(*context, *request, SubmitScore);
}

grpc::ServerUnaryReactor* InferenceService::Tokenize(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
  return RunUnary<v1::TokenizeRequest, v1::TokenizeResponse>(
      context, parts_.workers, request, response,
      [this](const v1::TokenizeRequest& tokenize, v1::TokenizeResponse& tokens) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(tokenize.model()));
        EDGEMOE_ASSIGN_OR_RETURN(std::vector<TokenPiece> pieces,
                                 engine->Tokenize(tokenize.text(), ToTokenizeOptions(tokenize)));
        for (TokenPiece& piece : pieces) {
          v1::Token& token = *tokens.add_tokens();
          token.set_id(piece.token.value);
          token.set_bytes(std::move(piece.bytes));
          token.set_byte_begin(piece.byte_begin);
          token.set_byte_end(piece.byte_end);
        }
        return OkStatus();
      });
}

grpc::ServerUnaryReactor* InferenceService::Detokenize(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  return RunUnary<v1::DetokenizeRequest, v1::DetokenizeResponse>(
      context, parts_.workers, request, response,
      [this](const v1::DetokenizeRequest& ids, v1::DetokenizeResponse& answer) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(ids.model()));
        const bool render_special = !ids.has_render_special() || ids.render_special();
        EDGEMOE_ASSIGN_OR_RETURN(std::string text,
                                 engine->Detokenize(ToTokenIds(ids.tokens()), render_special));
        answer.set_text(std::move(text));
        return OkStatus();
      });
}

grpc::ServerUnaryReactor* InferenceService::ApplyTemplate(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
  return RunUnary<v1::ApplyTemplateRequest, v1::ApplyTemplateResponse>(
      context, parts_.workers, request, response,
      [this](const v1::ApplyTemplateRequest& apply, v1::ApplyTemplateResponse& answer) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(const Engine* engine, parts_.engines.Find(apply.model()));
        EDGEMOE_ASSIGN_OR_RETURN(const Conversation conversation, ToConversation(apply));
        EDGEMOE_ASSIGN_OR_RETURN(
            std::string prompt, engine->ApplyTemplate(conversation.messages, conversation.options));
        answer.set_prompt(std::move(prompt));
        return OkStatus();
      });
}

grpc::ServerUnaryReactor* InferenceService::Abort(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response) {
  return RunUnary<v1::AbortRequest, v1::AbortResponse>(
      context, parts_.workers, request, response,
      [this](const v1::AbortRequest& abort, v1::AbortResponse&) -> Status {
        EDGEMOE_ASSIGN_OR_RETURN(Engine * engine, parts_.engines.Find(""));
        return engine->Abort(RequestId{abort.request_id()});
      });
}

}  // namespace edgemoe
