// SPDX-License-Identifier: Apache-2.0
#include "tests/client/fake_daemon.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_context.h>

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "edgemoe/v1/models.grpc.pb.h"
#include "edgemoe/v1/observe.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;
using State = FakeDaemon::State;

constexpr std::uint32_t kContextTokens = 8;

Status Loading(State& state) {
  if (state.loading_calls.load() <= 0 || state.loading_calls.fetch_sub(1) <= 0) return Status::OK;
  return Status(StatusCode::UNAVAILABLE, "the model is loading: 40 %");
}

struct RefusalDetails {
  int retry_delay_ms = 0;
  std::map<std::string, std::size_t> figures{};
};

// With the details that a real daemon sends.
Status Refusal(StatusCode code, const std::string& message, const std::string& reason,
               const std::string& field = {}, const RefusalDetails& more = {}) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  for (const auto& [name, value] : more.figures)
    (*info.mutable_metadata())[name] = std::to_string(value);
  details.add_details()->PackFrom(info);
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field(field);
  if (!field.empty()) details.add_details()->PackFrom(bad);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(more.retry_delay_ms / 1000);
  retry.mutable_retry_delay()->set_nanos(more.retry_delay_ms % 1000 * 1'000'000);
  if (more.retry_delay_ms != 0) details.add_details()->PackFrom(retry);
  return {code, message, details.SerializeAsString()};
}

// What a generating call writes, one message after the other, and how it ends.
template <class Message>
struct Answer {
  std::vector<Message> messages{};
  bool hangs = false;  // after the last message, until the call is cancelled
  Status status = Status::OK;

  void AddStart(bool is_long) {
    Message& message = messages.emplace_back();
    message.mutable_started()->set_request_id("0007");
    message.mutable_started()->set_model("fake");
    message.mutable_started()->set_seed(18446744073709551615ULL);
    if (!is_long) return;
    message.mutable_started()->set_queue_position(3);
    Message& progress = messages.emplace_back();
    progress.mutable_progress()->set_prompt_tokens(100);
    progress.mutable_progress()->set_processed_tokens(64);
  }
  void AddChunk(const std::string& text, std::int32_t token) {
    Message& message = messages.emplace_back();
    message.mutable_chunk()->set_text(text);
    message.mutable_chunk()->add_tokens(token);
  }
  void AddFinish(std::uint32_t tokens) {
    v1::Finished& finished = *messages.emplace_back().mutable_finished();
    finished.set_reason(v1::FINISH_REASON_STOP_TOKEN);
    finished.set_stop_token(2);
    finished.mutable_usage()->set_completion_tokens(tokens);
    finished.mutable_timings()->set_decode_tokens_per_second(12.5);
    finished.mutable_io()->set_experts_used(100);
    finished.mutable_io()->set_expert_hits(75);
    finished.mutable_io()->set_bytes_read(4096);
  }
};

template <class Message>
Answer<Message> Generate(State& state, const std::string& prompt) {
  if (Status loading = Loading(state); !loading.ok()) return {.status = loading};
  if (prompt.empty()) return {.status = {StatusCode::INVALID_ARGUMENT, "prompt: is empty"}};
  if (prompt == "too long")
    return {.status = Refusal(StatusCode::INVALID_ARGUMENT, "messages: found 9 tokens",
                              "CONTEXT_EXCEEDED", "messages")};
  if (prompt == "no model")
    return {.status = Refusal(StatusCode::FAILED_PRECONDITION, "no model is loaded", "NO_MODEL")};
  if (prompt == "full")
    return {.status = Refusal(StatusCode::RESOURCE_EXHAUSTED, "queue: all 64 places are taken",
                              "QUEUE_FULL", /*field=*/"", {.retry_delay_ms = 1500})};
  Answer<Message> answer;
  answer.AddStart(prompt == "long");
  if (prompt == "hang") {
    answer.AddChunk("\xE2\x80\xA6", 1);
    answer.hangs = true;
    answer.status = Status(StatusCode::CANCELLED, "cancelled");
    return answer;
  }
  if (prompt == "data-loss") {
    answer.AddChunk("half", 1);
    answer.status = Status(StatusCode::DATA_LOSS, "expert 3 of layer 2 could not be read");
    return answer;
  }
  std::uint32_t count = 0;
  std::istringstream words(prompt == "escape" ? "a\x1B[31mb\xC2\x9B" : prompt);
  for (std::string word; words >> word; ++count)
    answer.AddChunk(count == 0 ? word : " " + word, static_cast<std::int32_t>(count));
  answer.AddFinish(count);
  return answer;
}

