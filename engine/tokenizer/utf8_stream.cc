// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/utf8_stream.h"

#include "engine/base/utf8.h"

namespace edgemoe {

std::string Utf8Stream::Push(std::string_view bytes) {
  held_.append(bytes);
  std::string text;
  text.reserve(held_.size());
  std::size_t offset = 0;
  while (offset < held_.size()) {
    const Utf8Character character = DecodeUtf8(held_, offset);
    if (character.kind == Utf8Character::Kind::kIncomplete) break;
    AppendUtf8(character.code_point, text);
    offset += character.bytes;
  }
  held_.erase(0, offset);
  return text;
}

std::string Utf8Stream::Flush() {
  std::string text;
  if (!held_.empty()) AppendUtf8(kReplacementCharacter, text);
  held_.clear();
  return text;
}

}  // namespace edgemoe
