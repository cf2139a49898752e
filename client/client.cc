// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <utility>

#include "client/message_text.h"
#include "edgemoe/v1/inference.grpc.pb.h"
#include "edgemoe/v1/models.grpc.pb.h"
#include "edgemoe/v1/observe.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace edgemoe::client {

struct Client::Stubs {
  std::unique_ptr<v1::InferenceService::Stub> inference;
  std::unique_ptr<v1::ModelsService::Stub> models;
  std::unique_ptr<v1::ObserveService::Stub> observe;
  std::unique_ptr<grpc::health::v1::Health::Stub> health;
};

namespace {

// Whether a proxy between gave the stream up, as it does when the daemon behind it dies: gRPC has
// no code of its own for that. The daemon's own errors have details.
bool WasCut(const grpc::Status& status) {
  if (!status.error_details().empty()) return false;
  const std::string& message = status.error_message();
  return (status.error_code() == grpc::StatusCode::INTERNAL &&
          message.starts_with("Received RST_STREAM")) ||
         (status.error_code() == grpc::StatusCode::UNKNOWN && message == "Stream removed");
}

Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return Status();
  if (WasCut(status))
    return Status{StatusCode::kUnavailable, "the stream was cut: " + status.error_message()};
  Status result{static_cast<StatusCode>(status.error_code()), status.error_message()};
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return result;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      result.reason = info.reason();
      result.metadata = {info.metadata().begin(), info.metadata().end()};
    } else if (detail.UnpackTo(&bad) && bad.field_violations_size() > 0) {
      result.field = bad.field_violations(0).field();
    } else if (detail.UnpackTo(&retry)) {
      const auto& delay = retry.retry_delay();
      result.retry_delay_ms =
          static_cast<std::uint32_t>(delay.seconds() * 1000 + delay.nanos() / 1'000'000);
    }
  }
  return result;
}

template <class Message>
class GrpcSource final : public MessageSource<Message> {
 public:
  template <class Start>
  explicit GrpcSource(const Start& start) : reader_(start(&context_)) {}

  bool Read(Message& message) override { return reader_->Read(&message); }
  void Cancel() override { context_.TryCancel(); }
  Status Finish() override { return ToStatus(reader_->Finish()); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<Message>> reader_;
};

template <class Response, class Stub, class Request>
Result<Response> Call(Stub& stub,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                      const Request& request,
                      std::chrono::milliseconds timeout = Client::kCallTimeout) {
  if (Status status = CheckMessageText(request); !status.ok())
    return tl::unexpected(std::move(status));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return tl::unexpected(ToStatus(status));
  return response;
}

template <class Message, class Request, class Start>
Stream<Message> Open(const Request& request, const Start& start) {
  if (Status status = CheckMessageText(request); !status.ok())
    return Stream<Message>(std::move(status));
  return Stream<Message>(std::make_unique<GrpcSource<Message>>(start));
}

// The pages of a list as one response.
template <class Response, class Request, class List>
Result<Response> AllPages(Request request, const List& list) {
  Response all;
  while (true) {
    Result<Response> page = list(request);
    if (!page) return page;
    const std::string next = page->next_page_token();
    page->clear_next_page_token();
    all.MergeFrom(*page);
    if (next.empty() || next == request.page_token()) return all;
    request.set_page_token(next);
  }
}

// Waits until the channel is connected or the first attempt failed.
bool WaitConnected(grpc::Channel& channel, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::system_clock::now() + timeout;
  for (grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
       state != GRPC_CHANNEL_READY; state = channel.GetState(true)) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (!channel.WaitForStateChange(state, deadline)) return false;
  }
  return true;
}

}  // namespace

Result<Client> Client::Connect(std::string_view address, std::chrono::milliseconds timeout) {
  const Result<std::string> target = ParseAddress(address);
  if (!target) return tl::unexpected(target.error());
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Channels to one target otherwise share a subchannel and with it the back-off after a failure,
  // so that a later Connect would not try at once.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(*target, grpc::InsecureChannelCredentials(), arguments);
  if (!WaitConnected(*channel, timeout)) return tl::unexpected(WhyUnreachable(*target));
  auto stubs = std::make_unique<Stubs>();
  stubs->inference = v1::InferenceService::NewStub(channel);
  stubs->models = v1::ModelsService::NewStub(channel);
  stubs->observe = v1::ObserveService::NewStub(channel);
  stubs->health = grpc::health::v1::Health::NewStub(channel);
  return Client(std::move(stubs));
}

Client::Client(std::unique_ptr<Stubs> stubs) : stubs_(std::move(stubs)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

CompleteStream Client::Complete(const v1::CompleteRequest& request) {
  return Open<v1::CompleteResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->inference->Complete(context, request);
  });
}

ChatStream Client::Chat(const v1::ChatRequest& request) {
  return Open<v1::ChatResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->inference->Chat(context, request);
  });
}

ScoreStream Client::Score(const v1::ScoreRequest& request) {
  return Open<v1::ScoreResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->inference->Score(context, request);
  });
}

EmbedStream Client::Embed(const v1::EmbedRequest& request) {
  return Open<v1::EmbedResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->inference->Embed(context, request);
  });
}

