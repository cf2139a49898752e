// SPDX-License-Identifier: Apache-2.0
//
// Templates of our own with the constructs of each family's, for nine conversations; golden.json
// holds what Jinja 3.1.6 makes of them (record_families.py). Prints a table.
#include <gtest/gtest.h>

#include <iostream>

#include "engine/template/chat_template.h"
#include "tests/engine/template/golden.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

void ExpectAsRecorded(const Result<std::string>& rendered, const Json& recorded) {
  if (recorded.contains("text")) {
    ASSERT_TRUE(rendered) << rendered.error().ToString();
    EXPECT_EQ(*rendered, recorded["text"].get<std::string>());
    return;
  }
  ASSERT_FALSE(rendered) << *rendered;
  EXPECT_EQ(rendered.error().code(), StatusCode::kInvalidArgument);
  if (!recorded["raises"].is_null()) {
    EXPECT_EQ(rendered.error().message(), recorded["raises"].get<std::string>());
  }
}

TEST(TemplateFamilies, RenderedAsJinjaDoes) {
  const Json conversations = ReadRecording("conversations.json");
  const Json golden = ReadRecording("families/golden.json");
  ASSERT_GE(conversations.size(), 8u);
  ASSERT_GE(golden.size(), 9u);
  for (auto one = golden.begin(); one != golden.end(); ++one) {
    SCOPED_TRACE(one.key());
    const auto parsed = ChatTemplate::Parse(ReadFile(TestPath("families/" + one.key())));
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    std::size_t texts = 0;
    for (const Json& conversation : conversations) {
      const std::string name = conversation["name"].get<std::string>();
      SCOPED_TRACE(name);
      const Json& recorded = (*one)[name];
      ExpectAsRecorded(parsed->Render(conversation["context"], RecordedTime()), recorded);
      texts += recorded.contains("text") ? 1 : 0;
    }
    EXPECT_GE(texts, 8u);
    std::cout << std::left << std::setw(24) << one.key() << texts << " texts, "
              << conversations.size() - texts << " refused\n";
  }
}

TEST(TemplateFamilies, RandomConversationsAsJinjaRendersThemNow) {
  std::string arguments = "random_conversations.py 1 " + std::to_string(kSanitized ? 25 : 100);
  const Json golden = ReadRecording("families/golden.json");
  for (auto one = golden.begin(); one != golden.end(); ++one) {
    arguments += " " + TestPath("families/" + one.key());
  }
  const auto printed = JinjaNow(arguments);
  if (!printed) GTEST_SKIP() << "SKIPPED: no python3-jinja2";
  const Json now = Json::parse(*printed, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(now.is_object());
  const Json& contexts = now["contexts"];
  std::size_t texts = 0;
  for (auto one = now["rendered"].begin(); one != now["rendered"].end(); ++one) {
    const auto parsed = ChatTemplate::Parse(ReadFile(one.key()));
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    for (std::size_t i = 0; i < contexts.size(); ++i) {
      SCOPED_TRACE(one.key() + " with " + contexts[i].dump());
      const auto rendered = parsed->Render(contexts[i], RecordedTime());
      const Json& text = (*one)[i];
      ASSERT_EQ(rendered.has_value(), text.is_string())
          << (rendered ? *rendered : rendered.error().ToString());
      if (!rendered) continue;
      ASSERT_EQ(*rendered, text.get<std::string>());
      ++texts;
    }
  }
  EXPECT_GE(texts, contexts.size() * 3);
}

}  // namespace
}  // namespace edgemoe
