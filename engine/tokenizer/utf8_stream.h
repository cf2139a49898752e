// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace edgemoe {

// Turns the bytes of tokens, as they come, into text that never ends in half a character. Bytes
// that can be no character come out as U+FFFD, so that all output is valid UTF-8. Holds back at
// most 3 bytes. One for each stream of tokens; thread-compatible.
class Utf8Stream {
 public:
  // The characters that `bytes` completes, in order; may be empty.
  std::string Push(std::string_view bytes);

  // The end of the stream: U+FFFD if an incomplete character was left, else nothing. The stream
  // can then be used for the next text.
  std::string Flush();

  // Whether the last byte pushed ended a character.
  bool at_boundary() const { return held_.empty(); }

 private:
  std::string held_;
};

}  // namespace edgemoe
