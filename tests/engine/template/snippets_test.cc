// SPDX-License-Identifier: Apache-2.0
//
// Generated snippets against Jinja: the recorded ones, and thousands that python3-jinja2 renders
// now.
#include <gtest/gtest.h>

#include <string>

#include "engine/template/chat_template.h"
#include "tests/engine/template/golden.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

// What Jinja writes is written here; what it refuses is refused.
void ExpectAsJinja(const std::string& snippets, std::size_t count_min) {
  const Json parsed = Json::parse(snippets, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(parsed.is_array());
  ASSERT_GE(parsed.size(), count_min);
  for (const Json& one : parsed) {
    SCOPED_TRACE(one["source"].dump());
    const auto chat_template = ChatTemplate::Parse(one["source"].get<std::string>());
    const auto text = chat_template ? chat_template->Render(Json::object())
                                    : Result<std::string>(Failure(chat_template.error()));
    if (one["text"].is_null()) {
      EXPECT_FALSE(text) << *text;
    } else if (text) {
      EXPECT_EQ(*text, one["text"].get<std::string>());
    } else {
      ADD_FAILURE() << text.error().ToString() << "; Jinja: " << one["text"];
    }
  }
}

TEST(Snippets, AsRecorded) { ExpectAsJinja(ReadFile(TestPath("snippets.json")), 900); }

TEST(Snippets, AsJinjaRendersThemNow) {
  const auto snippets = JinjaNow("snippets.py 1 2000");
  if (!snippets) GTEST_SKIP() << "SKIPPED: no python3-jinja2";
  ExpectAsJinja(*snippets, 1500);
}

}  // namespace
}  // namespace edgemoe
