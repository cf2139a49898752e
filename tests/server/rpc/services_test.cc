// SPDX-License-Identifier: Apache-2.0
//
// Unary calls, health and reflection over a real socket.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <string>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "edgemoe/v1/models.grpc.pb.h"
#include "edgemoe/v1/observe.grpc.pb.h"
#include "server/calls/streams/token_stream.h"
#include "server/rpc/message_bytes.h"
#include "tests/server/server_fixture.h"

namespace edgemoe {
namespace {

using ::testing::HasSubstr;

// The answer's bytes to a unary call whose messages this test writes by hand.
std::string RawCall(const TestServer& server, const std::string& method, const std::string& request,
                    grpc::Status* status) {
  grpc::GenericStub stub(server.NewChannel());
  grpc::ClientContext context;
  const grpc::Slice slice(request);
  grpc::ByteBuffer request_buffer(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, {}, &request_buffer, &response,
                 [&](grpc::Status result) { done.set_value(std::move(result)); });
  *status = done.get_future().get();
  grpc::Slice answer;
  if (status->ok()) (void)response.DumpToSingleSlice(&answer);
  return std::string(reinterpret_cast<const char*>(answer.begin()), answer.size());
}

// grpc.health.v1: HealthCheckRequest.service is field 1; SERVING is 1, NOT_SERVING 2.
std::string Health(const TestServer& server, const std::string& service) {
  grpc::Status status;
  const std::string request =
      service.empty() ? "" : "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
  const std::string answer = RawCall(server, "/grpc.health.v1.Health/Check", request, &status);
  return status.ok() ? answer : status.error_message();
}

TEST(ServicesTest, HealthFollowsServing) {
  TestServer server;
  for (const char* service :
       {"", "edgemoe.v1.InferenceService", "edgemoe.v1.ModelsService", "edgemoe.v1.ObserveService"})
    EXPECT_EQ(Health(server, service), "\x08\x01") << service;
  server.server().SetServing(false);
  EXPECT_EQ(Health(server, ""), "\x08\x02");
  EXPECT_EQ(Health(server, "edgemoe.v1.InferenceService"), "\x08\x02");
}

TEST(ServicesTest, HealthSaysNotServingWhileLoading) {
  TestServer server({.loaded = false});
  EXPECT_EQ(Health(server, ""), "\x08\x02");
}

// The bytes of the answer to a question put to a version of gRPC's reflection.
std::string Reflect(const TestServer& server, const std::string& version,
                    const std::string& question) {
  grpc::GenericStub stub(server.NewChannel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(
      &context, "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo", &queue);
  void* tag = nullptr;
  bool ok = false;
  const auto wait = [&] { return queue.Next(&tag, &ok) && ok; };
  call->StartCall(&queue);
  EXPECT_TRUE(wait());
  const grpc::Slice request(question);
  call->WriteLast(grpc::ByteBuffer(&request, 1), {}, &queue);
  EXPECT_TRUE(wait());
  grpc::ByteBuffer response;
  call->Read(&response, &queue);
  EXPECT_TRUE(wait());
  grpc::Slice answer;
  EXPECT_TRUE(response.DumpToSingleSlice(&answer).ok());
  const std::string text(reinterpret_cast<const char*>(answer.begin()), answer.size());
  grpc::Status status;
  call->Finish(&status, &queue);
  EXPECT_TRUE(wait());
  EXPECT_TRUE(status.ok());
  return text;
}

TEST(ServicesTest, ReflectionOfBothVersionsListsTheServicesAndDescribesThem) {
  TestServer server;
  const std::string list("\x3a\x01*", 3);  // list_services: "*"
  for (const char* version : {"v1alpha", "v1"}) {
    SCOPED_TRACE(version);
    const std::string services = Reflect(server, version, list);
    for (const char* service : {"edgemoe.v1.InferenceService", "edgemoe.v1.ModelsService",
                                "edgemoe.v1.ObserveService", "grpc.health.v1.Health"})
      EXPECT_THAT(services, HasSubstr(service));
    // file_containing_symbol
    const std::string name = "edgemoe.v1.InferenceService.Complete";
    const std::string question = std::string("\x22") + static_cast<char>(name.size()) + name;
    EXPECT_THAT(Reflect(server, version, question), HasSubstr("penalty_last_n"));
    EXPECT_THAT(Reflect(server, version, std::string("\x22\x04none", 6)), HasSubstr("not found"));
  }
}

TEST(ServicesTest, BytesThatAreNoRequestAreRefused) {
  TestServer server;
  grpc::Status status;
  for (const char* method : {"Tokenize", "Complete", "Score", "Embed"}) {
    const std::string path = std::string("/edgemoe.v1.InferenceService/") + method;
    RawCall(server, path, "\xff\xff\xff", &status);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_THAT(status.error_message(), HasSubstr("its 3 bytes are no edgemoe.v1."));
    RawCall(server, path, "\x12\x04ok\xff\xfe", &status);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_THAT(status.error_message(), HasSubstr(": is not UTF-8 from byte 2 on"));
  }
  RawCall(server, "/edgemoe.v1.InferenceService/NoSuchCall", "", &status);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST(ServicesTest, TextThatIsNotUtf8IsNamedWhereverItStands) {
  const auto explain = [](const std::string& bytes) {
    return ExplainBadMessage(bytes, *v1::ChatRequest::descriptor()).message();
  };
  // messages: {role: "user"}, {content: {text: "a\xff"}}
  EXPECT_EQ(explain(std::string("\x12\x06\x0a\x04user\x12\x06\x12\x04\x0a\x02"
                                "a\xff",
                                16)),
            "messages[1].content[0].text: is not UTF-8 from byte 1 on; accepted: UTF-8 text");
  // stopping: {sequences: "\x80"}
  EXPECT_EQ(explain(std::string("\x2a\x03\x12\x01\x80", 5)),
            "stopping.sequences[0]: is not UTF-8 from byte 0 on; accepted: UTF-8 text");
  // A length beyond the end, and one that is cut off.
  EXPECT_THAT(explain("\x12\x7f"), HasSubstr("are no edgemoe.v1.ChatRequest"));
  EXPECT_THAT(explain("\x12\xff"), HasSubstr("are no edgemoe.v1.ChatRequest"));
}

TEST(ServicesTest, ALongTextComesInPartsAndHoldsItsMemoryUntilThen) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewNarrowChannel());
  v1::TokenizeRequest request;
  request.set_text(std::string(1'000'000, 'x'));
  request.set_add_special(false);
  grpc::ClientContext context;
  const auto tokens = stub->Tokenize(&context, request);
  v1::TokenizeResponse part;
  ASSERT_TRUE(tokens->Read(&part));
  EXPECT_EQ(part.tokens_size(), static_cast<int>(TokenStream::kTokensMax));
  EXPECT_GE(server.requests().held_bytes(), 1'000'000U);
  std::uint32_t count = 0;
  do {
    EXPECT_EQ(part.tokens(0).byte_begin(), count);
    count += static_cast<std::uint32_t>(part.tokens_size());
  } while (tokens->Read(&part));
  EXPECT_TRUE(tokens->Finish().ok());
  EXPECT_EQ(count, 1'000'000U);
}

TEST(ServicesTest, MoreBytesThanAreHeldAreRefusedWithARetryDelay) {
  TestServer server;
  auto others = server.requests().MakeShare();
  ASSERT_TRUE(others.TryResize(RequestMemory::kBytesMax));
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::TokenizeRequest request;
  request.set_text(std::string(100'000, 'x'));
  v1::CompleteRequest complete;
  complete.set_prompt(request.text());
  v1::ApplyTemplateRequest apply;
  apply.add_messages()->add_content()->set_text(request.text());
  v1::ApplyTemplateResponse prompt;
  grpc::ClientContext contexts[3];
  const grpc::Status refusals[] = {stub->Tokenize(&contexts[0], request)->Finish(),
                                   stub->Complete(&contexts[1], complete)->Finish(),
                                   stub->ApplyTemplate(&contexts[2], apply, &prompt)};
  for (int call = 0; call < 3; ++call) {
    EXPECT_EQ(refusals[call].error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    const auto& trailers = contexts[call].GetServerTrailingMetadata();
    EXPECT_EQ(trailers.count("grpc-retry-pushback-ms"), 1U);
  }
}

TEST(ServicesTest, TokenizeAndBack) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::TokenizeRequest request;
  request.set_text("ab");
  v1::TokenizeResponse response;
  grpc::ClientContext context;
  const auto tokens = stub->Tokenize(&context, request);
  ASSERT_TRUE(tokens->Read(&response));
  v1::TokenizeResponse more;
  EXPECT_FALSE(tokens->Read(&more));
  EXPECT_TRUE(tokens->Finish().ok());
  ASSERT_EQ(response.tokens_size(), 3) << "add_special is the default";
  EXPECT_EQ(response.tokens(2).bytes(), "b");
  EXPECT_EQ(response.tokens(2).byte_begin(), 1U);
  EXPECT_EQ(response.tokens(2).byte_end(), 2U);

  v1::DetokenizeRequest ids;
  ids.add_tokens(5);
  v1::DetokenizeResponse text;
  grpc::ClientContext back;
  ASSERT_TRUE(stub->Detokenize(&back, ids, &text).ok());
  EXPECT_EQ(text.text(), "t5");
  ids.add_tokens(5000);
  grpc::ClientContext bad;
  EXPECT_EQ(stub->Detokenize(&bad, ids, &text).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(ServicesTest, ApplyTemplateTakesVariables) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::ApplyTemplateRequest request;
  request.add_messages()->set_role("user");
  request.mutable_messages(0)->add_content()->set_text("hi");
  request.set_add_generation_prompt(false);
  (*request.mutable_template_variables())["x"] = "true";
  v1::ApplyTemplateResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->ApplyTemplate(&context, request, &response).ok());
  EXPECT_EQ(response.prompt(), "hi|{x=true}");
  request.mutable_messages(0)->set_role("robot");
  grpc::ClientContext bad;
  EXPECT_THAT(stub->ApplyTemplate(&bad, request, &response).error_message(),
              HasSubstr("messages[0].role: found \"robot\"; accepted: \"system\""));
}

TEST(ServicesTest, ModelsOfTheDirectoryAreListedWithTheirErrors) {
  const TempFolder models;
  for (const char* name :
       {"b.gguf", "broken.gguf", "a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "notes.txt"})
    std::ofstream(models / name) << "x";
  TestServer server({.models_directory = models.path()});
  const auto stub = v1::ModelsService::NewStub(server.NewChannel());
  v1::ListModelsResponse list;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->ListModels(&context, {}, &list).ok());
  ASSERT_EQ(list.models_size(), 4);
  EXPECT_EQ(list.models(0).name(), "a");
  EXPECT_EQ(list.models(1).name(), "b");
  EXPECT_EQ(list.models(1).state(), v1::MODEL_STATE_AVAILABLE);
  EXPECT_EQ(list.models(2).name(), "broken");
  EXPECT_EQ(list.models(2).state(), v1::MODEL_STATE_BROKEN);
  EXPECT_THAT(list.models(2).error(), HasSubstr("the header is cut off"));
  EXPECT_EQ(list.models(2).file_bytes(), 1U);
  EXPECT_EQ(list.models(3).name(), "fake");
  EXPECT_EQ(list.models(3).state(), v1::MODEL_STATE_LOADED);
  EXPECT_EQ(list.next_page_token(), "");

  v1::ListModelsRequest pages;
  pages.set_page_size(3);
  v1::ListModelsResponse first;
  grpc::ClientContext first_context;
  ASSERT_TRUE(stub->ListModels(&first_context, pages, &first).ok());
  EXPECT_EQ(first.models_size(), 3);
  pages.set_page_token(first.next_page_token());
  v1::ListModelsResponse second;
  grpc::ClientContext second_context;
  ASSERT_TRUE(stub->ListModels(&second_context, pages, &second).ok());
  ASSERT_EQ(second.models_size(), 1);
  EXPECT_EQ(second.models(0).name(), "fake");
  EXPECT_EQ(second.next_page_token(), "");

  v1::GetModelRequest get;
  v1::GetModelResponse model;
  grpc::ClientContext loaded;
  ASSERT_TRUE(stub->GetModel(&loaded, get, &model).ok());
  EXPECT_EQ(model.model().name(), "fake");
  get.set_name("c");
  grpc::ClientContext missing;
  const grpc::Status status = stub->GetModel(&missing, get, &model);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr(R"("fake", "a", "b", "broken")"));
}

TEST(ServicesTest, ALoadedModelThatIsUnavailableIsListedWithItsErrorAndRefusesRequests) {
  TestServer server;
  server.engine().SetAvailability(UnavailableError("the file is another"));
  const auto stub = v1::ModelsService::NewStub(server.NewChannel());
  v1::ListModelsResponse list;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->ListModels(&context, {}, &list).ok());
  ASSERT_EQ(list.models_size(), 1);
  EXPECT_EQ(list.models(0).name(), "fake");
  EXPECT_EQ(list.models(0).state(), v1::MODEL_STATE_BROKEN);
  EXPECT_THAT(list.models(0).error(), HasSubstr("the file is another"));
  v1::GetModelResponse model;
  grpc::ClientContext get;
  ASSERT_TRUE(stub->GetModel(&get, {}, &model).ok());
  EXPECT_EQ(model.model().state(), v1::MODEL_STATE_BROKEN);

  v1::CompleteRequest request;
  request.set_prompt("anything");
  grpc::ClientContext generate;
  const auto inference = v1::InferenceService::NewStub(server.NewChannel());
  const auto stream = inference->Complete(&generate, request);
  v1::CompleteResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the file is another"));
}

TEST(ServicesTest, UnreadableDirectoryIsNamed) {
  TestServer server({.models_directory = "/no/such/folder"});
  const auto stub = v1::ModelsService::NewStub(server.NewChannel());
  v1::ListModelsResponse list;
  grpc::ClientContext context;
  const grpc::Status status = stub->ListModels(&context, {}, &list);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("models.directory '/no/such/folder'"));
}

TEST(ServicesTest, PlanTakesOverrides) {
  TestServer server;
  const auto stub = v1::ModelsService::NewStub(server.NewChannel());
  v1::PlanRequest request;
  request.set_budget_bytes(10);
  request.set_context_tokens(100);
  request.set_sessions_max(3);
  v1::PlanResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->Plan(&context, request, &response).ok());
  const v1::MemoryPlan& plan = response.plan();
  EXPECT_FALSE(plan.fits());
  EXPECT_EQ(plan.explanation(), "memory.budget: needs at least 1000");
  EXPECT_EQ(plan.kv_bytes(), 300U);
  EXPECT_FALSE(response.has_expected_speed());
}

TEST(ServicesTest, APlanThatFitsTellsItsSpeed) {
  TestServer server;
  const auto stub = v1::ModelsService::NewStub(server.NewChannel());
  v1::PlanRequest request;
  request.set_budget_bytes(5000);
  v1::PlanResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->Plan(&context, request, &response).ok());
  EXPECT_TRUE(response.plan().fits());
  const v1::ExpectedSpeed& expected = response.expected_speed();
  EXPECT_EQ(expected.tokens_per_second(), 10);
  EXPECT_EQ(expected.low_tokens_per_second(), 7);
  EXPECT_EQ(expected.high_tokens_per_second(), 12);
  EXPECT_EQ(expected.bound(), v1::SPEED_BOUND_STORAGE);
  EXPECT_EQ(expected.hit_rate(), 0.5);
  EXPECT_EQ(expected.earlier_count(), 4U);
}