// With tools: thinks, calls the first one with the question, and tells what it gave.
Answer<v1::ChatResponse> UseTools(const v1::ChatRequest& request) {
  const v1::ChatMessage& last = *request.messages().rbegin();
  Answer<v1::ChatResponse> answer;
  answer.AddStart(false);
  answer.AddChunk("", 1);
  answer.messages.back().mutable_chunk()->set_reasoning("Hm. ");
  if (last.role() == "tool") {
    answer.AddChunk(
        last.tool_name() + " " + last.tool_call_id() + " gave " + last.content(0).text(), 2);
    answer.AddFinish(2);
    return answer;
  }
  answer.AddChunk("", 2);
  v1::ToolCallDelta& begun = *answer.messages.back().mutable_chunk()->add_tool_calls();
  begun.set_id("c1");
  begun.set_name(request.tools(0).name());
  begun.set_arguments("{\"q\": ");
  answer.AddChunk("", 3);
  v1::ToolCallDelta& ended = *answer.messages.back().mutable_chunk()->add_tool_calls();
  ended.set_arguments("\"" + last.content(0).text() + "\"}");
  ended.set_finished(true);
  answer.AddFinish(3);
  answer.messages.back().mutable_finished()->set_reason(v1::FINISH_REASON_TOOL_CALLS);
  return answer;
}

// Writes an answer; ends when all is written and, if it hangs, the call is cancelled.
template <class Message>
class AnswerWriter final : public grpc::ServerWriteReactor<Message> {
 public:
  AnswerWriter(State& state, Answer<Message> answer)
      : state_(state), answer_(std::move(answer)), awaited_(answer_.hangs ? 2 : 1) {
    WriteNext();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) next_ = answer_.messages.size();
    WriteNext();
  }
  void OnCancel() override {
    if (!answer_.hangs) return;
    {
      const std::lock_guard lock(state_.mutex);
      ++state_.cancelled_count;
    }
    state_.changed.notify_all();
    Arrive();
  }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (next_ == answer_.messages.size()) return Arrive();
    this->StartWrite(&answer_.messages[next_++]);
  }
  void Arrive() {
    if (--awaited_ == 0) this->Finish(answer_.status);
  }

  State& state_;
  const Answer<Message> answer_;
  std::size_t next_ = 0;
  std::atomic<int> awaited_;
};

using GeneratingCalls = v1::InferenceService::WithCallbackMethod_Complete<
    v1::InferenceService::WithCallbackMethod_Chat<v1::InferenceService::Service>>;

class FakeInference final : public GeneratingCalls {
 public:
  explicit FakeInference(State& state) : state_(state) {}

  grpc::ServerWriteReactor<v1::CompleteResponse>* Complete(
      grpc::CallbackServerContext*, const v1::CompleteRequest* request) override {
    {
      const std::lock_guard lock(state_.mutex);
      state_.last_complete = *request;
    }
    return new AnswerWriter(state_, Generate<v1::CompleteResponse>(state_, request->prompt()));
  }

  grpc::ServerWriteReactor<v1::ChatResponse>* Chat(grpc::CallbackServerContext*,
                                                   const v1::ChatRequest* request) override {
    {
      const std::lock_guard lock(state_.mutex);
      state_.last_chat = *request;
    }
    state_.changed.notify_all();
    ++state_.chat_count;
    if (Status fits = FitsContext(*request); !fits.ok())
      return new AnswerWriter(state_, Answer<v1::ChatResponse>{.status = std::move(fits)});
    if (request->tools_size() > 0) return new AnswerWriter(state_, UseTools(*request));
    const std::string& text = request->messages().rbegin()->content(0).text();
    return new AnswerWriter(state_, Generate<v1::ChatResponse>(state_, text));
  }

