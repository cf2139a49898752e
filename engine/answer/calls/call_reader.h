// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgemoe {

constexpr std::size_t kCallBytesMax = std::size_t{1} << 20;  // of a call, as it was written
constexpr std::uint32_t kCallsMax = 128;                     // of an answer
constexpr std::size_t kCallNameBytesMax = 256;
constexpr std::size_t kArgumentDepthMax = 64;

// What the request said of a tool, as far as reading a call needs it.
struct AnswerTool {
  std::string name;
  // Parameters that are texts and nothing else: in some formats the text 12 and the number 12 are
  // written in the same way.
  std::vector<std::string> text_parameters;
};

// `parameters`: a JSON Schema, as text; what is none gives a tool without text parameters.
AnswerTool DescribeAnswerTool(std::string name, std::string_view parameters);

// Hears of a call as it is read: Begin, Arguments as often as needed, End.
class CallSink {
 public:
  virtual ~CallSink() = default;
  virtual void Begin(std::string_view name, std::string_view id) = 0;
  virtual void Arguments(std::string_view json) = 0;
  virtual void End() = 0;
};

enum class ReadStep : std::uint8_t {
  kMore,
  kDone,    // the byte was the last one
  kFailed,  // no call is written so
};

// Reads what stands between the marks of calls, the closing mark included, byte by byte.
class CallReader {
 public:
  virtual ~CallReader() = default;
  virtual ReadStep Push(char byte, CallSink& sink) = 0;
  // After kFailed; static storage.
  virtual std::string_view problem() const = 0;
  // After a call, nothing is missing but closing marks: the answer may end here.
  virtual bool may_end() const = 0;
};

// Of JSON, and around marks.
inline bool IsCallSpace(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}
bool IsCallNameByte(char byte);
std::string JsonText(std::string_view text);        // quoted and escaped; not UTF-8 becomes U+FFFD
void AppendJsonByte(char byte, std::string& json);  // of a text inside quotes
bool IsJson(std::string_view text);
void TrimSpace(std::string_view& text);

}  // namespace edgemoe
