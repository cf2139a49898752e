// SPDX-License-Identifier: Apache-2.0
//
// Python's text operations, as templates use them. Characters are code points of UTF-8; bytes that
// are none count as one character each.
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
// At every kind of line end that Python knows, which are more than "\n".
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);

// Where `part` first stands at or after `from`, and where it last stands; npos for nowhere. Time is
// linear in both texts, which std::string's find() is not.
std::size_t FindPart(std::string_view text, std::string_view part, std::size_t from = 0);
std::size_t FindLastPart(std::string_view text, std::string_view part);
std::size_t CountOccurrences(std::string_view text, std::string_view part);
// The first `count_max` occurrences of `from`; an empty one stands around every character.
std::string Replace(std::string_view text, std::string_view from, std::string_view to,
                    std::size_t count_max);

std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);
std::string SwapCase(std::string_view text);
std::string Capitalize(std::string_view text);
// str.title(): every letter that follows none is upper, the others lower.
std::string ToTitle(std::string_view text);
// The filter "title": words begin after spaces, hyphens and opening brackets only.
std::string ToTitleWords(std::string_view text);

// Whether all characters are; false for an empty text.
bool AllCharacters(std::string_view text, bool (*is_wanted)(char32_t));
bool IsSpaceCharacter(char32_t c);
bool IsAlphanumeric(char32_t c);
// Cased characters are of one case, and there are some.
bool IsUpperText(std::string_view text);
bool IsLowerText(std::string_view text);
// Runs of letters, digits and "_".
std::size_t CountWords(std::string_view text);

// With `fill` on one side or both, up to `width` characters; an odd one goes where Python's
// str.center() puts it.
std::string Widen(std::string_view text, std::size_t width, std::string_view fill, Side side);

// Python's repr() of a string.
void AppendQuoted(std::string_view text, std::string& out);
// What ascii() makes of a repr().
std::string EscapeBeyondAscii(std::string_view text);
void AppendJsonString(std::string_view text, bool ascii_only, std::string& out);
// & < > " ' as HTML entities, of up to kEscapedMax bytes.
constexpr std::size_t kEscapedMax = 5;
std::string EscapeHtml(std::string_view text);
// Every line but the first is moved right; blank ones only when asked for. Line ends become "\n".
std::string Indent(std::string_view text, std::string_view indentation, bool first, bool blank);

}  // namespace edgemoe::jinja
