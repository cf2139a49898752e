// SPDX-License-Identifier: Apache-2.0
#include "download/pull.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <atomic>
#include <chrono>
#include <fstream>

#include "download/transfer/part_file.h"
#include "engine/base/system/unique_fd.h"
#include "tests/download/hub_fixture.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Bytes(std::size_t count, std::uint64_t seed) {
  const std::vector<std::byte> bytes = RandomBytes(count, seed);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class PullTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { hub_ = new FaultyHub; }
  static void TearDownTestSuite() {
    EXPECT_EQ(hub_->errors(), "");
    delete hub_;
  }
  static FaultyHub& hub() { return *hub_; }

  // A repository of this test's own with one file.
  PullTest() {
    hub().Add(repository_, "model-Q4_0.gguf", bytes_);
    options_ = OptionsFor(hub(), "hf.co/" + repository_, folder_.path());
  }

  // With these steps for the file's requests.
  void Script(const json& steps) { hub().Script(repository_, {{"file", steps}}); }
  // Of `bytes_`, as another program has it.
  std::string Sum() const {
    const TempFolder folder;
    WriteFile(folder / "file", bytes_);
    ChildProcess sha({"/usr/bin/env", "sha256sum", folder / "file"});
    EXPECT_EQ(sha.Wait(), 0);
    return sha.output().substr(0, 64);
  }
  std::string path() const { return folder_ / "model-Q4_0.gguf"; }

  void ExpectPulled() {
    const Result<PullReport> report = Pull(options_);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_EQ(report->paths, std::vector<std::string>{path()});
    EXPECT_EQ(report->bytes, bytes_.size());
    EXPECT_TRUE(ReadFile(path()) == bytes_);
    EXPECT_THAT(NamesIn(folder_.path()), ElementsAre("model-Q4_0.gguf"));
  }
  // The error, with nothing there but what the next download goes on from.
  Status Failed() {
    const Result<PullReport> report = Pull(options_);
    EXPECT_FALSE(report);
    EXPECT_FALSE(std::filesystem::exists(path()));
    return report ? OkStatus() : report.error();
  }

  static FaultyHub* hub_;
  const std::string repository_ =
      std::string("org/") + testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string bytes_ = Bytes(200'000, 1);
  TempFolder folder_;
  PullOptions options_;
};

FaultyHub* PullTest::hub_ = nullptr;

TEST_F(PullTest, DownloadsAndSaysWhenItIsThere) {
  std::vector<PullProgress> told;
  options_.progress = [&told](const PullProgress& progress) { told.push_back(progress); };
  ExpectPulled();
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front().done_bytes, 0u);
  EXPECT_EQ(told.back().done_bytes, bytes_.size());
  EXPECT_EQ(told.back().total_bytes, bytes_.size());
  EXPECT_EQ(told.back().file_name, "model-Q4_0.gguf");
  const Result<PullReport> again = Pull(options_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->was_there);
  EXPECT_EQ(hub().Log(repository_ + "/resolve").size(), 1u);
}

// A busy machine only takes longer.
TEST_F(PullTest, KeepsARateLimit) {
  hub().Add(repository_, "model-Q4_0.gguf", Bytes(1'000'000, 2));
  options_.http.bytes_per_second_max = 1'000'000;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(Pull(options_));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(300));
}

TEST_F(PullTest, ResumesWhatWasCut) {
  Script({{{"cut", 50'000}}, {{"reset", 60'000}}, {{"cut", 0}}});
  ExpectPulled();
  const std::vector<json> requests = hub().Log(repository_ + "/resolve");
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_FALSE(requests[0].contains("Range"));
  EXPECT_EQ(requests[1]["Range"], "bytes=50000-");
}

