// SPDX-License-Identifier: Apache-2.0
#include "server/calls/request_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edgemoe/v1/inference.pb.h"
#include "server/calls/page.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;

class Live final : public LiveRequest {
 public:
  explicit Live(std::string model) { summary_.model = std::move(model); }
  RequestSummary Summary() const override { return summary_; }
  Status Abort() override {
    ++abort_count;
    return OkStatus();
  }
  int abort_count = 0;

 private:
  RequestSummary summary_;
};

std::vector<std::string> Models(const RequestTable& table, const Caller& caller) {
  std::vector<std::string> models;
  for (const RequestSummary& request : table.List(caller)) models.push_back(request.model);
  return models;
}

class RequestTableTest : public ::testing::Test {
 protected:
  const Caller alice_{.peer = "uid 7, pid 1", .owner = "uid 7"};
  const Caller bob_{.peer = "uid 8, pid 2", .owner = "uid 8"};
  const Caller root_{.peer = "uid 0, pid 3", .owner = "uid 0", .is_administrator = true};
  std::vector<std::uint64_t> random_ = {0xab, 2, 3, 0xab};  // taken from the end
  RequestTable table_{[this] {
    const std::uint64_t id = random_.back();
    random_.pop_back();
    return id;
  }};
};

TEST_F(RequestTableTest, EachReachesItsOwnAndAnAdministratorAll) {
  const auto first = std::make_shared<Live>("first");
  const auto second = std::make_shared<Live>("second");
  const auto third = std::make_shared<Live>("third");
  const RequestTable::Entry entries[] = {table_.Add(first, alice_), table_.Add(second, bob_),
                                         table_.Add(third, alice_)};
  EXPECT_EQ(entries[0].id(), "00000000000000ab");
  EXPECT_THAT(Models(table_, alice_), ElementsAre("first", "third"));
  EXPECT_THAT(Models(table_, bob_), ElementsAre("second"));
  EXPECT_THAT(Models(table_, root_), ElementsAre("first", "second", "third")) << "oldest first";

  const Status foreign = table_.Abort(entries[0].id(), bob_);
  EXPECT_EQ(foreign.code(), StatusCode::kNotFound);
  EXPECT_EQ(foreign.field(), "request_id");
  EXPECT_EQ(first->abort_count, 0);
  EXPECT_TRUE(table_.Abort(entries[0].id(), alice_).ok());
  EXPECT_TRUE(table_.Abort(entries[0].id(), root_).ok());
  EXPECT_EQ(first->abort_count, 2);
}

TEST_F(RequestTableTest, ARequestIsGoneWithItsEntry) {
  const auto live = std::make_shared<Live>("a");
  {
    RequestTable::Entry entry = table_.Add(live, alice_);
    const RequestTable::Entry moved(std::move(entry));
    EXPECT_EQ(table_.List(alice_).size(), 1U);
  }
  EXPECT_TRUE(table_.List(alice_).empty());
  EXPECT_EQ(table_.Abort("00000000000000ab", alice_).code(), StatusCode::kNotFound);
}

TEST_F(RequestTableTest, OneThatIsDestroyedFirstIsLeftOut) {
  auto live = std::make_shared<Live>("a");
  const RequestTable::Entry entry = table_.Add(live, alice_);
  live.reset();
  EXPECT_TRUE(table_.List(root_).empty());
  EXPECT_EQ(table_.Abort(entry.id(), root_).code(), StatusCode::kNotFound);
}

TEST_F(RequestTableTest, NoTwoHaveOneName) {
  random_ = {5, 9, 9};
  const auto live = std::make_shared<Live>("a");
  const RequestTable::Entry first = table_.Add(live, alice_);
  const RequestTable::Entry second = table_.Add(live, alice_);
  EXPECT_EQ(first.id(), "0000000000000009");
  EXPECT_EQ(second.id(), "0000000000000005");
}

TEST(PageTest, GivesEveryItemOnce) {
  v1::ListRequestsRequest request;
  request.set_page_size(2);
  std::vector<std::size_t> seen;
  for (int pages = 1;; ++pages) {
    const auto page = PageOf(request, 5);
    ASSERT_TRUE(page);
    for (std::size_t i = page->begin; i < page->end; ++i) seen.push_back(i);
    if (page->next_page_token.empty()) {
      EXPECT_EQ(pages, 3);
      break;
    }
    request.set_page_token(page->next_page_token);
  }
  EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4));
  request.set_page_token("4");
  EXPECT_EQ(PageOf(request, 3)->end, 3U) << "the list has become shorter";
  request.set_page_size(0);
  request.clear_page_token();
  EXPECT_EQ(PageOf(request, 500)->end, 100U);
  EXPECT_EQ(PageOf(request, 0)->next_page_token, "");
}

TEST(PageTest, NamesWhatIsWrong) {
  v1::ListRequestsRequest request;
  for (const char* const token : {"x", "-1", "1 ", "99999999999999999999999"}) {
    request.set_page_token(token);
    EXPECT_EQ(PageOf(request, 5).error().field(), "page_token") << token;
  }
  request.clear_page_token();
  for (const int size : {-1, 1001}) {
    request.set_page_size(size);
    EXPECT_EQ(PageOf(request, 5).error().field(), "page_size") << size;
  }
}

}  // namespace
}  // namespace edgemoe
