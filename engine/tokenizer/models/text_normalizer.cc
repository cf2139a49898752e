// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/text_normalizer.h"

#include <algorithm>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"

namespace edgemoe {

namespace {

constexpr std::size_t kUnitBytes = 4;

std::uint32_t ReadUnit(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

Status Refuse(std::string_view found, std::string_view accepted) {
  return InvalidArgumentError("tokenizer.ggml.precompiled_charsmap: " +
                              FoundAndAccepted(found, accepted));
}

// A unit of the double array. One with a value has bit 31 set and is led to by a leaf.
struct Unit {
  std::uint32_t bits;
  std::uint32_t offset() const { return bits >> 10 << ((bits & 1U << 9) >> 6); }
  std::uint32_t label() const { return bits & (1U << 31 | 0xFFU); }  // never a byte with a value
  bool has_leaf() const { return (bits >> 8 & 1U) != 0; }
  std::uint32_t value() const { return bits & ~(1U << 31); }
};

bool IsCharacterStart(std::string_view text, std::size_t at) {
  return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80;
}

}  // namespace

Result<TextNormalizer> TextNormalizer::Create(std::span<const std::uint8_t> charsmap) {
  TextNormalizer made;
  if (charsmap.empty()) return made;
  if (charsmap.size() < kUnitBytes)
    return Failure(Refuse(ShowValue(charsmap.size()) + " bytes", AcceptedAtLeast(kUnitBytes)));
  const std::uint32_t units_bytes = ReadUnit(charsmap);
  const std::span<const std::uint8_t> rest = charsmap.subspan(kUnitBytes);
  if (units_bytes % kUnitBytes != 0 || units_bytes == 0 || units_bytes >= rest.size())
    return Failure(Refuse("a double array of " + ShowValue(units_bytes) + " bytes",
                          "a multiple of 4 below " + ShowValue(rest.size())));
  made.units_.reserve(units_bytes / kUnitBytes);
  for (std::size_t at = 0; at < units_bytes; at += kUnitBytes)
    made.units_.push_back(ReadUnit(rest.subspan(at, kUnitBytes)));
  const std::span<const std::uint8_t> texts = rest.subspan(units_bytes);
  made.texts_.assign(texts.begin(), texts.end());
  if (made.texts_.back() != '\0')
    return Failure(Refuse("a last text without its end", "texts with a zero byte at their ends"));
  if (const std::size_t bad = FindInvalidUtf8(made.texts_); bad != std::string::npos)
    return Failure(Refuse("no UTF-8 at byte " + ShowValue(bad) + " of the texts", "UTF-8"));
  return made;
}

Result<std::optional<TextNormalizer::Replacement>> TextNormalizer::ReplaceStart(
    std::string_view text) const {
  std::optional<Replacement> longest;
  if (units_.empty()) return longest;
  const auto outside = [] {
    return Failure(Refuse("a unit that leads outside", "a double array that is whole"));
  };
  std::uint32_t place = Unit{units_[0]}.offset();
  const std::size_t bytes_max = std::min(text.size(), kReplacedBytesMax);
  for (std::size_t at = 0; at < bytes_max && text[at] != '\0'; ++at) {
    const std::uint32_t byte = static_cast<unsigned char>(text[at]);
    place ^= byte;
    if (place >= units_.size()) return outside();
    const Unit unit{units_[place]};
    if (unit.label() != byte) break;
    place ^= unit.offset();
    if (!unit.has_leaf() || !IsCharacterStart(text, at + 1)) continue;
    if (place >= units_.size()) return outside();
    EDGEMOE_ASSIGN_OR_FAIL(const std::string_view replacement, TextAt(Unit{units_[place]}.value()));
    longest = Replacement{replacement, at + 1};
  }
  return longest;
}

Result<std::string_view> TextNormalizer::TextAt(std::uint32_t offset) const {
  if (offset >= texts_.size() || !IsCharacterStart(texts_, offset))
    return Failure(Refuse("a text at byte " + ShowValue(offset) + " of the texts",
                          "where a character begins, below " + ShowValue(texts_.size())));
  const std::string_view text(&texts_[offset]);
  if (text.size() > kReplacementBytesMax)
    return Failure(Refuse("a text of " + ShowValue(text.size()) + " bytes",
                          AcceptedAtMost(kReplacementBytesMax)));
  return text;
}

}  // namespace edgemoe
