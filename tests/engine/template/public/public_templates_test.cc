// SPDX-License-Identifier: Apache-2.0
//
// Public models' chat templates, rendered as Jinja 3.1.6 does, byte for byte, and refused where it
// refuses. Their text is not ours: they are read from ../templates-public, or where
// EDGEMOE_PUBLIC_TEMPLATES says (public_templates.py collects them); templates.json has where they
// are from and hashes of Jinja's renderings. Prints a table.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>

#include "engine/template/chat_template.h"
#include "tests/engine/template/golden.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

// "as Jinja", "refused" as by Jinja, or what is wrong.
std::string Outcome(const Result<std::string>& rendered, const Json& recorded) {
  if (recorded.is_string()) {
    if (!rendered) return "WRONG: " + rendered.error().message();
    if (Fnv1a(*rendered) == recorded.get<std::string>()) return "as Jinja";
    return "WRONG: other text than Jinja's:\n" + *rendered;
  }
  if (rendered) return "WRONG: Jinja refuses; found:\n" + *rendered;
  if (rendered.error().code() != StatusCode::kInvalidArgument) return "WRONG: another code";
  const Json& said = recorded["raises"];
  if (said.is_null() || Fnv1a(rendered.error().message()) == said.get<std::string>()) {
    return "refused";
  }
  return "WRONG: Jinja refuses otherwise: " + rendered.error().message();
}

TEST(PublicTemplates, RenderedAsJinjaDoes) {
  if (!std::filesystem::exists(PublicTemplatePath(""))) {
    GTEST_SKIP() << "SKIPPED: no " << PublicTemplatePath("")
                 << ", whose texts are not ours; families_test has templates with their constructs";
  }
  const Json conversations = ReadRecording("conversations.json");
  const Json templates = ReadRecording("public/templates.json");
  ASSERT_GE(templates.size(), 40u);
  ASSERT_GE(conversations.size(), 8u);
  std::size_t right = 0;
  std::size_t whole = 0;
  std::ostringstream table;
  for (const Json& one : templates) {
    const std::string name = one["name"].get<std::string>();
    SCOPED_TRACE(name);
    const std::string source = ReadFile(PublicTemplatePath(name));
    ASSERT_EQ(Fnv1a(source), one["fnv1a"].get<std::string>()) << "not the listed file";
    const auto parsed = ChatTemplate::Parse(source);
    EXPECT_TRUE(parsed) << parsed.error().ToString();
    table << std::left << std::setw(56) << name;
    bool all = true;
    for (const Json& conversation : conversations) {
      const std::string title = conversation["name"].get<std::string>();
      const std::string outcome =
          parsed ? Outcome(parsed->Render(conversation["context"], RecordedTime()),
                           one["rendered"][title])
                 : "WRONG";
      const bool is_right = outcome.rfind("WRONG", 0) != 0;
      EXPECT_TRUE(is_right) << title << ": " << outcome;
      all = all && is_right;
      right += is_right ? 1 : 0;
      table << " " << std::setw(8) << outcome.substr(0, outcome.find(':'));
    }
    whole += all ? 1 : 0;
    table << "\n";
  }
  std::cout << std::left << std::setw(56) << "template";
  for (const Json& conversation : conversations) {
    std::cout << " " << std::setw(8) << conversation["name"].get<std::string>().substr(0, 8);
  }
  std::cout << "\n"
            << table.str() << right << " of " << templates.size() * conversations.size()
            << " renderings, " << whole << " of " << templates.size() << " templates as Jinja\n";
}

}  // namespace
}  // namespace edgemoe