Result<v1::TokenizeResponse> Client::Tokenize(const v1::TokenizeRequest& request) {
  auto parts = Open<v1::TokenizeResponse>(request, [&](grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    return stubs_->inference->Tokenize(context, request);
  });
  v1::TokenizeResponse response;
  for (v1::TokenizeResponse part; parts.Next(part);) response.MergeFrom(part);
  if (Status status = parts.Finish(); !status.ok()) return tl::unexpected(std::move(status));
  return response;
}

Result<v1::DetokenizeResponse> Client::Detokenize(const v1::DetokenizeRequest& request) {
  return Call(*stubs_->inference, &v1::InferenceService::Stub::Detokenize, request);
}

Result<v1::ApplyTemplateResponse> Client::ApplyTemplate(const v1::ApplyTemplateRequest& request) {
  return Call(*stubs_->inference, &v1::InferenceService::Stub::ApplyTemplate, request);
}

Result<v1::ListRequestsResponse> Client::ListRequests() {
  return AllPages<v1::ListRequestsResponse>(v1::ListRequestsRequest(), [&](const auto& request) {
    return Call(*stubs_->inference, &v1::InferenceService::Stub::ListRequests, request);
  });
}

Status Client::Abort(const std::string& request_id) {
  v1::AbortRequest request;
  request.set_request_id(request_id);
  const auto response = Call(*stubs_->inference, &v1::InferenceService::Stub::Abort, request);
  return response ? Status() : response.error();
}

Result<v1::ListModelsResponse> Client::ListModels() {
  return AllPages<v1::ListModelsResponse>(v1::ListModelsRequest(), [&](const auto& request) {
    return Call(*stubs_->models, &v1::ModelsService::Stub::ListModels, request);
  });
}

Result<v1::ListCatalogueResponse> Client::ListCatalogue() {
  return Call(*stubs_->models, &v1::ModelsService::Stub::ListCatalogue, v1::ListCatalogueRequest());
}

Result<v1::Model> Client::GetModel(const std::string& name) {
  v1::GetModelRequest request;
  request.set_name(name);
  auto response = Call(*stubs_->models, &v1::ModelsService::Stub::GetModel, request);
  if (!response) return tl::unexpected(std::move(response.error()));
  return std::move(*response->mutable_model());
}

Result<v1::PlanResponse> Client::Plan(const v1::PlanRequest& request) {
  return Call(*stubs_->models, &v1::ModelsService::Stub::Plan, request);
}

PackStream Client::Pack(const v1::PackRequest& request) {
  return Open<v1::PackResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->models->Pack(context, request);
  });
}

PullStream Client::Pull(const v1::PullRequest& request) {
  return Open<v1::PullResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->models->Pull(context, request);
  });
}

Status Client::CancelPull() {
  const auto response =
      Call(*stubs_->models, &v1::ModelsService::Stub::CancelPull, v1::CancelPullRequest());
  return response ? Status() : response.error();
}

RepositoryStream Client::PlanRepository(const v1::PlanRepositoryRequest& request) {
  return Open<v1::PlanRepositoryResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->models->PlanRepository(context, request);
  });
}

Result<v1::Model> Client::AddModel(const std::string& path) {
  v1::AddModelRequest request;
  request.set_path(path);
  auto response = Call(*stubs_->models, &v1::ModelsService::Stub::AddModel, request);
  if (!response) return tl::unexpected(std::move(response.error()));
  return std::move(*response->mutable_model());
}

Result<v1::RemoveModelResponse> Client::RemoveModel(const std::string& name) {
  v1::RemoveModelRequest request;
  request.set_name(name);
  return Call(*stubs_->models, &v1::ModelsService::Stub::RemoveModel, request);
}

Result<v1::ProbeResponse> Client::Probe(const v1::ProbeRequest& request) {
  return Call(*stubs_->observe, &v1::ObserveService::Stub::Probe, request);
}

Result<v1::MemoryPlan> Client::Resize(std::uint64_t budget_bytes) {
  v1::ResizeRequest request;
  request.set_budget_bytes(budget_bytes);
  auto response = Call(*stubs_->observe, &v1::ObserveService::Stub::Resize, request);
  if (!response) return tl::unexpected(std::move(response.error()));
  return std::move(*response->mutable_plan());
}

TraceStream Client::RecordTrace(const v1::RecordTraceRequest& request) {
  return Open<v1::RecordTraceResponse>(request, [&](grpc::ClientContext* context) {
    return stubs_->observe->RecordTrace(context, request);
  });
}

Result<v1::GetStatsResponse> Client::GetStats() {
  return Call(*stubs_->observe, &v1::ObserveService::Stub::GetStats, v1::GetStatsRequest());
}

Result<bool> Client::IsServing() {
  namespace health = grpc::health::v1;
  const auto response = Call(*stubs_->health, &health::Health::Stub::Check,
                             health::HealthCheckRequest(), kHealthTimeout);
  if (!response) return tl::unexpected(response.error());
  return response->status() == health::HealthCheckResponse::SERVING;
}

}  // namespace edgemoe::client