  Status FitsContext(const v1::ChatRequest& request) const {
    const std::uint32_t context = state_.chat_context;
    std::size_t tokens = 0;
    for (const v1::ChatMessage& message : request.messages())
      for (const v1::ContentPart& part : message.content()) tokens += part.text().size();
    if (context == 0 || tokens <= context) return Status::OK;
    return Refusal(StatusCode::INVALID_ARGUMENT,
                   "messages: found " + std::to_string(tokens) + " tokens", "CONTEXT_EXCEEDED",
                   "messages",
                   {.figures = {{"context_tokens", context}, {"prompt_tokens", tokens}}});
  }

  Status Tokenize(ServerContext*, const v1::TokenizeRequest* request,
                  grpc::ServerWriter<v1::TokenizeResponse>* writer) override {
    if (Status loading = Loading(state_); !loading.ok()) return loading;
    for (std::uint32_t i = 0; i < request->text().size(); ++i) {
      v1::TokenizeResponse response;
      v1::Token* token = response.add_tokens();
      token->set_id(static_cast<unsigned char>(request->text()[i]));
      token->set_bytes(request->text().substr(i, 1));
      token->set_byte_begin(i);
      token->set_byte_end(i + 1);
      writer->Write(response);
    }
    return Status::OK;
  }

  Status Detokenize(ServerContext*, const v1::DetokenizeRequest* request,
                    v1::DetokenizeResponse* response) override {
    for (const std::int32_t id : request->tokens()) {
      if (id < 0 || id > 127)
        return Status(StatusCode::INVALID_ARGUMENT,
                      "tokens: found " + std::to_string(id) + ", expected ids in [0, 128)");
      *response->mutable_text() += static_cast<char>(id);
    }
    return Status::OK;
  }

  Status ApplyTemplate(ServerContext*, const v1::ApplyTemplateRequest* request,
                       v1::ApplyTemplateResponse* response) override {
    {
      const std::lock_guard lock(state_.mutex);
      state_.last_template = *request;
    }
    for (const v1::ChatMessage& message : request->messages())
      *response->mutable_prompt() += message.role() + ":" + message.content(0).text() + "\n";
    return Status::OK;
  }

  Status Score(ServerContext*, const v1::ScoreRequest* request,
               grpc::ServerWriter<v1::ScoreResponse>* writer) override {
    {
      const std::lock_guard lock(state_.mutex);
      state_.last_score = *request;
    }
    const int count = request->tokens().ids_size();
    if (count < 2 || static_cast<std::uint32_t>(count) > kContextTokens)
      return Status(StatusCode::INVALID_ARGUMENT, "tokens: expected 2 to 8");
    v1::ScoreResponse message;
    for (int i = 1; i < count; ++i) {
      v1::TokenLogprob* sampled = message.mutable_scored()->add_logprobs()->mutable_sampled();
      sampled->set_token(request->tokens().ids(i));
      sampled->set_logprob(-1);
    }
    writer->Write(message);
    message.mutable_finished()->set_logprob_sum(1 - count);
    message.mutable_finished()->set_scored_tokens(static_cast<std::uint32_t>(count - 1));
    writer->Write(message);
    return Status::OK;
  }

  Status Embed(ServerContext*, const v1::EmbedRequest* request,
               grpc::ServerWriter<v1::EmbedResponse>* writer) override {
    {
      const std::lock_guard lock(state_.mutex);
      state_.last_embed = *request;
    }
    if (request->texts().empty()) return Status(StatusCode::INVALID_ARGUMENT, "texts: found 0");
    v1::EmbedResponse message;
    message.mutable_started();
    writer->Write(message);
    for (int i = 0; i < request->texts_size(); ++i) {
      v1::Embedding& embedding = *message.mutable_embedding();
      embedding.Clear();
      embedding.set_index(static_cast<std::uint32_t>(i));
      embedding.add_values(static_cast<float>(request->texts(i).size()));
      embedding.set_tokens(1);
      writer->Write(message);
    }
    message.mutable_finished();
    writer->Write(message);
    return Status::OK;
  }

