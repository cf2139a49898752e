// SPDX-License-Identifier: Apache-2.0
//
// Who may call what: every method of the API, over a real socket, as a user and as an
// administrator.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "edgemoe/v1/models.grpc.pb.h"
#include "edgemoe/v1/observe.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/server/server_fixture.h"

namespace edgemoe {
namespace {

using ::testing::HasSubstr;

constexpr LocalPeer kUser{.uid = 7, .pid = 9};
constexpr LocalPeer kAdministrator{.uid = 0, .pid = 1, .is_administrator = true};

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details())) return "no details";
  for (const google::protobuf::Any& any : details.details())
    if (any.UnpackTo(&info)) return info.reason();
  return "no reason";
}

// How a call with an empty request ends.
grpc::Status Call(TestServer& server, const LocalPeer& peer, const std::string& path) {
  server.SetNextPeer(peer);
  grpc::GenericStub stub(server.NewChannel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(&context, path, &queue);
  void* tag = nullptr;
  bool ok = false;
  call->StartCall(&queue);
  queue.Next(&tag, &ok);
  call->WriteLast(grpc::ByteBuffer(), {}, &queue);
  queue.Next(&tag, &ok);
  grpc::ByteBuffer answer;
  do {
    call->Read(&answer, &queue);
    queue.Next(&tag, &ok);
  } while (ok && path.find("RecordTrace") == std::string::npos);
  if (ok) context.TryCancel();
  grpc::Status status;
  call->Finish(&status, &queue);
  queue.Next(&tag, &ok);
  return status;
}

TEST(RightsTest, AdministrationIsForAdministrators) {
  const std::set<std::string> administration = {"Pack",           "Pull",     "CancelPull",
                                                "PlanRepository", "AddModel", "RemoveModel",
                                                "Resize",         "Probe",    "RecordTrace"};
  TestServer server;
  std::set<std::string> seen;
  for (const google::protobuf::FileDescriptor* const file :
       {v1::CompleteRequest::descriptor()->file(), v1::PlanRequest::descriptor()->file(),
        v1::ResizeRequest::descriptor()->file()}) {
    ASSERT_EQ(file->service_count(), 1);
    const google::protobuf::ServiceDescriptor& service = *file->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      const std::string& method = service.method(i)->name();
      const std::string path = "/" + service.full_name() + "/" + method;
      const grpc::Status as_user = Call(server, kUser, path);
      const bool needs_administrator = administration.contains(method);
      EXPECT_EQ(ReasonOf(as_user) == "ADMINISTRATOR_NEEDED", needs_administrator) << path;
      if (needs_administrator) {
        seen.insert(method);
        EXPECT_EQ(as_user.error_code(), grpc::StatusCode::PERMISSION_DENIED) << path;
        EXPECT_THAT(as_user.error_message(), HasSubstr("uid 7, pid 9"));
        EXPECT_THAT(as_user.error_message(), HasSubstr("listen.admin_users"));
      }
      EXPECT_NE(Call(server, kAdministrator, path).error_code(),
                grpc::StatusCode::PERMISSION_DENIED)
          << path;
    }
  }
  EXPECT_EQ(seen, administration);
}

TEST(RightsTest, AnothersRequestsAreOutOfReach) {
  TestServer server;
  server.SetNextPeer(kUser);
  const auto mine = v1::InferenceService::NewStub(server.NewChannel());
  v1::CompleteRequest request;
  request.set_prompt("hang");
  grpc::ClientContext context;
  const auto reader = mine->Complete(&context, request);
  v1::CompleteResponse message;
  ASSERT_TRUE(reader->Read(&message));
  const auto list = [](v1::InferenceService::Stub& stub) {
    v1::ListRequestsResponse response;
    grpc::ClientContext list_context;
    EXPECT_TRUE(stub.ListRequests(&list_context, {}, &response).ok());
    return response;
  };
  const auto abort = [&message](v1::InferenceService::Stub& stub) {
    v1::AbortRequest abort_request;
    abort_request.set_request_id(message.started().request_id());
    v1::AbortResponse response;
    grpc::ClientContext abort_context;
    return stub.Abort(&abort_context, abort_request, &response);
  };

  server.SetNextPeer({.uid = 8, .pid = 10});
  const auto other = v1::InferenceService::NewStub(server.NewChannel());
  EXPECT_EQ(list(*other).requests_size(), 0);
  const grpc::Status refused = abort(*other);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(refused), "NOT_FOUND");

  const v1::ListRequestsResponse own = list(*mine);
  ASSERT_EQ(own.requests_size(), 1);
  EXPECT_EQ(own.requests(0).request_id(), message.started().request_id());
  EXPECT_EQ(own.requests(0).method(), "Complete");
  EXPECT_EQ(own.requests(0).peer(), "uid 7, pid 9");
  EXPECT_EQ(own.requests(0).state(), v1::REQUEST_STATE_RUNNING);
  EXPECT_EQ(own.requests(0).model(), "fake");
  EXPECT_EQ(own.requests(0).prompt_tokens(), message.started().prompt_tokens());

  server.SetNextPeer(kAdministrator);
  const auto administrator = v1::InferenceService::NewStub(server.NewChannel());
  EXPECT_EQ(list(*administrator).requests_size(), 1);
  EXPECT_TRUE(abort(*administrator).ok());
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(list(*administrator).requests_size(), 0);
}

}  // namespace
}  // namespace edgemoe
