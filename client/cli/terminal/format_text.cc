// SPDX-License-Identifier: Apache-2.0
#include "client/cli/terminal/format_text.h"

#include <cstdarg>
#include <cstdio>

namespace edgemoe::cli {

std::string Format(const char* format, ...) {
  char text[161];
  std::va_list values;
  va_start(values, format);
  std::vsnprintf(text, sizeof(text), format, values);
  va_end(values);
  return text;
}

}  // namespace edgemoe::cli