  Status Abort(ServerContext*, const v1::AbortRequest* request, v1::AbortResponse*) override {
    if (request->request_id() == "0007") return Status::OK;
    return Status(StatusCode::NOT_FOUND, "request " + request->request_id() + " does not run");
  }

  Status ListRequests(ServerContext*, const v1::ListRequestsRequest*,
                      v1::ListRequestsResponse* response) override {
    v1::Request* request = response->add_requests();
    request->set_request_id("0007");
    request->set_method("Chat");
    request->set_peer("uid 1000, pid 42");
    request->set_state(v1::REQUEST_STATE_RUNNING);
    request->set_age_seconds(1.5);
    request->set_prompt_tokens(12);
    request->set_completion_tokens(34);
    return Status::OK;
  }

 private:
  State& state_;
};

void AddPackRow(v1::PackReport& report, std::optional<std::uint32_t> layer, const char* role,
                std::uint64_t weights, std::uint64_t bytes) {
  v1::PackRow& row = *report.add_rows();
  if (layer) row.set_layer(*layer);
  row.set_role(role);
  row.set_weights(weights);
  row.set_bytes(bytes);
  row.set_bits(8 * static_cast<double>(bytes) / static_cast<double>(weights));
  v1::PackTypeCount& type = *row.add_types();
  type.set_type(bytes == weights ? "Q8_0" : "Q4_K");
  type.set_tensors(2);
}

void FillReport(const v1::PackRequest& request, std::uint32_t layers, v1::PackReport& report) {
  report.set_output_path(request.output_path());
  report.set_source_bytes(4000);
  report.set_file_bytes(1000);
  report.set_layer_count(layers);
  report.set_expert_count(8);
  report.set_method(request.method() == v1::PACK_METHOD_UNSPECIFIED ? v1::PACK_METHOD_SENSITIVITY
                                                                    : request.method());
  report.set_plan_only(request.plan_only());
  report.set_source_bits(16);
  report.set_bits(4.25);
  report.set_expected_kl(0.0123);
  if (!request.plan_only()) {
    v1::PackQuality& quality = *report.mutable_quality();
    quality.set_source_perplexity(4);
    quality.set_perplexity(4.02);
    quality.set_mean_kl(0.0097);
    quality.set_kl_p99(0.0843);
    quality.set_same_top_fraction(0.973);
    quality.set_tokens(8192);
    report.set_report_path("/models/p.report.json");
  }
  report.set_calibration_tokens(16384);
  report.set_probe_count(57);
  report.set_experts_never_used(3);
  for (std::uint32_t layer = 0; layer < layers; ++layer) {
    // 3, 4 and 6 bits; in the last layer 16.
    AddPackRow(report, layer, "gate", 800, layer + 1 == layers ? 1600 : 300);
    AddPackRow(report, layer, "up", 800, 400);
    AddPackRow(report, layer, "down", 800, 600);
    AddPackRow(report, layer, "query", 80, 80);
    AddPackRow(report, layer, "key", 80, 40);
    AddPackRow(report, layer, "other", 8, 32);
  }
  AddPackRow(report, std::nullopt, "embedding", 800, 450);
  AddPackRow(report, std::nullopt, "other", 8, 32);
  for (const double bits : {3.0, 4.25}) {
    v1::PackPoint& point = *report.add_curve();
    point.set_file_bytes(static_cast<std::uint64_t>(bits * 1024 * 1024));
    point.set_bits(bits);
    point.set_kl(0.1 / bits);
  }
}

class FakeModels final : public v1::ModelsService::Service {
 public:
  explicit FakeModels(State& state) : state_(state) {}

