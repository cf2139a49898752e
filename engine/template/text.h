// SPDX-License-Identifier: Apache-2.0
//
// Python's text operations, as templates use them. Characters are code points of UTF-8; bytes that
// are none count as one character each. Case changes touch ASCII only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace edgemoe::jinja {

std::size_t CountCharacters(std::string_view text);
// Where each character starts, and the end: one more than there are characters.
std::vector<std::size_t> CharacterOffsets(std::string_view text);

// Takes characters that stand in `characters` off the ends; without any, white space.
enum class Side { kLeft, kRight, kBoth };
std::string_view Strip(std::string_view text, const std::string* characters, Side side);

// At most `count_max` splits; from the right end when `from_right`.
std::vector<std::string_view> Split(std::string_view text, std::string_view separator,
                                    std::size_t count_max, bool from_right);
// At runs of white space, without empty parts.
std::vector<std::string_view> SplitAtSpaces(std::string_view text, std::size_t count_max);
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);

std::size_t CountOccurrences(std::string_view text, std::string_view part);
// The first `count_max` occurrences of `from`, which is not empty.
std::string Replace(std::string_view text, std::string_view from, std::string_view to,
                    std::size_t count_max);

std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);
std::string Capitalize(std::string_view text);
std::string ToTitle(std::string_view text);

// Python's repr() of a string.
void AppendQuoted(std::string_view text, std::string& out);
void AppendJsonString(std::string_view text, bool ascii_only, std::string& out);
// & < > " ' as HTML entities.
std::string EscapeHtml(std::string_view text);
// Every line but the first is moved right; blank ones only when asked for.
std::string Indent(std::string_view text, std::string_view indentation, bool first, bool blank);

}  // namespace edgemoe::jinja
