// SPDX-License-Identifier: Apache-2.0
#include "engine/base/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace edgemoe {
namespace {

TEST(StatusTest, DefaultIsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(OkStatus(), Status());
  EXPECT_EQ(OkStatus().ToString(), "OK");
}

TEST(StatusTest, NamesCodeAndMessage) {
  const Status status = DataLossError("read layer 3");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "read layer 3");
  EXPECT_EQ(status.ToString(), "DATA_LOSS: read layer 3");
}

TEST(StatusTest, FiguresStayWithTheError) {
  const Status status = InvalidFieldError("prompt", "found 9 tokens")
                            .WithFigure({"context_tokens", 8})
                            .WithReason(Reason::kContextExceeded)
                            .WithFigure({"prompt_tokens", 9})
                            .WithContext("chat")
                            .WithField("messages");
  EXPECT_EQ(status.message(), "chat: messages: found 9 tokens");
  ASSERT_EQ(status.figures().size(), 2u);
  EXPECT_EQ(std::string(status.figures()[0].name), "context_tokens");
  EXPECT_EQ(status.figures()[0].value, 8u);
  EXPECT_EQ(status.figures()[1].value, 9u);
  EXPECT_TRUE(OkStatus().WithFigure({"x", 1}).figures().empty());
}

TEST(StatusTest, ContextGoesInFrontOfErrorsOnly) {
  EXPECT_EQ(NotFoundError("key").WithContext("file"), NotFoundError("file: key"));
  EXPECT_EQ(OkStatus().WithContext("file"), OkStatus());
}

TEST(StatusTest, CarriesTheFieldThatIsWrong) {
  const Status status(StatusCode::kResourceExhausted, "memory.budget", "found 1");
  EXPECT_EQ(status.field(), "memory.budget");
  EXPECT_EQ(status.problem(), "found 1");
  EXPECT_EQ(status.message(), "memory.budget: found 1");
  EXPECT_NE(status, ResourceExhaustedError("memory.budget: found 1")) << "that one names no field";
  EXPECT_EQ(InvalidFieldError("a", "is empty").code(), StatusCode::kInvalidArgument);

  const Status other = NotFoundError("a: b");
  EXPECT_EQ(other.field(), "");
  EXPECT_EQ(other.problem(), "a: b");
  EXPECT_EQ(OkStatus().field(), "");
}

TEST(StatusTest, ContextKeepsTheField) {
  const Status status =
      InvalidFieldError("top_p", "found 2").WithContext("c.json:3").WithContext("start");
  EXPECT_EQ(status.message(), "start: c.json:3: top_p: found 2");
  EXPECT_EQ(status.field(), "top_p");
  EXPECT_EQ(status.problem(), "found 2");
}

TEST(StatusTest, FieldsNest) {
  EXPECT_EQ(InvalidFieldError("top_p", "found 2").InField("sampling"),
            InvalidFieldError("sampling.top_p", "found 2"));
  EXPECT_EQ(InvalidFieldError("[2]", "is empty").InField("sequences").InField("stopping"),
            InvalidFieldError("stopping.sequences[2]", "is empty"));
  EXPECT_EQ(InvalidArgumentError("found 2").InField("mode"), InvalidFieldError("mode", "found 2"));
  EXPECT_EQ(OkStatus().InField("mode"), OkStatus());
}

TEST(StatusTest, AFieldCanHaveAnotherName) {
  const Status status = InvalidFieldError("io_depth", "found 9").WithField("io.depth");
  EXPECT_EQ(status, InvalidFieldError("io.depth", "found 9"));
  const Status behind = InvalidFieldError("a", "found a: b").WithContext("a: a").WithField("key");
  EXPECT_EQ(behind.message(), "a: a: key: found a: b") << "the place counts, not the text";
  EXPECT_EQ(behind.field(), "key");
  EXPECT_EQ(behind.problem(), "found a: b");
  EXPECT_EQ(InvalidArgumentError("found 2").WithField("x"), InvalidFieldError("x", "found 2"));
  EXPECT_EQ(OkStatus().WithField("x"), OkStatus());
}

TEST(StatusTest, EveryCodeHasItsOwnName) {
  std::set<std::string> names;
  for (int code = 0; code <= 16; ++code)
    names.insert(StatusCodeName(static_cast<StatusCode>(code)));
  EXPECT_EQ(names.size(), 17u);
  EXPECT_TRUE(names.contains("RESOURCE_EXHAUSTED"));
}

TEST(StatusTest, MakersGiveTheirCode) {
  EXPECT_EQ(CancelledError("").code(), StatusCode::kCancelled);
  EXPECT_EQ(InvalidArgumentError("").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DeadlineExceededError("").code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(AlreadyExistsError("").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(PermissionDeniedError("").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(ResourceExhaustedError("").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(FailedPreconditionError("").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(OutOfRangeError("").code(), StatusCode::kOutOfRange);
  EXPECT_EQ(UnimplementedError("").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(InternalError("").code(), StatusCode::kInternal);
  EXPECT_EQ(UnavailableError("").code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace edgemoe