  Status Pack(ServerContext*, const v1::PackRequest* request,
              grpc::ServerWriter<v1::PackResponse>* writer) override {
    if (Status loading = Loading(state_); !loading.ok()) return loading;
    {
      const std::lock_guard lock(state_.mutex);
      state_.last_pack = *request;
    }
    const std::string name = request->source_path().substr(request->source_path().rfind('/') + 1);
    if (name == "refused.gguf")
      return Status(StatusCode::OUT_OF_RANGE, "bits: found 1; at least 2.06 can be had");
    v1::PackResponse message;
    const bool copy = request->target_case() == v1::PackRequest::TARGET_NOT_SET;
    v1::PackProgress& progress = *message.mutable_progress();
    progress.set_phase(copy ? v1::PACK_PHASE_COPYING : v1::PACK_PHASE_PROBING);
    progress.set_done(42);
    progress.set_total(100);
    progress.set_phase_number(3);
    progress.set_phase_count(6);
    writer->Write(message);
    v1::PackReport& report = *message.mutable_report();
    if (copy) {
      report.set_method(v1::PACK_METHOD_COPY);
      report.set_output_path(request->output_path());
      report.set_source_digest("abc");
    } else {
      FillReport(*request, name == "60.gguf" ? 60 : 2, report);
    }
    writer->Write(message);
    return Status::OK;
  }

  // A page for each.
  Status ListModels(ServerContext*, const v1::ListModelsRequest* request,
                    v1::ListModelsResponse* response) override {
    if (request->page_token().empty()) {
      Fill(response->add_models());
      response->set_next_page_token("1");
      return Status::OK;
    }
    v1::Model* broken = response->add_models();
    broken->set_name("torn");
    broken->set_state(v1::MODEL_STATE_BROKEN);
    broken->set_error("torn.gguf: ends after 17 bytes");
    return Status::OK;
  }

  Status GetModel(ServerContext*, const v1::GetModelRequest* request,
                  v1::GetModelResponse* response) override {
    if (!request->name().empty() && request->name() != "fake")
      return Status(StatusCode::NOT_FOUND,
                    "model \"" + request->name() + "\" is unknown; there is: fake");
    Fill(response->mutable_model());
    return Status::OK;
  }

  Status PlanRepository(ServerContext*, const v1::PlanRepositoryRequest* request,
                        grpc::ServerWriter<v1::PlanRepositoryResponse>* writer) override {
    if (request->model() == "hf.co/a/none")
      return Status(StatusCode::NOT_FOUND, "a/none: HTTP 404");
    if (request->model() == "other")
      return Refusal(StatusCode::INVALID_ARGUMENT, "model: found \"other\"", "INVALID_FIELD",
                     "model");
    v1::PlanRepositoryResponse message;
    v1::RepositoryModel& model = *message.mutable_model();
    model.set_quant("Q4_0");
    model.set_pull_name(request->hub_endpoint() + "/" + request->model() + ":Q4_0");
    model.set_fits_storage(true);
    model.mutable_plan()->set_fits(request->model() != "hf.co/a/large");
    writer->Write(message);
    v1::PlanRepositoryResponse last;
    if (model.plan().fits()) last.mutable_recommendation()->set_pull_name(model.pull_name());
    last.mutable_recommendation()->set_reason("It is the only one.");
    writer->Write(last);
    return Status::OK;
  }

  Status Plan(ServerContext*, const v1::PlanRequest* request, v1::PlanResponse* response) override {
    v1::MemoryPlan& plan = *response->mutable_plan();
    plan.set_budget_bytes(request->has_budget_bytes() ? request->budget_bytes() : 2000);
    plan.set_fits(plan.budget_bytes() >= 1000);
    plan.set_explanation(plan.fits() ? "The model fits." : "At least 1000 bytes.");
    plan.set_expert_total_bytes(5ULL << 32);
    if (!plan.fits()) return Status::OK;
    v1::ExpectedSpeed& expected = *response->mutable_expected_speed();
    expected.set_tokens_per_second(9.76);
    expected.set_low_tokens_per_second(7.1);
    expected.set_high_tokens_per_second(12);
    expected.set_bound(v1::SPEED_BOUND_STORAGE);
    expected.set_read_bytes_per_token(1.5 * (1 << 20));
    return Status::OK;
  }

