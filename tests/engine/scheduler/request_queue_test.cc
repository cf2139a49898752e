// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/request_queue.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/engine/scheduler/scheduler_fakes.h"

namespace edgemoe {
namespace {

using testing::GreedyPlan;
using testing::Heard;
using testing::RecordingSink;
using testing::TableText;
using testing::Tokens;

class RequestQueueTest : public ::testing::Test {
 protected:
  std::unique_ptr<Session> MakeSession() {
    heard_ = std::make_shared<Heard>();
    return std::make_unique<Session>(GreedyPlan(Tokens({1}), 1),
                                     std::make_unique<RecordingSink>(heard_), text_, 0);
  }

  TableText text_{{"a", "b"}};
  std::shared_ptr<Heard> heard_;  // of the last session
  RequestQueue queue_{/*running_max=*/1, /*waiting_max=*/2};
};

TEST_F(RequestQueueTest, RefusesWhatIsBeyondItsBoundAndDestroysTheSinkUncalled) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue_.Submit(MakeSession()));
  const Result<RequestId> refused = queue_.Submit(MakeSession());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(refused.error().message().find("3 requests run or wait"), std::string::npos);
  EXPECT_TRUE(heard_->destroyed);
  EXPECT_TRUE(heard_->finished.empty());
  EXPECT_EQ(queue_.refused_count(), 1U);
  EXPECT_EQ(queue_.live_count(), 3U);
}

TEST_F(RequestQueueTest, GivesIdsInOrderAndAPlaceBack) {
  const RequestId first = *queue_.Submit(MakeSession());
  const RequestId second = *queue_.Submit(MakeSession());
  EXPECT_EQ(first.value, 1U);
  EXPECT_EQ(second.value, 2U);
  auto taken = queue_.TakeSubmitted();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0]->id(), first);
  EXPECT_TRUE(queue_.TakeSubmitted().empty());
  queue_.Retire(first);
  EXPECT_EQ(queue_.live_count(), 1U);
  EXPECT_EQ(queue_.Cancel(first).code(), StatusCode::kNotFound);
}

TEST_F(RequestQueueTest, CancelRaisesTheFlagOfThatRequestOnly) {
  const RequestId first = *queue_.Submit(MakeSession());
  ASSERT_TRUE(queue_.Submit(MakeSession()));
  auto taken = queue_.TakeSubmitted();
  EXPECT_TRUE(queue_.Cancel(first).ok());
  EXPECT_TRUE(taken[0]->cancel_flag().load());
  EXPECT_FALSE(taken[1]->cancel_flag().load());
  const Status unknown = queue_.Cancel(RequestId{99});
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_NE(unknown.message().find("99"), std::string::npos);
}

TEST_F(RequestQueueTest, TakesNothingAfterClose) {
  queue_.Close();
  const Result<RequestId> refused = queue_.Submit(MakeSession());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), StatusCode::kUnavailable);
}

TEST_F(RequestQueueTest, ASignalBeforeTheWaitIsNotLost) {
  queue_.Wake();
  queue_.WaitForSignal(std::nullopt);  // would hang
  ASSERT_TRUE(queue_.Submit(MakeSession()));
  queue_.WaitForSignal(std::nullopt);
}

TEST_F(RequestQueueTest, IsQuietOnlyWhenSinksHaveHeard) {
  const RequestId id = *queue_.Submit(MakeSession());
  queue_.Retire(id);
  EXPECT_FALSE(queue_.WaitUntilQuiet(std::chrono::nanoseconds(0)));
  std::thread engine([this] { queue_.NoteDelivered(); });
  EXPECT_TRUE(queue_.WaitUntilQuiet(std::chrono::hours(1)));
  engine.join();
}

TEST_F(RequestQueueTest, ManyThreadsNeverExceedTheBound) {
  RequestQueue queue(2, 30);
  std::atomic<std::uint32_t> taken{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      for (int j = 0; j < 250; ++j) {
        auto heard = std::make_shared<Heard>();
        taken += queue.Submit(std::make_unique<Session>(
                     GreedyPlan(Tokens({1}), 1), std::make_unique<RecordingSink>(heard), text_, 0))
                     ? 1
                     : 0;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(taken.load(), 32U);
  EXPECT_EQ(queue.refused_count(), 1000U - 32U);
  EXPECT_EQ(queue.TakeSubmitted().size(), 32U);
}

}  // namespace
}  // namespace edgemoe
