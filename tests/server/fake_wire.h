// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/calls/streams/single_writer.h"

namespace edgemoe {

// A call that writes one message at a time, when the test lets it: the test calls OnWritten and
// takes one off `in_flight`. Holds that a writer keeps to what CallWire promises.
class FakeWire final : public CallWire {
 public:
  void Write(const google::protobuf::Message& message) override {
    EXPECT_EQ(in_flight, 0) << "two writes in flight";
    EXPECT_EQ(end_count, 0) << "a write after the end";
    ++in_flight;
    messages.emplace_back(message.New())->CopyFrom(message);
    const auto* const text = message.GetDescriptor()->FindFieldByName("text");
    written.push_back(text == nullptr ? "" : message.GetReflection()->GetString(message, text));
  }
  void End(const Status& final_status) override {
    EXPECT_EQ(in_flight, 0) << "ended during a write";
    ++end_count;
    status = final_status;
  }
  void Cancel() override { ++cancel_count; }

  std::vector<std::unique_ptr<google::protobuf::Message>> messages;
  std::vector<std::string> written;  // their field `text`
  int in_flight = 0;
  std::atomic<int> end_count = 0;
  int cancel_count = 0;
  Status status;
};

}  // namespace edgemoe
