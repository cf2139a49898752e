// SPDX-License-Identifier: Apache-2.0
//
// Lives of downloads under random faults, among them the death of the process behind any byte:
// whatever happens, there is the right file or an error that says what to do, and never something
// that is in the way of the next download.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "download/pull.h"
#include "engine/base/random.h"
#include "tests/download/hub_fixture.h"
#include "tests/support/sanitized.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLives = kSanitized ? 8 : 50;  // of each test
constexpr int kPullsMax = 40;                          // until a script must have run out

std::string Bytes(std::size_t count, std::uint64_t seed) {
  const std::vector<std::byte> bytes = RandomBytes(count, seed);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// One request's fate; offsets go a little beyond the file.
json RandomStep(Random& random, const std::string& repository, const std::string& name,
                std::size_t bytes) {
  const std::uint64_t place = random.NextBelow(bytes + bytes / 8 + 1);
  constexpr int kStatuses[] = {401, 403, 404, 408, 416, 429, 500, 502, 503};
  switch (random.NextBelow(14)) {
    case 0: return {{"cut", place}};
    case 1: return {{"reset", place}};
    case 2:
    case 3:
    case 4: return {{"kill", place}};
    case 5: return {{"length", static_cast<std::int64_t>(random.NextBelow(2000)) - 1000}};
    case 6: return {{"flip", place}};
    case 7: return {{"ignore_range", true}, {"kill", place}};
    case 8: return {{"shift", random.NextBelow(100)}};
    case 9: return {{"status", kStatuses[random.NextBelow(std::size(kStatuses))]}};
    case 10: return {{"chunked", true}, {"cut", place}};
    case 11: return {{"extra", random.NextBelow(1000) + 1}};
    case 12: return {{"redirect", "http://127.0.0.1:{port}/" + repository + "/resolve/x/" + name}};
    default: return {{"redirect", "file:///etc/passwd"}};
  }
}

json RandomScript(Random& random, const std::string& repository, const std::string& name,
                  std::size_t bytes) {
  json steps = json::array();
  const std::uint64_t count = 1 + random.NextBelow(6);
  for (std::uint64_t i = 0; i < count; ++i)
    steps.push_back(RandomStep(random, repository, name, bytes));
  json api = json::array();
  if (random.NextBelow(4) == 0) api.push_back({{"status", random.NextBelow(2) == 0 ? 503 : 429}});
  return {{"file", steps}, {"api", api}};
}

enum class End { kPulled, kFailed, kKilled };

// In a process of its own, whose number is the token that the hub kills by. An error is left in a
// file.
End PullInChild(PullOptions options, const std::string& error_path) {
  const pid_t child = ::fork();
  if (child == 0) {
    options.hub.token = std::to_string(::getpid());
    const Result<PullReport> report = Pull(options);
    if (!report) WriteFile(error_path, report.error().message());
    ::_exit(report ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) {
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    return End::kKilled;
  }
  return WEXITSTATUS(status) == 0 ? End::kPulled : End::kFailed;
}

class PullFaultsTest : public testing::Test {
 protected:
  // Counts how pulls ended.
  void Live(std::uint64_t seed);

  std::map<End, int> ends_;

 private:
  FaultyHub hub_;
  // The libraries below are ready before processes part.
  const HttpClient ready_{HttpOptions()};
};

void PullFaultsTest::Live(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  const std::string repository = "org/r" + std::to_string(seed);
  const bool is_split = random.NextBelow(4) == 0;
  std::map<std::string, std::string> files;
  const std::size_t bytes_max = random.NextBelow(8) == 0 ? 3'000'000 : 50'000;
  for (const char* name : {"m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"})
    if (is_split) files[name] = Bytes(1 + random.NextBelow(bytes_max), random.Next());
  if (!is_split) files["m-Q8_0.gguf"] = Bytes(1 + random.NextBelow(bytes_max), random.Next());
  for (const auto& [name, bytes] : files) hub_.Add(repository, name, bytes);
  const auto& [first_name, first_bytes] = *files.begin();
  hub_.Script(repository, RandomScript(random, repository, first_name, first_bytes.size()));

  const TempFolder folder;
  const TempFolder errors;
  const PullOptions options = OptionsFor(hub_, "hf.co/" + repository, folder.path());
  End end = End::kKilled;
  for (int pulls = 0; pulls < kPullsMax && end != End::kPulled; ++pulls) {
    end = PullInChild(options, errors / "error");
    ++ends_[end];
    const std::vector<std::string> names = NamesIn(folder.path());
    for (const std::string& name : names) {
      if (files.contains(name)) {
        EXPECT_TRUE(ReadFile(folder / name) == files[name]) << name;
      }
    }
    // An error says so in a sentence, and there is no file by which the model could be opened.
    if (end == End::kFailed) {
      EXPECT_GT(ReadFile(errors / "error").size(), 20u);
      EXPECT_THAT(names, testing::Not(testing::Contains(first_name)));
    }
  }
  ASSERT_EQ(end, End::kPulled) << ReadFile(errors / "error");
  std::vector<std::string> expected;
  for (const auto& [name, bytes] : files) expected.push_back(name);
  EXPECT_EQ(NamesIn(folder.path()), expected);
}

TEST_F(PullFaultsTest, TheRightFileOrAnError) {
  for (std::uint64_t seed = 0; seed < kLives; ++seed) Live(seed);
  EXPECT_GT(ends_[End::kKilled], 0);
  EXPECT_GT(ends_[End::kFailed], 0);
}
TEST_F(PullFaultsTest, AndFiftyMore) {
  for (std::uint64_t seed = 1000; seed < 1000 + kLives; ++seed) Live(seed);
}
TEST_F(PullFaultsTest, AndHundredMore) {
  for (std::uint64_t seed = 2000; seed < 2000 + kLives; ++seed) Live(seed);
}
TEST_F(PullFaultsTest, AndTwoHundredInAll) {
  for (std::uint64_t seed = 3000; seed < 3000 + kLives; ++seed) Live(seed);
}

}  // namespace
}  // namespace edgemoe
