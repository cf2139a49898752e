// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/routing_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/trace/trace_reader.h"

namespace edgemoe {
namespace {

const TraceDescription kDescription{.model = "a tiny\nmodel",
                                    .architecture = "none",
                                    .experts_per_layer = 4,
                                    .experts_used = 2,
                                    .expert_bytes = {100, 0, 200},
                                    .dense_bytes = {1, 2, 3}};

Result<RoutingTrace> Read(const std::string& text) {
  std::istringstream input(text);
  return ReadTrace(input, "recorded");
}

// One decoded token at layers 0 and 2.
void RecordStep(RoutingRecorder& recorder, std::uint32_t position) {
  const std::vector<ExpertChoice> choices = {{position % 4, 0.75F}, {(position + 1) % 4, 0.25F}};
  const RoutedRow row{.request = RequestId{3},
                      .session = {},
                      .phase = RoutingPhase::kDecode,
                      .position = position,
                      .choices = choices};
  std::vector<std::uint64_t> read_bytes(4);
  recorder.OnStep();
  recorder.OnRouted(ExpertLayerIndex{0}, {&row, 1}, read_bytes);
  read_bytes[position % 4] = 200;
  recorder.OnRouted(ExpertLayerIndex{2}, {&row, 1}, read_bytes);
}

TEST(RoutingRecorderTest, TellsOfEachStepThatCanBeTaken) {
  std::vector<std::uint64_t> told;
  RoutingRecorder recorder(kDescription, 256,  // a step takes 4 lines of about 25 bytes
                           [&](std::uint64_t steps) { told.push_back(steps); });
  RecordStep(recorder, 0);
  EXPECT_TRUE(told.empty()) << "a step under way";
  RecordStep(recorder, 1);
  EXPECT_THAT(told, testing::ElementsAre(1));
  EXPECT_NE(recorder.Take(), "");
  recorder.OnIdle();
  recorder.OnIdle();
  EXPECT_THAT(told, testing::ElementsAre(1, 2)) << "once each";
  for (std::uint32_t position = 2; position < 6; ++position) RecordStep(recorder, position);
  recorder.OnIdle();
  EXPECT_EQ(told.size(), recorder.steps_recorded()) << "not of those that did not fit";
  EXPECT_GT(recorder.steps_dropped(), 0U);
}

TEST(RoutingRecorderTest, WritesWhatTheReaderReads) {
  RoutingRecorder recorder(kDescription);
  const std::vector<ExpertChoice> first = {{3, 0.6F}, {1, 0.4F}};
  const std::vector<ExpertChoice> second = {{1, 1.0F}};
  const std::vector<RoutedRow> rows = {{.request = RequestId{7},
                                        .session = {},
                                        .phase = RoutingPhase::kPrefill,
                                        .position = 0,
                                        .choices = first},
                                       {.request = RequestId{7},
                                        .session = {},
                                        .phase = RoutingPhase::kPrefill,
                                        .position = 1,
                                        .choices = second}};
  const std::vector<std::uint64_t> read_bytes = {0, 100, 0, 0};
  recorder.OnStep();
  recorder.OnRouted(ExpertLayerIndex{0}, rows, read_bytes);
  EXPECT_EQ(recorder.Take(), "") << "a step under way is not given";
  recorder.OnIdle();
  const std::string text = recorder.Take();
  EXPECT_EQ(text,
            "7,0,0,0,0,3,0.600000,1,0\n"
            "7,0,0,0,1,1,0.400000,0,100\n"
            "7,0,1,0,0,1,1.000000,1,0\n");
  EXPECT_EQ(recorder.Take(), "");
  EXPECT_EQ(recorder.steps_recorded(), 1U);
  const Result<RoutingTrace> trace = Read(recorder.header() + text);
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->description.model, "a_tiny_model");
  EXPECT_EQ(trace->description.expert_bytes, kDescription.expert_bytes);
  EXPECT_EQ(trace->rows.size(), 2U);
}

TEST(RoutingRecorderTest, DropsWholeStepsAndCountsThem) {
  RoutingRecorder recorder(kDescription, 256);  // a step takes 4 lines of about 25 bytes
  for (std::uint32_t position = 0; position < 10; ++position) RecordStep(recorder, position);
  recorder.OnIdle();
  std::string text = recorder.Take();
  EXPECT_GT(recorder.steps_dropped(), 0U);
  EXPECT_EQ(recorder.steps_recorded() + recorder.steps_dropped(), 10U);
  EXPECT_EQ(static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')),
            4 * recorder.steps_recorded());
  // Room again: it goes on, around the end of the ring.
  for (std::uint32_t position = 10; position < 40; ++position) {
    RecordStep(recorder, position);
    recorder.OnIdle();
    text += recorder.Take();
  }
  const Result<RoutingTrace> trace = Read(recorder.header() + text);
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->decode_tokens, recorder.steps_recorded());
  EXPECT_EQ(trace->rows.back().position, 39U);
}

TEST(RoutingRecorderTest, AnotherThreadTakes) {
  RoutingRecorder recorder(kDescription, 1000);
  std::atomic<bool> done{false};
  std::string text;
  std::thread taker([&] {
    while (!done.load()) text += recorder.Take();
    text += recorder.Take();
  });
  constexpr std::uint32_t kSteps = 20000;
  for (std::uint32_t position = 0; position < kSteps; ++position) RecordStep(recorder, position);
  recorder.OnIdle();
  done.store(true);
  taker.join();
  EXPECT_EQ(recorder.steps_recorded() + recorder.steps_dropped(), kSteps);
  ASSERT_GT(recorder.steps_recorded(), 0U);
  const Result<RoutingTrace> trace = Read(recorder.header() + text);
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->rows.size(), 2 * recorder.steps_recorded());
}

}  // namespace
}  // namespace edgemoe
