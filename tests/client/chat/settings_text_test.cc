// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/settings_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgemoe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(SettingsTextTest, SetsShowsAndForgets) {
  v1::ChatRequest request;
  EXPECT_THAT(SetOrShow("top_k 7", request), StartsWith("top_k               7 "));
  EXPECT_EQ(request.sampling().top_k(), 7u);
  EXPECT_THAT(SetOrShow("top-p   0.9", request), StartsWith("top_p               0.9 "));
  EXPECT_THAT(SetOrShow("think off", request), StartsWith("think               off "));
  EXPECT_TRUE(request.reasoning().has_enabled());
  EXPECT_FALSE(request.reasoning().enabled());
  EXPECT_THAT(SetOrShow("reasoning_effort high", request), HasSubstr(" high "));
  EXPECT_EQ(request.reasoning().effort(), "high");
  EXPECT_THAT(SetOrShow("max_tokens 12", request), HasSubstr(" 12 "));
  EXPECT_EQ(request.stopping().max_tokens(), 12u);
  EXPECT_THAT(SetOrShow("top_k", request), StartsWith("top_k               7 "));
  EXPECT_THAT(SetOrShow("top_k default", request), StartsWith("top_k               default "));
  EXPECT_FALSE(request.sampling().has_top_k());
  EXPECT_THAT(SetOrShow("", request),
              AllOf(HasSubstr("\ntemperature         default "),
                    HasSubstr("\ntop_p               0.9 "), HasSubstr("\nseed ")));
}

TEST(SettingsTextTest, MistakesChangeNothing) {
  v1::ChatRequest request;
  (void)SetOrShow("top_k 7", request);
  EXPECT_EQ(SetOrShow("top_k many", request),
            "top_k: found \"many\"; accepted: a whole number in [0, 4294967295], default\n");
  EXPECT_EQ(SetOrShow("think maybe", request),
            "think: found \"maybe\"; accepted: on, off, default\n");
  EXPECT_THAT(SetOrShow("tempreature 1", request),
              AllOf(StartsWith("/set: found \"tempreature\"; accepted: think, "),
                    HasSubstr("did you mean temperature?")));
  EXPECT_EQ(request.sampling().top_k(), 7u);
}

}  // namespace
}  // namespace edgemoe::cli