TEST(ServicesTest, ResizeGivesTheNewPlan) {
  TestServer server;
  const auto stub = v1::ObserveService::NewStub(server.NewChannel());
  v1::ResizeRequest request;
  request.set_budget_bytes(5000);
  v1::ResizeResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->Resize(&context, request, &response).ok());
  EXPECT_EQ(response.plan().budget_bytes(), 5000U);
  v1::GetStatsResponse stats;
  grpc::ClientContext stats_context;
  ASSERT_TRUE(stub->GetStats(&stats_context, {}, &stats).ok());
  EXPECT_EQ(stats.memory().budget_bytes(), 5000U);

  request.set_budget_bytes(10);
  grpc::ClientContext small_context;
  const grpc::Status refused = stub->Resize(&small_context, request, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.error_message(), "budget_bytes: needs at least 1000");
}

TEST(ServicesTest, ProbeTellsOfTheModelsStorage) {
  TestServer server;
  const auto stub = v1::ObserveService::NewStub(server.NewChannel());
  for (const bool fresh : {false, true}) {
    v1::ProbeRequest request;
    request.set_fresh(fresh);
    v1::ProbeResponse probe;
    grpc::ClientContext context;
    ASSERT_TRUE(stub->Probe(&context, request, &probe).ok());
    EXPECT_EQ(probe.kept(), !fresh);
    EXPECT_EQ(probe.device(), "8:1");
    ASSERT_EQ(probe.points_size(), 1);
    EXPECT_EQ(probe.points(0).bytes_per_second(), 1e8);
    EXPECT_EQ(probe.depth(), 2U);
    EXPECT_EQ(probe.in_flight_bytes_max(), 131072U);
    EXPECT_EQ(probe.note(), "/nowhere/fake.gguf") << "the fake notes which file it was given";
  }
}

TEST(ServicesTest, StatsTellEngineAndProcess) {
  TestServer server;
  const auto stub = v1::ObserveService::NewStub(server.NewChannel());
  v1::GetStatsResponse stats;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->GetStats(&context, {}, &stats).ok());
  EXPECT_EQ(stats.model(), "fake");
  EXPECT_EQ(stats.version(), EDGEMOE_VERSION);
  EXPECT_DOUBLE_EQ(stats.experts().hit_rate(), 0.25);
  EXPECT_GT(stats.process().resident_bytes(), 0U);
  EXPECT_GE(stats.process().peak_resident_bytes(), stats.process().resident_bytes());
}

}  // namespace
}  // namespace edgemoe