TEST_F(PullTest, ResumesInTheNextPull) {
  Script({{{"cut", 150'000}}});
  options_.retry.attempts_max = 1;
  const Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("the next pull goes on from"));
  EXPECT_THAT(NamesIn(folder_.path()),
              ElementsAre("model-Q4_0.gguf.part", "model-Q4_0.gguf.part.json"));
  const Result<PullReport> report = Pull(options_);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->resumed_bytes, 150'000u);
  EXPECT_TRUE(ReadFile(path()) == bytes_);
  EXPECT_THAT(NamesIn(folder_.path()), ElementsAre("model-Q4_0.gguf"));
}

TEST_F(PullTest, FindsDamageInThePartThatWasThere) {
  Script({{{"cut", 150'000}}});
  options_.retry.attempts_max = 1;
  EXPECT_FALSE(Failed().ok());
  std::string damaged = ReadFile(path() + ".part");
  damaged[70'000] = static_cast<char>(damaged[70'000] ^ 1);
  WriteFile(path() + ".part", damaged);
  ExpectPulled();
}

TEST_F(PullTest, BeginsAnewWithoutAReadableState) {
  for (const char* state : {"", "{", "[]", R"({"version": 1})", R"({"version": "1"})"}) {
    std::filesystem::remove(path());
    WriteFile(path() + ".part", "nothing of the file");
    WriteFile(path() + ".part.json", state);
    WriteFile(path() + ".part.json.17-0.partial", "of a process that was killed");
    ExpectPulled();
  }
}

TEST_F(PullTest, BeginsAnewWhenTheHubHasAnotherFile) {
  Script({{{"cut", 150'000}}});
  options_.retry.attempts_max = 1;
  EXPECT_FALSE(Failed().ok());
  const std::string other = Bytes(180'000, 2);
  hub().Add(repository_, "model-Q4_0.gguf", other);
  const Result<PullReport> report = Pull(options_);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->resumed_bytes, 0u);
  EXPECT_TRUE(ReadFile(path()) == other);
}

TEST_F(PullTest, TakesServersThatIgnoreRanges) {
  Script({{{"cut", 50'000}}, {{"ignore_range", true}}});
  ExpectPulled();
}

TEST_F(PullTest, NoticesOtherRangesThanItAskedFor) {
  Script({{{"cut", 50'000}}, {{"shift", 100}}, {{"cut", 60'000}}, {{"no_range_now", true}}});
  ExpectPulled();
}

TEST_F(PullTest, NoticesServersThatLieAboutTheLength) {
  Script({{{"length", 5}}, {{"length", -5}}, {{"chunked", true}, {"extra", 100}}});
  ExpectPulled();
}

TEST_F(PullTest, GivesUpOnAServerThatGoesOnLying) {
  Script(json(20, {{"length", 1000}}));
  const Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("201000 bytes; expected 200000"));
}

TEST_F(PullTest, DownloadsAgainWhatHasAnotherSum) {
  Script({{{"flip", 100'000}}});
  ExpectPulled();
}

TEST_F(PullTest, KeepsNothingThatTwiceHasAnotherSum) {
  Script({{{"flip", 0}}, {{"flip", 199'999}}});
  const Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("SHA-256"));
  EXPECT_THAT(NamesIn(folder_.path()), IsEmpty());
  ExpectPulled();
}

TEST_F(PullTest, TakesChunkedAnswers) {
  Script({{{"chunked", true}, {"cut", 50'000}}, {{"chunked", true}}});
  ExpectPulled();
}

TEST_F(PullTest, WaitsAsTheServerAsks) {
  std::vector<std::uint64_t> waits_ms;
  options_.retry.wait = [&waits_ms](std::uint64_t wait_ms) {
    waits_ms.push_back(wait_ms);
    return true;
  };
  Script({{{"status", 429}, {"headers", {{"Retry-After", "7"}}}},
          {{"status", 503}, {"headers", {{"Retry-After", "0"}}}},
          {{"status", 500}}});
  ExpectPulled();
  ASSERT_EQ(waits_ms.size(), 3u);
  EXPECT_EQ(waits_ms[0], 7000u);
  EXPECT_LE(waits_ms[1], 2000u);
}

TEST_F(PullTest, DoesNotWaitForHours) {
  Script({{{"status", 429}, {"headers", {{"Retry-After", "7200"}}}}});
  const Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("it asks to wait 7200 s"));
}

TEST_F(PullTest, GivesUpAfterSomeAttempts) {
  Script(json(50, {{"status", 503}}));
  EXPECT_EQ(Failed().code(), StatusCode::kUnavailable);
  EXPECT_EQ(hub().Log(repository_ + "/resolve").size(), options_.retry.attempts_max);
}

TEST_F(PullTest, SaysWhatToDoWithoutRights) {
  hub().Script(repository_, {{"api", {{{"status", 401}}, {{"status", 403}}}}});
  Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kUnauthenticated);
  EXPECT_THAT(status.message(), HasSubstr("set HF_TOKEN to a token"));
  EXPECT_THAT(status.message(), HasSubstr("HF_TOKEN is not set"));
  options_.hub.token = "hf_secret";
  status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("accept the model's licence at " + hub().origin()));
  EXPECT_THAT(status.message(), Not(HasSubstr("hf_secret")));
}

TEST_F(PullTest, SaysWhatToDoWithoutRightsOnTheFile) {
  Script({{{"status", 403}}, {{"status", 404}}, {{"status", 416}}, {{"status", 451}}});
  EXPECT_THAT(Failed().message(), HasSubstr("accept the model's licence"));
  EXPECT_EQ(Failed().code(), StatusCode::kNotFound);
  EXPECT_EQ(Failed().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(Failed().code(), StatusCode::kFailedPrecondition);
  ExpectPulled();
}

TEST_F(PullTest, NamesRepositoriesAndQuantsThatThereAreNot) {
  options_.model = "hf.co/org/none";
  EXPECT_EQ(Failed().code(), StatusCode::kNotFound);
  options_.model = "hf.co/" + repository_ + ":Q8_0";
  const Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("accepted: Q4_0"));
}

TEST_F(PullTest, ReadsListsOfManyPages) {
  for (int i = 0; i < 7; ++i) hub().Add(repository_, "f" + std::to_string(i) + ".gguf", "x");
  hub().Script(repository_,
               {{"api", {json::object(), {{"page", 3}}, {{"page", 3}}, {{"page", 3}}}}});
  options_.model += ":Q4_0";
  ExpectPulled();
  EXPECT_EQ(hub().Log("api/models/" + repository_).size(), 4u);
}

TEST_F(PullTest, RefusesAnswersThatAreNoList) {
  hub().Script(repository_, {{"api", {{{"body", "<html>Sign in"}}}}});
  EXPECT_EQ(Failed().code(), StatusCode::kDataLoss);
}

TEST_F(PullTest, FollowsRedirectsAndKeepsTheToken) {
  Script({{{"redirect", "http://localhost:{port}/cdn/" + repository_ + "/model-Q4_0.gguf"}}});
  options_.hub.token = "hf_secret";
  ExpectPulled();
  const std::vector<json> first = hub().Log(repository_ + "/resolve");
  const std::vector<json> second = hub().Log("cdn/" + repository_);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(first[0]["Authorization"], "Bearer hf_secret");
  EXPECT_FALSE(second[0].contains("Authorization"));
}

TEST_F(PullTest, RefusesRedirectsElsewhere) {
  Script({{{"redirect", "file:///etc/passwd"}},
          {{"redirect", "ftp://127.0.0.1/a"}},
          {{"redirect", "gopher://127.0.0.1/a"}}});
  for (const char* scheme : {"file:", "ftp:", "gopher:"}) {
    const Status status = Failed();
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << scheme;
    EXPECT_THAT(status.message(), HasSubstr(scheme));
  }
}

TEST_F(PullTest, RefusesRedirectsFromPublicToPrivateAddresses) {
  Script(
      json(9, {{"redirect", "http://127.0.0.2:{port}/cdn/" + repository_ + "/model-Q4_0.gguf"}}));
  options_.http.is_public_address = [](const std::string& address) {
    return address == "127.0.0.1";
  };
  const Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("127.0.0.2 is not a public one"));
  EXPECT_EQ(hub().Log(repository_ + "/resolve").size(), 1u);
  // Where nobody listens.
  options_.http.allow_private_redirects = true;
  EXPECT_EQ(Failed().code(), StatusCode::kUnavailable);
}

TEST_F(PullTest, EndsRedirectsThatGoRound) {
  Script(json(
      20, {{"redirect", "http://127.0.0.1:{port}/" + repository_ + "/resolve/x/model-Q4_0.gguf"}}));
  EXPECT_THAT(Failed().message(), HasSubstr("more than 10 redirects"));
}

TEST_F(PullTest, TellsWhenAServerStalls) {
  options_.http.stall_timeout_ms = 1;
  options_.retry.attempts_max = 1;
  Script({{{"stall", 1000}}});
  EXPECT_THAT(Failed().message(), HasSubstr("nothing came for"));
}

TEST_F(PullTest, EndsWhenItIsCancelled) {
  std::atomic<bool> cancelled = false;
  options_.http.cancelled = &cancelled;
  options_.progress = [&cancelled](const PullProgress& progress) {
    if (progress.file_number > 0) cancelled = true;
  };
  Script({{{"stall", 1000}}});
  EXPECT_EQ(Failed().code(), StatusCode::kCancelled);
}

TEST_F(PullTest, OneAtATime) {
  const UniqueFd lock(
      ::open((folder_ / ".edgemoe-download.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  const Status status = Failed();
  EXPECT_EQ(status.reason(), Reason::kBusy);
  ASSERT_EQ(::flock(lock.get(), LOCK_UN), 0);
  ExpectPulled();
}

TEST_F(PullTest, LeavesAReserve) {
  options_.reserve_bytes = std::uint64_t{1} << 60;
  const Status status = Failed();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.reason(), Reason::kStorageFull);
  EXPECT_THAT(status.message(), HasSubstr(folder_.path()));
  EXPECT_THAT(hub().Log(repository_ + "/resolve"), IsEmpty());
}

TEST_F(PullTest, RefusesOtherFilesOfTheName) {
  WriteFile(path(), "mine");
  const Result<PullReport> report = Pull(options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(report.error().message(), HasSubstr("remove or rename"));
  EXPECT_EQ(ReadFile(path()), "mine");
}

// Of the same length, but other bytes.
TEST_F(PullTest, ComparesTheSumOfWhatIsThere) {
  const std::string other = Bytes(bytes_.size(), 2);
  WriteFile(path(), other);
  std::vector<PullProgress> told;
  options_.progress = [&told](const PullProgress& progress) { told.push_back(progress); };
  const Result<PullReport> report = Pull(options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(report.error().message(), HasSubstr("with the SHA-256"));
  EXPECT_THAT(report.error().message(), HasSubstr("remove or rename"));
  EXPECT_TRUE(ReadFile(path()) == other);
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told.back().is_checking);
  EXPECT_EQ(told.back().done_bytes, bytes_.size());
  EXPECT_EQ(told.back().total_bytes, bytes_.size());
}

TEST_F(PullTest, TakesWhatIsThereOnceItIsChecked) {
  WriteFile(path(), bytes_);
  const Result<PullReport> report = Pull(options_);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(report->was_there);
  EXPECT_TRUE(report->is_verified);
  EXPECT_THAT(hub().Log(repository_ + "/resolve"), IsEmpty());
}

// What was checked is read again when it has changed, and only then.
TEST_F(PullTest, RemembersWhatWasChecked) {
  ExpectPulled();
  if (::getxattr(path().c_str(), "user.edgemoe.sha256", nullptr, 0) <= 0)
    GTEST_SKIP() << "SKIPPED: no attributes on this file system";
  int checks = 0;
  options_.progress = [&checks](const PullProgress& progress) { checks += progress.is_checking; };
  ASSERT_TRUE(Pull(options_)->was_there);
  EXPECT_EQ(checks, 0);
  const auto written = std::filesystem::last_write_time(path());
  std::ofstream(path(), std::ios::in | std::ios::binary) << "other";
  std::filesystem::last_write_time(path(), written + std::chrono::seconds(1));
  EXPECT_EQ(Pull(options_).error().code(), StatusCode::kAlreadyExists);
  EXPECT_GT(checks, 0);
}

TEST_F(PullTest, ALinkThatLeadsNowhereDoesNotBlock) {
  std::filesystem::create_symlink(folder_ / "gone", path());
  ExpectPulled();
  EXPECT_FALSE(std::filesystem::is_symlink(path()));
}

TEST_F(PullTest, LinksWhatAnotherProgramKeeps) {
  const TempFolder theirs;
  WriteFile(theirs / "damaged", Bytes(bytes_.size(), 2));
  WriteFile(theirs / "org_repo_model-Q4_0.gguf", bytes_);
  WriteFile(path() + ".part", "of an earlier download");
  options_.held_files = {{.path = theirs / "damaged", .bytes = bytes_.size(), .sha256 = Sum()},
                         {.path = theirs / "gone", .bytes = bytes_.size(), .sha256 = Sum()},
                         {.path = theirs / "org_repo_model-Q4_0.gguf", .bytes = bytes_.size()}};
  for (int round = 0; round < 2; ++round) {
    const Result<PullReport> report = Pull(options_);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_TRUE(report->was_there);
    EXPECT_TRUE(report->is_verified);
    EXPECT_EQ(report->linked_files.size(), round == 0 ? 1u : 0u);
    EXPECT_EQ(std::filesystem::read_symlink(path()), theirs / "org_repo_model-Q4_0.gguf");
    EXPECT_THAT(NamesIn(folder_.path()), ElementsAre("model-Q4_0.gguf"));
  }
  EXPECT_THAT(hub().Log(repository_ + "/resolve"), IsEmpty());
}

TEST_F(PullTest, DownloadsWhereWhatIsKeptIsAnotherFile) {
  const TempFolder theirs;
  WriteFile(theirs / "a", Bytes(bytes_.size(), 2));
  WriteFile(theirs / "other.gguf", bytes_);
  options_.held_files = {
      {.path = theirs / "a", .bytes = bytes_.size(), .sha256 = Sum()},
      {.path = theirs / "a", .bytes = bytes_.size(), .sha256 = std::string(64, '0')},
      {.path = theirs / "other.gguf", .bytes = bytes_.size()}};  // by its name
  ExpectPulled();
  EXPECT_FALSE(std::filesystem::is_symlink(path()));
}

// One part is kept, the other one is not.
TEST_F(PullTest, LinksAPartAndDownloadsTheOther) {
  const TempFolder theirs;
  for (int part = 1; part <= 2; ++part)
    hub().Add(repository_, "big-BF16-0000" + std::to_string(part) + "-of-00002.gguf",
              Bytes(10'000, static_cast<std::uint64_t>(part)));
  WriteFile(theirs / "big-BF16-00001-of-00002.gguf", Bytes(10'000, 1));
  options_.held_files = {{.path = theirs / "big-BF16-00001-of-00002.gguf", .bytes = 10'000}};
  options_.model += ":BF16";
  options_.retry.attempts_max = 1;
  Script({{{"cut", 5000}}});
  EXPECT_FALSE(Pull(options_));
  EXPECT_THAT(NamesIn(folder_.path()), Not(testing::Contains(testing::EndsWith(".gguf"))));
  const Result<PullReport> report = Pull(options_);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_FALSE(report->was_there);
  EXPECT_TRUE(std::filesystem::is_symlink(report->paths[0]));
  EXPECT_TRUE(ReadFile(report->paths[0]) == Bytes(10'000, 1));
  EXPECT_TRUE(ReadFile(report->paths[1]) == Bytes(10'000, 2));
}

TEST_F(PullTest, FollowsNoLink) {
  TempFolder elsewhere;
  WriteFile(elsewhere / "target", "mine");
  std::filesystem::create_symlink(elsewhere / "target", path() + ".part");
  EXPECT_EQ(Failed().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadFile(elsewhere / "target"), "mine");
}

TEST_F(PullTest, NamesAFolderThatIsNot) {
  options_.directory = folder_ / "none";
  EXPECT_EQ(Failed().code(), StatusCode::kNotFound);
}

TEST_F(PullTest, SplitModelsAppearWhole) {
  const std::string base = "BF16/big-BF16-0000";
  for (int part = 1; part <= 3; ++part)
    hub().Add(repository_, base + std::to_string(part) + "-of-00003.gguf",
              Bytes(10'000, static_cast<std::uint64_t>(part)));
  Script({json::object(), {{"cut", 5000}}});
  options_.model += ":BF16";
  options_.retry.attempts_max = 1;
  EXPECT_FALSE(Pull(options_));
  EXPECT_THAT(NamesIn(folder_.path()), Not(testing::Contains(testing::EndsWith(".gguf"))));
  const Result<PullReport> report = Pull(options_);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->resumed_bytes, 15'000u);
  EXPECT_THAT(NamesIn(folder_.path()),
              ElementsAre("big-BF16-00001-of-00003.gguf", "big-BF16-00002-of-00003.gguf",
                          "big-BF16-00003-of-00003.gguf"));
  EXPECT_EQ(report->paths[0], folder_ / "big-BF16-00001-of-00003.gguf");
  EXPECT_TRUE(ReadFile(report->paths[2]) == Bytes(10'000, 3));
}

// ---- URLs ----

TEST_F(PullTest, ResumesUrlsByTheirValidator) {
  options_.model = hub().origin() + "/cdn/" + repository_ + "/model-Q4_0.gguf?sig=1";
  hub().Script(repository_, {{"cdn", {json::object(), {{"cut", 50'000}}}}});
  options_.hub.token = "hf_secret";
  ExpectPulled();
  const std::vector<json> requests = hub().Log("cdn/" + repository_);
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_TRUE(requests[2].contains("If-Range"));
  for (const json& request : requests) EXPECT_FALSE(request.contains("Authorization"));
  EXPECT_TRUE(Pull(options_)->was_there);
}

TEST_F(PullTest, BeginsAnewWhenAUrlHasAnotherFile) {
  options_.model = hub().origin() + "/cdn/" + repository_ + "/model-Q4_0.gguf";
  hub().Script(repository_, {{"cdn",
                              {{{"etag", "\"old\""}},
                               {{"etag", "\"old\""}, {"cut", 50'000}, {"flip", 7}},
                               {{"cut", 60'000}},
                               {{"cut", 1000}, {"etag", false}}}}});
  ExpectPulled();
}

TEST_F(PullTest, ComparesTheSumOfAUrl) {
  options_.model =
      hub().origin() + "/cdn/" + repository_ + "/model-Q4_0.gguf#sha256=" + std::string(64, '0');
  EXPECT_EQ(Failed().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace edgemoe
