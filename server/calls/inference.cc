// SPDX-License-Identifier: Apache-2.0
#include "server/calls/inference.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "server/calls/model_lookup.h"
#include "server/calls/page.h"
#include "server/calls/request_log.h"
#include "server/calls/translate/descriptions.h"
#include "server/calls/translate/events.h"

namespace edgemoe::calls {
namespace {

// A translator of events/ as ResponseStream wants it.
template <class Translator>
ResponseStream::Translator OnHeap(Translator translate) {
  return [translate = std::move(translate)](
             StreamEvent event) mutable -> std::unique_ptr<const google::protobuf::Message> {
    auto message = translate(std::move(event));
    if (!message) return nullptr;
    return std::make_unique<std::remove_reference_t<decltype(*message)>>(*std::move(message));
  };
}

template <class Response>
Result<RequestId> SubmitGenerate(ResponseStream& stream, Engine& engine, GenerateRequest request) {
  stream.SetTranslator(OnHeap(GenerateTranslator<Response>(
      engine, stream.Summary().id, request.sampling.seed, request.top_logprob_count >= 0)));
  return engine.Generate(std::move(request), stream.MakeSink());
}

Result<RequestId> SubmitComplete(ResponseStream& stream, Engine& engine,
                                 const v1::CompleteRequest& request, const SeedSource& new_seed) {
  EDGEMOE_ASSIGN_OR_FAIL(GenerateRequest generate,
                         ToGenerateRequest(request, engine.model().sampling, new_seed));
  return SubmitGenerate<v1::CompleteResponse>(stream, engine, std::move(generate));
}

Result<RequestId> SubmitChat(ResponseStream& stream, Engine& engine, const v1::ChatRequest& request,
                             const SeedSource& new_seed) {
  EDGEMOE_ASSIGN_OR_FAIL(const Conversation conversation, ToConversation(request));
  EDGEMOE_ASSIGN_OR_FAIL(GenerateRequest generate,
                         ToGenerateRequest(request, engine.model().sampling, new_seed));
  EDGEMOE_ASSIGN_OR_FAIL(generate.prompt,
                         engine.ApplyTemplate(conversation.messages, conversation.options));
  return SubmitGenerate<v1::ChatResponse>(stream, engine, std::move(generate))
      .map_error(AboutMessages);
}

Result<RequestId> SubmitScore(ResponseStream& stream, Engine& engine,
                              const v1::ScoreRequest& request, const SeedSource&) {
  EDGEMOE_ASSIGN_OR_FAIL(ScoreRequest score, ToScoreRequest(request));
  stream.SetTranslator(OnHeap(ScoreTranslator(engine, stream.Summary().id)));
  return engine.Score(std::move(score), stream.MakeSink());
}

Result<RequestId> SubmitEmbed(ResponseStream& stream, Engine& engine,
                              const v1::EmbedRequest& request, const SeedSource&) {
  EDGEMOE_ASSIGN_OR_FAIL(EmbedRequest embed, ToEmbedRequest(request));
  stream.SetTranslator(OnHeap(EmbedTranslator(engine, stream.Summary().id)));
  return engine.Embed(std::move(embed), stream.MakeSink());
}

// `submit` gives the request to the engine of the model that it names.
template <class Request>
void Submit(const Request& request, const std::shared_ptr<ResponseStream>& stream,
            const ServiceParts& parts, const Caller& caller,
            Result<RequestId> (*submit)(ResponseStream&, Engine&, const Request&,
                                        const SeedSource&)) {
  Result<EngineLease> engine = LeaseModel(request.model(), parts);
  if (!engine) return stream->Refuse(engine.error());
  stream->Name(parts.live.Add(stream, caller), (*engine)->model().name);
  const Result<RequestId> id = submit(*stream, **engine, request, parts.new_seed);
  stream->Submitted(*std::move(engine), id);
}

}  // namespace

std::shared_ptr<ResponseStream> MakeResponseStream(const ServiceParts& parts, const char* method,
                                                   const Caller& caller) {
  return std::make_shared<ResponseStream>(
      parts.streams, parts.engine_options().stall_timeout_ms, method, caller.peer,
      ResponseStream::Observers{
          .started = [&parts](const RequestSummary& request) { LogStarted(parts.log, request); },
          .finished =
              [&parts](const RequestSummary& request, const FinishedEvent& event) {
                parts.retry_delay.Observe(event.timings.prompt_ns + event.timings.decode_ns);
                LogFinished(parts.log, request, event);
              }});
}

void Complete(const v1::CompleteRequest& request, const std::shared_ptr<ResponseStream>& stream,
              const ServiceParts& parts, const Caller& caller) {
  Submit(request, stream, parts, caller, SubmitComplete);
}

void Chat(const v1::ChatRequest& request, const std::shared_ptr<ResponseStream>& stream,
          const ServiceParts& parts, const Caller& caller) {
  Submit(request, stream, parts, caller, SubmitChat);
}

void Score(const v1::ScoreRequest& request, const std::shared_ptr<ResponseStream>& stream,
           const ServiceParts& parts, const Caller& caller) {
  Submit(request, stream, parts, caller, SubmitScore);
}

void Embed(const v1::EmbedRequest& request, const std::shared_ptr<ResponseStream>& stream,
           const ServiceParts& parts, const Caller& caller) {
  Submit(request, stream, parts, caller, SubmitEmbed);
}

void Tokenize(v1::TokenizeRequest& request, const std::shared_ptr<TokenStream>& stream,
              const ServiceParts& parts, const Caller&) {
  Result<EngineLease> engine = LeaseModel(request.model(), parts);
  if (!engine) return stream->Refuse(engine.error());
  auto tokens = (*engine)->Tokenize(std::move(*request.mutable_text()), ToTokenizeOptions(request));
  if (!tokens) return stream->Refuse(tokens.error());
  stream->Start(*std::move(engine), *std::move(tokens));
}

Status Detokenize(const v1::DetokenizeRequest& request, v1::DetokenizeResponse& response,
                  const ServiceParts& parts, const Caller&) {
  EDGEMOE_ASSIGN_OR_RETURN(const EngineLease engine, LeaseModel(request.model(), parts));
  EDGEMOE_ASSIGN_OR_RETURN(
      std::string text,
      engine->Detokenize(
          ToTokenIds(request.tokens()),
          {.render_special = !request.has_render_special() || request.render_special(),
           .from_start = !request.has_from_start() || request.from_start()}));
  response.set_text(std::move(text));
  return OkStatus();
}

Status ApplyTemplate(const v1::ApplyTemplateRequest& request, v1::ApplyTemplateResponse& response,
                     const ServiceParts& parts, const Caller&) {
  EDGEMOE_ASSIGN_OR_RETURN(const EngineLease engine, LeaseModel(request.model(), parts));
  EDGEMOE_ASSIGN_OR_RETURN(const Conversation conversation, ToConversation(request));
  EDGEMOE_ASSIGN_OR_RETURN(std::string prompt,
                           engine->ApplyTemplate(conversation.messages, conversation.options));
  response.set_prompt(std::move(prompt));
  return OkStatus();
}

Status ListRequests(const v1::ListRequestsRequest& request, v1::ListRequestsResponse& response,
                    const ServiceParts& parts, const Caller& caller) {
  const std::vector<RequestSummary> live = parts.live.List(caller);
  EDGEMOE_ASSIGN_OR_RETURN(const PageRange page, PageOf(request, live.size()));
  const std::uint64_t now_ns = SteadyClock().NowNs();
  for (std::size_t i = page.begin; i < page.end; ++i)
    *response.add_requests() = ToApi(live[i], now_ns);
  response.set_next_page_token(page.next_page_token);
  return OkStatus();
}

Status Abort(const v1::AbortRequest& request, v1::AbortResponse&, const ServiceParts& parts,
             const Caller& caller) {
  return parts.live.Abort(request.request_id(), caller);
}

}  // namespace edgemoe::calls
