// SPDX-License-Identifier: Apache-2.0
//
// Requests that the end-to-end tests make again and again.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/client.h"

namespace edgemoe {

// An integer of 64 bits, which JSON of protobuf has as a string.
inline std::uint64_t Number(const nlohmann::json& value) {
  return std::stoull(value.get<std::string>());
}

struct ReceivedAnswer {
  client::Status status;
  std::string text;
  std::vector<std::int32_t> tokens;
  v1::Started started;
  v1::Finished finished;
  int started_count = 0;
  int finished_count = 0;
};

// Of Complete or Chat.
template <class Message>
ReceivedAnswer Receive(client::Stream<Message> stream) {
  ReceivedAnswer answer;
  for (Message message; stream.Next(message);) {
    if (message.has_started()) {
      answer.started = message.started();
      ++answer.started_count;
    }
    if (message.has_finished()) {
      answer.finished = message.finished();
      ++answer.finished_count;
    }
    answer.text += message.chunk().text();
    answer.tokens.insert(answer.tokens.end(), message.chunk().tokens().begin(),
                         message.chunk().tokens().end());
  }
  answer.status = stream.Finish();
  return answer;
}

// Flags of a daemon whose storage is so slow that a token takes a second: an answer of hundreds
// does not end by itself before a test has looked at it.
inline const std::vector<std::string> kSlowStorage = {"--expert-budget", "6MiB", "--io-faults",
                                                      "slow:ms=200"};

// The most likely tokens, exactly so many.
inline v1::CompleteRequest Greedy(const std::string& prompt, std::uint32_t tokens) {
  v1::CompleteRequest request;
  request.set_prompt(prompt);
  request.mutable_sampling()->set_temperature(0);
  request.mutable_stopping()->set_max_tokens(tokens);
  request.mutable_stopping()->set_ignore_end_of_generation(true);
  return request;
}

}  // namespace edgemoe
