// SPDX-License-Identifier: Apache-2.0
#include "engine/template/text.h"

#include <algorithm>
#include <cstdint>

#include "engine/base/utf8.h"

namespace edgemoe::jinja {

namespace {

// What Python's str.strip() and str.split() take for space: White_Space and four separators.
bool IsPythonSpace(char32_t c) { return IsUnicodeSpace(c) || (c >= 0x1C && c <= 0x1F); }

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
char Upper(char c) { return IsLower(c) ? static_cast<char>(c - 'a' + 'A') : c; }
char Lower(char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

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

bool Strips(std::string_view character, const std::string* characters) {
  if (characters == nullptr) {
    const Utf8Character decoded = DecodeUtf8(character, 0);
    return decoded.kind == Utf8Character::Kind::kValid && IsPythonSpace(decoded.code_point);
  }
  return characters->find(character) != std::string::npos;
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
  while (side != Side::kRight && !text.empty()) {
    const std::uint32_t bytes = DecodeUtf8(text, 0).bytes;
    if (!Strips(text.substr(0, bytes), characters)) break;
    text.remove_prefix(bytes);
  }
  while (side != Side::kLeft && !text.empty()) {
    const std::size_t last = LastCharacter(text);
    if (!Strips(text.substr(last), characters)) break;
    text = text.substr(0, last);
  }
  return text;
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separator,
                                    std::size_t count_max, bool from_right) {
  std::vector<std::string_view> parts;
  if (from_right) {
    while (parts.size() < count_max) {
      const std::size_t found = text.rfind(separator);
      if (found == std::string_view::npos) break;
      parts.push_back(text.substr(found + separator.size()));
      text = text.substr(0, found);
    }
    parts.push_back(text);
    std::reverse(parts.begin(), parts.end());
    return parts;
  }
  while (parts.size() < count_max) {
    const std::size_t found = text.find(separator);
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
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    std::size_t next = std::min(end + 1, text.size());
    if (end + 1 < text.size() && text[end] == '\r' && text[end + 1] == '\n') ++next;
    lines.push_back(text.substr(0, keep_ends ? next : end));
    text.remove_prefix(next);
  }
  return lines;
}

std::size_t CountOccurrences(std::string_view text, std::string_view part) {
  if (part.empty()) return CountCharacters(text) + 1;
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

std::string Replace(std::string_view text, std::string_view from, std::string_view to,
                    std::size_t count_max) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t count = 0; count < count_max; ++count) {
    const std::size_t found = text.find(from, done);
    if (found == std::string_view::npos) break;
    out.append(text.substr(done, found - done)).append(to);
    done = found + from.size();
  }
  out.append(text.substr(done));
  return out;
}

std::string ToUpper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), Upper);
  return out;
}

std::string ToLower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), Lower);
  return out;
}

std::string Capitalize(std::string_view text) {
  std::string out = ToLower(text);
  if (!out.empty()) out[0] = Upper(out[0]);
  return out;
}

std::string ToTitle(std::string_view text) {
  std::string out(text);
  bool in_word = false;
  for (char& c : out) {
    c = in_word ? Lower(c) : Upper(c);
    in_word = IsUpper(c) || IsLower(c) || static_cast<unsigned char>(c) >= 0x80;
  }
  return out;
}

void AppendQuoted(std::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out += quote;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      AppendHex(byte, 2, out);
    } else {
      out += c;
    }
  }
  out += quote;
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
  const std::vector<std::string_view> lines = Split(text, "\n", text.size(), false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i == 0 ? first : blank || !lines[i].empty()) out.append(indentation);
    out.append(lines[i]);
  }
  return out;
}

}  // namespace edgemoe::jinja
