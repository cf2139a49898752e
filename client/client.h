// SPDX-License-Identifier: Apache-2.0
//
// Talks to an edgemoed daemon. Requests and answers are the messages of proto/edgemoe/v1, whose
// comments say what each field means.
//
//   auto client = edgemoe::client::Client::Connect();
//   if (!client) return Complain(client.error());
//   edgemoe::v1::CompleteRequest request;
//   request.set_prompt("Once upon a time");
//   auto answer = client->Complete(request);
//   for (edgemoe::v1::CompleteResponse part; answer.Next(part);) std::cout << part.chunk().text();
//   if (auto status = answer.Finish(); !status.ok()) return Complain(status);
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "client/address.h"
#include "client/status.h"
#include "client/stream.h"
#include "edgemoe/v1/inference.pb.h"
#include "edgemoe/v1/models.pb.h"
#include "edgemoe/v1/observe.pb.h"

namespace edgemoe::client {

using CompleteStream = Stream<v1::CompleteResponse>;
using ChatStream = Stream<v1::ChatResponse>;
using ScoreStream = Stream<v1::ScoreResponse>;
using EmbedStream = Stream<v1::EmbedResponse>;
using PackStream = Stream<v1::PackResponse>;
using PullStream = Stream<v1::PullResponse>;
using RepositoryStream = Stream<v1::PlanRepositoryResponse>;
using TraceStream = Stream<v1::RecordTraceResponse>;

// One connection; thread-safe; cheap to move. Calls that do not stream wait for the answer, for at
// most kCallTimeout; those that stream have no limit but the request's own. Codes are the daemon's;
// INVALID_ARGUMENT also for text that is not UTF-8, UNAVAILABLE also for a connection that broke.
class Client {
 public:
  static constexpr std::chrono::milliseconds kCallTimeout{60'000};
  static constexpr std::chrono::milliseconds kHealthTimeout{5'000};
  static constexpr int kMessageBytesMax = 64 << 20;

  // Connects to "unix:/path", "/path" or "host:port" (without TLS); "" is the default socket.
  // UNAVAILABLE says in words why nobody answers; INVALID_ARGUMENT for a malformed address.
  static Result<Client> Connect(
      std::string_view address = {},
      std::chrono::milliseconds timeout = std::chrono::milliseconds(10'000));

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  CompleteStream Complete(const v1::CompleteRequest& request);
  ChatStream Chat(const v1::ChatRequest& request);
  ScoreStream Score(const v1::ScoreRequest& request);
  EmbedStream Embed(const v1::EmbedRequest& request);

  Result<v1::TokenizeResponse> Tokenize(const v1::TokenizeRequest& request);
  Result<v1::DetokenizeResponse> Detokenize(const v1::DetokenizeRequest& request);
  Result<v1::ApplyTemplateResponse> ApplyTemplate(const v1::ApplyTemplateRequest& request);
  // All pages.
  Result<v1::ListRequestsResponse> ListRequests();
  Status Abort(const std::string& request_id);

  // All pages.
  Result<v1::ListModelsResponse> ListModels();
  Result<v1::ListCatalogueResponse> ListCatalogue();
  Result<v1::Model> GetModel(const std::string& name);
  Result<v1::PlanResponse> Plan(const v1::PlanRequest& request);
  PackStream Pack(const v1::PackRequest& request);
  PullStream Pull(const v1::PullRequest& request);
  Status CancelPull();
  RepositoryStream PlanRepository(const v1::PlanRepositoryRequest& request);
  Result<v1::Model> AddModel(const std::string& path);
  Result<v1::RemoveModelResponse> RemoveModel(const std::string& name);
  Result<v1::GetStatsResponse> GetStats();
  // By grpc.health.v1: whether requests are served now; false while a model is loading, cannot be
  // used, or the daemon stops. Waits for at most kHealthTimeout.
  Result<bool> IsServing();
  TraceStream RecordTrace(const v1::RecordTraceRequest& request);
  Result<v1::MemoryPlan> Resize(std::uint64_t budget_bytes);
  Result<v1::ProbeResponse> Probe(const v1::ProbeRequest& request);

 private:
  struct Stubs;
  explicit Client(std::unique_ptr<Stubs> stubs);

  std::unique_ptr<Stubs> stubs_;
};

}  // namespace edgemoe::client