 private:
  static void Fill(v1::Model* model) {
    model->set_name("fake");
    model->set_state(v1::MODEL_STATE_LOADED);
    model->set_architecture("none");
    model->set_context_tokens(kContextTokens);
  }

  State& state_;
};

class FakeObserve final : public v1::ObserveService::Service {
  Status GetStats(ServerContext*, const v1::GetStatsRequest*,
                  v1::GetStatsResponse* response) override {
    response->set_version("0");
    response->set_model("fake");
    response->mutable_experts()->set_hit_rate(0.75);
    response->mutable_process()->set_peak_resident_bytes(64 << 20);
    response->mutable_pack_job()->set_output_path("/models/p.gguf");
    v1::PackProgress& progress = *response->mutable_pack_job()->mutable_progress();
    progress.set_phase(v1::PACK_PHASE_VERIFYING);
    progress.set_phase_number(5);
    progress.set_phase_count(6);
    progress.set_done(1);
    progress.set_total(4);
    return Status::OK;
  }

  Status Probe(ServerContext*, const v1::ProbeRequest* request,
               v1::ProbeResponse* response) override {
    response->set_device("8:1");
    response->set_file_system("ext4");
    response->set_kept(!request->fresh());
    v1::ProbeResponse::Point* point = response->add_points();
    point->set_read_bytes(64 << 10);
    point->set_depth(2);
    point->set_bytes_per_second(90e6);
    response->set_bytes_per_second(90e6);
    response->set_note("a note");
    return Status::OK;
  }

  Status Resize(ServerContext*, const v1::ResizeRequest* request,
                v1::ResizeResponse* response) override {
    if (request->budget_bytes() < 1000)
      return Refusal(StatusCode::FAILED_PRECONDITION, "At least 1000 bytes.", "BUDGET_TOO_SMALL");
    response->mutable_plan()->set_budget_bytes(request->budget_bytes());
    response->mutable_plan()->set_fits(true);
    return Status::OK;
  }
};

}  // namespace

struct FakeDaemon::Server {
  explicit Server(State& state) : inference(state), models(state) {}

  FakeInference inference;
  FakeModels models;
  FakeObserve observe;
  std::unique_ptr<grpc::Server> server;
};

FakeDaemon::FakeDaemon(const std::string& address) : server_(std::make_unique<Server>(state_)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(&server_->inference);
  builder.RegisterService(&server_->models);
  builder.RegisterService(&server_->observe);
  grpc::EnableDefaultHealthCheckService(true);
  server_->server = builder.BuildAndStart();
}

FakeDaemon::~FakeDaemon() {
  server_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

void FakeDaemon::SetServing(bool serving) {
  server_->server->GetHealthCheckService()->SetServingStatus(serving);
}

v1::CompleteRequest FakeDaemon::last_complete() {
  const std::lock_guard lock(state_.mutex);
  return state_.last_complete;
}

v1::ChatRequest FakeDaemon::last_chat() {
  const std::lock_guard lock(state_.mutex);
  return state_.last_chat;
}

v1::EmbedRequest FakeDaemon::last_embed() {
  const std::lock_guard lock(state_.mutex);
  return state_.last_embed;
}

v1::PackRequest FakeDaemon::last_pack() {
  const std::lock_guard lock(state_.mutex);
  return state_.last_pack;
}

bool FakeDaemon::WaitCancelled() {
  std::unique_lock lock(state_.mutex);
  return state_.changed.wait_for(lock, kPatience, [this] { return state_.cancelled_count == 1; });
}

bool FakeDaemon::WaitChat(int messages, const std::string& text) {
  std::unique_lock lock(state_.mutex);
  return state_.changed.wait_for(lock, kPatience, [&] {
    const v1::ChatRequest& chat = state_.last_chat;
    return messages > 0 && chat.messages_size() == messages &&
           chat.messages(messages - 1).content(0).text() == text;
  });
}

}  // namespace edgemoe
