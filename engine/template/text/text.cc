// SPDX-License-Identifier: Apache-2.0
#include "engine/template/text/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <unordered_set>

#include "engine/base/utf8.h"
#include "engine/template/text/unicode.h"

namespace edgemoe::jinja {

namespace {

// What Python's str.strip() and str.split() take for space: White_Space and four separators.
bool IsPythonSpace(char32_t c) { return IsUnicodeSpace(c) || (c >= 0x1C && c <= 0x1F); }

std::size_t CharacterBytes(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) < 0x80 ? 1 : DecodeUtf8(text, at).bytes;
}

// The last character's first byte.
std::size_t LastCharacter(std::string_view text) {
  const std::size_t least = text.size() > 4 ? text.size() - 4 : 0;
  for (std::size_t at = text.size() - 1; at > least; --at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) {
      return DecodeUtf8(text, at).bytes == text.size() - at ? at : text.size() - 1;
    }
  }
  return DecodeUtf8(text, least).bytes == text.size() - least ? least : text.size() - 1;
}

// Knuth, Morris and Pratt, from the end to the start.
class BackwardFinder {
 public:
  explicit BackwardFinder(std::string_view part) : part_(part), borders_(part.size() + 1) {
    for (std::size_t i = 1, border = 0; i < part.size(); ++i) {
      while (border > 0 && FromEnd(i) != FromEnd(border)) border = borders_[border];
      if (FromEnd(i) == FromEnd(border)) ++border;
      borders_[i + 1] = border;
    }
  }

  std::size_t Find(std::string_view text) const {
    if (part_.empty()) return text.size();
    std::size_t matched = 0;
    for (std::size_t at = text.size(); at-- > 0;) {
      while (matched > 0 && text[at] != FromEnd(matched)) matched = borders_[matched];
      if (text[at] == FromEnd(matched)) ++matched;
      if (matched == part_.size()) return at;
    }
    return std::string_view::npos;
  }

 private:
  char FromEnd(std::size_t index) const { return part_[part_.size() - 1 - index]; }

  std::string_view part_;
  std::vector<std::size_t> borders_;  // of each suffix: the longest other suffix it starts with
};

// Without characters, spaces.
class StrippedCharacters {
 public:
  explicit StrippedCharacters(const std::string* characters) : are_spaces_(characters == nullptr) {
    for (std::size_t at = 0; !are_spaces_ && at < characters->size();) {
      const std::size_t bytes = CharacterBytes(*characters, at);
      characters_.insert(std::string_view(*characters).substr(at, bytes));
      at += bytes;
    }
  }

  bool Has(std::string_view character) const {
    if (!are_spaces_) return characters_.contains(character);
    const Utf8Character decoded = DecodeUtf8(character, 0);
    return decoded.kind == Utf8Character::Kind::kValid && IsPythonSpace(decoded.code_point);
  }

 private:
  bool are_spaces_;
  std::unordered_set<std::string_view> characters_{};
};

bool EndsLine(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

void AppendHex(std::uint32_t value, int digits, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out += kDigits[value >> shift & 0xF];
}

}  // namespace

std::size_t CountCharacters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += CharacterBytes(text, at)) ++count;
  return count;
}

std::vector<std::size_t> CharacterOffsets(std::string_view text) {
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < text.size(); at += CharacterBytes(text, at)) {
    offsets.push_back(at);
  }
  offsets.push_back(text.size());
  return offsets;
}

