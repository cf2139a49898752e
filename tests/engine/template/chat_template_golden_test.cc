// SPDX-License-Identifier: Apache-2.0
//
// Conversations as real templates render them, and one of our own that uses Qwen's constructs. The
// expected texts in chat_template_golden.json were recorded from Jinja 3.1.6, set up as the models'
// own library does (record_chat_templates.py); llama-server's /apply-template (build 11669) gives
// the same, but for conversations that end with the assistant, which it prepares for continuation.
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/template/chat_template.h"
#include "tests/engine/template/golden.h"

namespace edgemoe {
namespace {

// The template that the demo model's file carries.
constexpr const char* kDemoTemplate =
    "{%- for message in messages -%}{{ '<|im_start|>' + message.role + '\\n' + message.content + "
    "'<|im_end|>\\n' }}{%- endfor -%}{%- if add_generation_prompt -%}{{ "
    "'<|im_start|>assistant\\n' }}{%- endif -%}";

void ExpectRendersAll(const std::string& source, const std::string& name) {
  const auto parsed = ChatTemplate::Parse(source);
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  const auto cases = ReadRecording("chat_template_golden.json");
  ASSERT_EQ(cases.size(), 16u);
  for (const auto& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const auto rendered = parsed->Render(one["context"]);
    ASSERT_TRUE(rendered) << rendered.error().ToString();
    EXPECT_EQ(*rendered, one["rendered"][name].get<std::string>());
  }
}

TEST(ChatTemplateGolden, Demo) { ExpectRendersAll(kDemoTemplate, "demo"); }

TEST(ChatTemplateGolden, QwensConstructsInAnotherFormat) {
  const std::string name = "qwen_like.jinja";
  ExpectRendersAll(ReadFile(TestPath("families/" + name)), name);
}

class SharedTemplate : public testing::TestWithParam<const char*> {};

TEST_P(SharedTemplate, RendersAsRecorded) {
  const std::string path = PublicTemplatePath(GetParam());
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "SKIPPED: no " << path
                 << ", which is not ours; qwen_like.jinja has its constructs";
  }
  ExpectRendersAll(ReadFile(path), GetParam());
}

INSTANTIATE_TEST_SUITE_P(ChatTemplateGolden, SharedTemplate,
                         testing::Values("Qwen-Qwen3-0.6B.jinja",
                                         "Qwen-Qwen2.5-7B-Instruct.jinja"));

}  // namespace
}  // namespace edgemoe
