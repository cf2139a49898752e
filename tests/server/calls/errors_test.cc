// SPDX-License-Identifier: Apache-2.0
#include "server/calls/translate/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "edgemoe/v1/errors.pb.h"
#include "engine/base/accepted.h"
#include "google/rpc/error_details.pb.h"

namespace edgemoe {
namespace {

// The detail of that kind; empty where there is none.
template <class Detail>
Detail DetailOf(const google::rpc::Status& status) {
  Detail found;
  for (const google::protobuf::Any& any : status.details())
    if (any.UnpackTo(&found)) break;
  return found;
}

std::string ReasonOf(const Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(ToApi(status, {})).reason();
}

TEST(ErrorsTest, ABadFieldIsNamed) {
  const google::rpc::Status status =
      ToApi(InvalidField("top_k", "9", "[0, 8]").InField("sampling"), {});
  EXPECT_EQ(status.code(), static_cast<int>(StatusCode::kInvalidArgument));
  EXPECT_EQ(status.message(), "sampling.top_k: found 9; accepted: [0, 8]");
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad.field_violations_size(), 1);
  EXPECT_EQ(bad.field_violations(0).field(), "sampling.top_k");
  EXPECT_EQ(bad.field_violations(0).description(), "found 9; accepted: [0, 8]");
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "INVALID_FIELD");
  EXPECT_EQ(info.domain(), "edgemoe");
  EXPECT_EQ(status.details_size(), 2) << "nothing says when to try again";
}

TEST(ErrorsTest, FiguresAreMetadata) {
  const google::rpc::Status status = ToApi(InvalidField("prompt", "9 tokens", "[1, 8]")
                                               .WithReason(Reason::kContextExceeded)
                                               .WithFigure({"context_tokens", 8})
                                               .WithFigure({"prompt_tokens", 9}),
                                           {});
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "CONTEXT_EXCEEDED");
  EXPECT_EQ(info.metadata().at("context_tokens"), "8");
  EXPECT_EQ(info.metadata().at("prompt_tokens"), "9");
}

TEST(ErrorsTest, EveryCodeAndReasonHasAName) {
  std::set<std::string> names;
  for (int code = 1; code <= 16; ++code) {
    v1::ErrorReason value{};
    const std::string reason = ReasonOf({static_cast<StatusCode>(code), "why"});
    EXPECT_TRUE(v1::ErrorReason_Parse("ERROR_REASON_" + reason, &value)) << reason;
  }
  const int last = static_cast<int>(Reason::kStopping);
  for (int i = 1; i <= last; ++i) {
    const std::string reason = ReasonOf(InternalError("x").WithReason(static_cast<Reason>(i)));
    EXPECT_TRUE(names.insert(reason).second) << reason << " is told for two reasons";
  }
  EXPECT_EQ(names.count("INTERNAL"), 0U) << "a reason without a name";
}

TEST(ErrorsTest, WhatClientsWouldTryAgainInVainHasAnotherCode) {
  for (const Reason reason : {Reason::kBudgetTooSmall, Reason::kBudgetTooLarge})
    EXPECT_EQ(ToApi(ResourceExhaustedError("x").WithReason(reason), {}).code(),
              static_cast<int>(StatusCode::kFailedPrecondition));
  const Status architecture = UnimplementedError("general.architecture: found \"x\"");
  EXPECT_EQ(ToApi(architecture, {}).code(), static_cast<int>(StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReasonOf(architecture), "UNSUPPORTED");
  EXPECT_EQ(ReasonOf({StatusCode::kOutOfRange, "bits", "found 1"}), "TARGET_UNREACHABLE");
}

TEST(ErrorsTest, SaysWhenToComeBackWhereThatHelps) {
  EXPECT_EQ(RetryDelayMs(ResourceExhaustedError("x").WithReason(Reason::kQueueFull), 1250), 1250U);
  EXPECT_EQ(RetryDelayMs(ResourceExhaustedError("x").WithReason(Reason::kTooManyCalls), 7), 7U);
  EXPECT_TRUE(RetryDelayMs(UnavailableError("x").WithReason(Reason::kLoading), 7));
  for (const Reason reason : {Reason::kNone, Reason::kStorageFull, Reason::kSlowReader})
    EXPECT_FALSE(RetryDelayMs(ResourceExhaustedError("x").WithReason(reason), 7));
  const auto retry = DetailOf<google::rpc::RetryInfo>(ToApi(UnavailableError("x"), 1250));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 250'000'000);
}

TEST(ErrorsTest, LongMessagesAreCutBetweenCharacters) {
  std::string text = "x";
  while (text.size() < 100'000) text += "\xE2\x80\xA6";
  const google::rpc::Status status = ToApi({StatusCode::kInvalidArgument, "prompt", text}, {});
  EXPECT_LE(status.message().size(), 1024U);
  EXPECT_GT(status.message().size(), 1020U);
  EXPECT_TRUE(status.message().ends_with("\xE2\x80\xA6"));
  // Base64 makes four bytes of three; the message itself may be three times as long in the trailer.
  EXPECT_LT(status.SerializeAsString().size() * 4 / 3 + 3 * status.message().size(), 8192U);
}

TEST(ErrorsTest, SuccessHasNoDetails) { EXPECT_EQ(ToApi(OkStatus(), {}).ByteSizeLong(), 0U); }

}  // namespace
}  // namespace edgemoe
