// SPDX-License-Identifier: Apache-2.0
//
// Generated snippets against Jinja: the recorded ones, and thousands that python3-jinja2 renders
// now.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/template/chat_template.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

const std::string& Folder() {
  static const std::string folder = std::string(EDGEMOE_SOURCE_DIR) + "/tests/engine/template/";
  return folder;
}

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

TEST(Snippets, AsRecorded) {
  std::ifstream file(Folder() + "snippets.json", std::ios::binary);
  ExpectAsJinja({std::istreambuf_iterator<char>(file), {}}, 900);
}

TEST(Snippets, AsJinjaRendersThemNow) {
  const std::string command = "PYTHONIOENCODING=utf-8 python3 '" + Folder() + "snippets.py' 1 2000";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string snippets;
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    snippets.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == 77 || code == 127) GTEST_SKIP() << "SKIPPED: no python3-jinja2";
  ASSERT_EQ(code, 0);
  ExpectAsJinja(snippets, 1500);
}

}  // namespace
}  // namespace edgemoe
