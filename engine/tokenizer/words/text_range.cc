// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/words/text_range.h"

#include "engine/base/accepted.h"

namespace edgemoe {

Status WordTooLong(TextRange word) {
  return InvalidField("text",
                      "a word of more than " + ShowValue(kWordBytesMax) + " bytes from byte " +
                          ShowValue(word.begin) + " on",
                      "shorter ones");
}

}  // namespace edgemoe
