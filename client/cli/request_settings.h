// SPDX-License-Identifier: Apache-2.0
//
// The settings of a request that have one value each, as one table: the options of the command
// line and the /set of a conversation are made from it. Ranges are the daemon's to judge.
#pragma once

#include <google/protobuf/message.h>

#include <span>
#include <string>
#include <string_view>

#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

struct RequestSetting {
  // kReasoningLimit: of Reasoning, too, but without effect where nothing is answered.
  enum class Part { kSampling, kStopping, kReasoning, kReasoningLimit };

  Part part;
  const char* field;  // of the part's message
  const char* flags;  // "-t,--temperature"; "!--no-think" is the opposite
  const char* value;  // what it takes: "K"; empty: it is on or off
  const char* help;

  // The first long one of the flags: "--top-k".
  std::string flag() const;
  // The same as a word: "top_k".
  std::string name() const;
};

std::span<const RequestSetting> RequestSettings();

// By its name, where "-" may stand for "_"; nullptr where there is none.
const RequestSetting* FindRequestSetting(std::string_view name);

// The message of a request that a setting is a field of.
google::protobuf::Message& PartOf(const RequestSetting& setting, v1::ChatRequest& request);

// `part` in all of these: the message that the setting is a field of.
//
// Gives what is wrong with the text, "found X; accepted: Y"; empty where it was taken. Text of what
// is on or off is "on" or "off".
[[nodiscard]] std::string SetFromText(const RequestSetting& setting, const std::string& text,
                                      google::protobuf::Message& part);
// Nothing said: what the model has as its default.
void Unset(const RequestSetting& setting, google::protobuf::Message& part);
// Empty where nothing is said.
std::string TextOf(const RequestSetting& setting, const google::protobuf::Message& part);

}  // namespace edgemoe::cli
