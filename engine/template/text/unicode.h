// SPDX-License-Identifier: Apache-2.0
//
// Character classes and case mappings of Unicode, as Python's str has them.
#pragma once

#include <string>

namespace edgemoe::jinja {

bool IsAlphabetic(char32_t c);
bool IsDigit(char32_t c);
bool IsNumeric(char32_t c);
// What Python's repr() writes as it is.
bool IsPrintable(char32_t c);
bool IsUppercase(char32_t c);
bool IsLowercase(char32_t c);
// Of upper, lower or title case.
bool IsCased(char32_t c);
// An accent or an apostrophe in a word: it does not end the word for the final sigma.
bool IsCaseIgnorable(char32_t c);

// These append what `c` becomes, up to three characters.
void AppendUpper(char32_t c, std::string& out);
void AppendLower(char32_t c, std::string& out);
void AppendTitle(char32_t c, std::string& out);

}  // namespace edgemoe::jinja