std::string_view Strip(std::string_view text, const std::string* characters, Side side) {
  const StrippedCharacters stripped(characters);
  while (side != Side::kRight && !text.empty()) {
    const std::uint32_t bytes = DecodeUtf8(text, 0).bytes;
    if (!stripped.Has(text.substr(0, bytes))) break;
    text.remove_prefix(bytes);
  }
  while (side != Side::kLeft && !text.empty()) {
    const std::size_t last = LastCharacter(text);
    if (!stripped.Has(text.substr(last))) break;
    text = text.substr(0, last);
  }
  return text;
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separator,
                                    std::size_t count_max, bool from_right) {
  std::vector<std::string_view> parts;
  if (from_right) {
    const BackwardFinder finder(separator);
    while (parts.size() < count_max) {
      const std::size_t found = finder.Find(text);
      if (found == std::string_view::npos) break;
      parts.push_back(text.substr(found + separator.size()));
      text = text.substr(0, found);
    }
    parts.push_back(text);
    std::reverse(parts.begin(), parts.end());
    return parts;
  }
  while (parts.size() < count_max) {
    const std::size_t found = FindPart(text, separator);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(0, found));
    text.remove_prefix(found + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> SplitAtSpaces(std::string_view text, std::size_t count_max) {
  std::vector<std::string_view> parts;
  while (true) {
    text = Strip(text, nullptr, Side::kLeft);
    if (text.empty()) return parts;
    if (parts.size() == count_max) {
      parts.push_back(Strip(text, nullptr, Side::kRight));
      return parts;
    }
    std::size_t end = 0;
    while (end < text.size()) {
      const Utf8Character character = DecodeUtf8(text, end);
      if (character.kind == Utf8Character::Kind::kValid && IsPythonSpace(character.code_point)) {
        break;
      }
      end += character.bytes;
    }
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = DecodeUtf8(text, at);
    const std::size_t end = at;
    at += character.bytes;
    if (!EndsLine(character.code_point)) continue;
    if (character.code_point == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(begin, (keep_ends ? at : end) - begin));
    begin = at;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::size_t FindPart(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size() || part.size() > text.size() - from) return std::string_view::npos;
  const void* const found =
      ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t FindLastPart(std::string_view text, std::string_view part) {
  if (part.size() > text.size()) return std::string_view::npos;
  return BackwardFinder(part).Find(text);
}

std::size_t CountOccurrences(std::string_view text, std::string_view part) {
  if (part.empty()) return CountCharacters(text) + 1;
  std::size_t count = 0;
  for (std::size_t at = FindPart(text, part); at != std::string_view::npos;
       at = FindPart(text, part, at + part.size())) {
    ++count;
  }
  return count;
}

std::string Replace(std::string_view text, std::string_view from, std::string_view to,
                    std::size_t count_max) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t count = 0; count < count_max; ++count) {
    if (from.empty()) {
      out.append(to);
      if (done == text.size()) return out;
      const std::size_t bytes = CharacterBytes(text, done);
      out.append(text.substr(done, bytes));
      done += bytes;
      continue;
    }
    const std::size_t found = FindPart(text, from, done);
    if (found == std::string_view::npos) break;
    out.append(text.substr(done, found - done)).append(to);
    done = found + from.size();
  }
  out.append(text.substr(done));
  return out;
}

namespace {

// Calls `append(character, offset)` for each character; bytes that are none stay what they are.
template <class Append>
std::string MapCharacters(std::string_view text, Append append) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = DecodeUtf8(text, at);
    if (character.kind == Utf8Character::Kind::kValid) {
      append(character.code_point, at, out);
    } else {
      out.append(text.substr(at, character.bytes));
    }
    at += character.bytes;
  }
  return out;
}

constexpr char32_t kCapitalSigma = 0x3A3;

// The sigma that ends a word: a letter stands before it, and none behind it.
bool IsFinalSigma(std::string_view text, std::size_t at) {
  std::string_view before = text.substr(0, at);
  bool after_letter = false;
  while (!before.empty()) {
    const std::size_t last = LastCharacter(before);
    const char32_t c = DecodeUtf8(before, last).code_point;
    before = before.substr(0, last);
    if (IsCaseIgnorable(c)) continue;
    after_letter = IsCased(c);
    break;
  }
  if (!after_letter) return false;
  for (std::size_t i = at + 2; i < text.size();) {
    const Utf8Character character = DecodeUtf8(text, i);
    if (!IsCaseIgnorable(character.code_point)) return !IsCased(character.code_point);
    i += character.bytes;
  }
  return true;
}

void AppendLowerAt(std::string_view text, char32_t c, std::size_t at, std::string& out) {
  if (c == kCapitalSigma && IsFinalSigma(text, at)) {
    out += "\u03c2";
  } else {
    AppendLower(c, out);
  }
}

}  // namespace

std::string ToUpper(std::string_view text) {
  return MapCharacters(text,
                       [](char32_t c, std::size_t, std::string& out) { AppendUpper(c, out); });
}

std::string ToLower(std::string_view text) {
  return MapCharacters(text, [text](char32_t c, std::size_t at, std::string& out) {
    AppendLowerAt(text, c, at, out);
  });
}

std::string SwapCase(std::string_view text) {
  return MapCharacters(text, [text](char32_t c, std::size_t at, std::string& out) {
    if (IsUppercase(c)) {
      AppendLowerAt(text, c, at, out);
    } else if (IsLowercase(c)) {
      AppendUpper(c, out);
    } else {
      AppendUtf8(c, out);
    }
  });
}

std::string Capitalize(std::string_view text) {
  return MapCharacters(text, [text](char32_t c, std::size_t at, std::string& out) {
    if (at == 0) {
      AppendTitle(c, out);
    } else {
      AppendLowerAt(text, c, at, out);
    }
  });
}

std::string ToTitle(std::string_view text) {
  bool in_word = false;
  return MapCharacters(text, [text, &in_word](char32_t c, std::size_t at, std::string& out) {
    if (in_word) {
      AppendLowerAt(text, c, at, out);
    } else {
      AppendTitle(c, out);
    }
    in_word = IsCased(c);
  });
}

std::string ToTitleWords(std::string_view text) {
  std::string out;
  const auto separates = [](char32_t c) {
    return IsPythonSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character first = DecodeUtf8(text, at);
    std::size_t end = at + first.bytes;
    const bool separator = separates(first.code_point);
    while (end < text.size() && separates(DecodeUtf8(text, end).code_point) == separator) {
      end += DecodeUtf8(text, end).bytes;
    }
    out += ToUpper(text.substr(at, first.bytes));
    out += ToLower(text.substr(at + first.bytes, end - at - first.bytes));
    at = end;
  }
  return out;
}

bool AllCharacters(std::string_view text, bool (*is_wanted)(char32_t)) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = DecodeUtf8(text, at);
    if (!is_wanted(character.code_point)) return false;
    at += character.bytes;
  }
  return !text.empty();
}

bool IsSpaceCharacter(char32_t c) { return IsPythonSpace(c); }
bool IsAlphanumeric(char32_t c) { return IsAlphabetic(c) || IsNumeric(c); }

bool IsUpperText(std::string_view text) {
  return !AllCharacters(text, [](char32_t c) { return !IsCased(c); }) &&
         AllCharacters(text, [](char32_t c) { return !IsCased(c) || IsUppercase(c); });
}

bool IsLowerText(std::string_view text) {
  return !AllCharacters(text, [](char32_t c) { return !IsCased(c); }) &&
         AllCharacters(text, [](char32_t c) { return !IsCased(c) || IsLowercase(c); });
}

std::size_t CountWords(std::string_view text) {
  std::size_t count = 0;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = DecodeUtf8(text, at);
    const bool belongs = IsAlphanumeric(character.code_point) || character.code_point == '_';
    if (belongs && !in_word) ++count;
    in_word = belongs;
    at += character.bytes;
  }
  return count;
}

std::string Widen(std::string_view text, std::size_t width, std::string_view fill, Side side) {
  const std::size_t count = CountCharacters(text);
  const std::size_t missing = width > count ? width - count : 0;
  const std::size_t left = side == Side::kLeft    ? missing
                           : side == Side::kRight ? 0
                                                  : missing / 2 + (missing & width & 1);
  std::string out;
  for (std::size_t i = 0; i < left; ++i) out.append(fill);
  out.append(text);
  for (std::size_t i = left; i < missing; ++i) out.append(fill);
  return out;
}

namespace {

void AppendEscape(char32_t c, std::string& out) {
  const auto code = static_cast<std::uint32_t>(c);
  out += code < 0x100 ? "\\x" : code < 0x10000 ? "\\u" : "\\U";
  AppendHex(code, code < 0x100 ? 2 : code < 0x10000 ? 4 : 8, out);
}

}  // namespace

void AppendQuoted(std::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out += quote;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = DecodeUtf8(text, at);
    const char32_t c = character.code_point;
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += {'\\', static_cast<char>(c)};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (character.kind != Utf8Character::Kind::kValid || IsPrintable(c)) {
      out.append(text.substr(at, character.bytes));
    } else {
      AppendEscape(c, out);
    }
    at += character.bytes;
  }
  out += quote;
}

std::string EscapeBeyondAscii(std::string_view text) {
  return MapCharacters(text, [](char32_t c, std::size_t, std::string& out) {
    if (c < 0x80) {
      AppendUtf8(c, out);
    } else {
      AppendEscape(c, out);
    }
  });
}

void AppendJsonString(std::string_view text, bool ascii_only, std::string& out) {
  constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  constexpr std::string_view kEscaped = "\"\\bfnrt";
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = DecodeUtf8(text, at);
    const char32_t c = character.code_point;
    const std::size_t escape =
        c < 0x80 ? kPlain.find(static_cast<char>(c)) : std::string_view::npos;
    if (escape != std::string_view::npos) {
      out += {'\\', kEscaped[escape]};
    } else if (c < 0x20 || (ascii_only && c >= 0x7F && c < 0x10000)) {
      out += "\\u";
      AppendHex(static_cast<std::uint32_t>(c), 4, out);
    } else if (ascii_only && c >= 0x10000) {
      const auto pair = static_cast<std::uint32_t>(c - 0x10000);
      out += "\\u";
      AppendHex(0xD800 + (pair >> 10), 4, out);
      out += "\\u";
      AppendHex(0xDC00 + (pair & 0x3FF), 4, out);
    } else {
      AppendUtf8(c, out);
    }
    at += character.bytes;
  }
  out += '"';
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string Indent(std::string_view text, std::string_view indentation, bool first, bool blank) {
  std::string out;
  // A text that ends with a line end has an empty line behind it.
  const std::string ended = std::string(text) + '\n';
  const std::vector<std::string_view> lines = SplitLines(ended, false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i == 0 ? first : blank || !lines[i].empty()) out.append(indentation);
    out.append(lines[i]);
  }
  return out;
}

}  // namespace edgemoe::jinja
