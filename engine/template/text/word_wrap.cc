// SPDX-License-Identifier: Apache-2.0
#include "engine/template/text/word_wrap.h"

#include <algorithm>

#include "engine/base/utf8.h"
#include "engine/template/text/text.h"
#include "engine/template/text/unicode.h"

namespace edgemoe::jinja {

namespace {

// A half-open range of characters: a word, a part of one up to a hyphen, or spaces.
struct Chunk {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

bool IsBlank(char32_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsWord(char32_t c) { return IsAlphanumeric(c) || c == '_'; }
bool IsLetter(char32_t c) { return IsWord(c) && !IsDigit(c); }
bool MayStandBeforeDash(char32_t c) {
  return IsWord(c) || (c < 0x80 && std::string_view("!\"'&.,?").find(static_cast<char>(c)) !=
                                       std::string_view::npos);
}

class Wrapper {
 public:
  Wrapper(std::string_view line, const WrapOptions& options)
      : line_(line), options_(options), offsets_(CharacterOffsets(line)) {
    for (std::size_t i = 0; i + 1 < offsets_.size(); ++i) {
      characters_.push_back(DecodeUtf8(line, offsets_[i]).code_point);
    }
    dashes_end_.resize(characters_.size() + 1, characters_.size());
    for (std::size_t i = characters_.size(); i-- > 0;) {
      dashes_end_[i] = characters_[i] == '-' ? dashes_end_[i + 1] : i;
    }
  }

  std::vector<std::string_view> Run() {
    Split();
    std::vector<std::string_view> lines;
    for (std::size_t next = 0; next < chunks_.size();) {
      if (!lines.empty() && IsSpace(chunks_[next])) ++next;
      const std::size_t first = next;
      std::size_t length = 0;
      while (next < chunks_.size() && length + chunks_[next].size() <= options_.width) {
        length += chunks_[next++].size();
      }
      std::vector<Chunk> taken(chunks_.begin() + static_cast<std::ptrdiff_t>(first),
                               chunks_.begin() + static_cast<std::ptrdiff_t>(next));
      if (next < chunks_.size() && chunks_[next].size() > options_.width) {
        TakeOfLongWord(options_.width - length, next, taken);
      }
      if (!taken.empty() && IsSpace(taken.back())) taken.pop_back();
      if (taken.empty()) continue;
      const std::size_t begin = offsets_[taken.front().begin];
      lines.push_back(line_.substr(begin, offsets_[taken.back().end] - begin));
    }
    return lines;
  }

 private:
  char32_t At(std::size_t index) const {
    return index < characters_.size() ? characters_[index] : U' ';
  }

  bool IsSpace(Chunk chunk) const {
    return std::all_of(characters_.begin() + static_cast<std::ptrdiff_t>(chunk.begin),
                       characters_.begin() + static_cast<std::ptrdiff_t>(chunk.end),
                       IsSpaceCharacter);
  }

  // Two dashes or more between words.
  bool IsDashAt(std::size_t at) const {
    return at > 0 && MayStandBeforeDash(characters_[at - 1]) && dashes_end_[at] >= at + 2 &&
           IsWord(At(dashes_end_[at]));
  }

  // A hyphen with two letters on each side, of which one may stand behind a hyphen of its own.
  bool BreaksBehind(std::size_t hyphen) const {
    if (At(hyphen) != '-' || hyphen < 2 || !IsLetter(characters_[hyphen - 1])) return false;
    const bool before =
        IsLetter(characters_[hyphen - 2]) ||
        (hyphen >= 3 && characters_[hyphen - 2] == '-' && IsLetter(characters_[hyphen - 3]));
    return before && IsLetter(At(hyphen + 1)) &&
           (IsLetter(At(hyphen + 2)) || (At(hyphen + 2) == '-' && IsLetter(At(hyphen + 3))));
  }

  std::size_t ChunkEnd(std::size_t begin) const {
    std::size_t end = begin + 1;
    if (IsBlank(characters_[begin])) {
      while (end < characters_.size() && IsBlank(characters_[end])) ++end;
      return end;
    }
    if (options_.breaks_at_hyphens && IsDashAt(begin)) return dashes_end_[begin];
    for (; end < characters_.size() && !IsBlank(characters_[end]); ++end) {
      if (!options_.breaks_at_hyphens) continue;
      if (BreaksBehind(end)) return end + 1;
      if (IsDashAt(end)) return end;
    }
    return end;
  }

  void Split() {
    for (std::size_t begin = 0; begin < characters_.size();) {
      const std::size_t end = ChunkEnd(begin);
      chunks_.push_back({begin, end});
      begin = end;
    }
  }

  // As much of the word as there is space for; all of it, where words are not broken and nothing
  // stands before it.
  void TakeOfLongWord(std::size_t space, std::size_t& next, std::vector<Chunk>& taken) {
    Chunk& word = chunks_[next];
    if (!options_.breaks_long_words) {
      if (taken.empty()) taken.push_back(chunks_[next++]);
      return;
    }
    std::size_t end = word.begin + space;
    if (options_.breaks_at_hyphens) {
      std::size_t hyphen = end;
      while (hyphen > word.begin && characters_[hyphen - 1] != '-') --hyphen;
      const bool has_more =
          std::any_of(characters_.begin() + static_cast<std::ptrdiff_t>(word.begin),
                      characters_.begin() + static_cast<std::ptrdiff_t>(hyphen),
                      [](char32_t c) { return c != '-'; });
      if (hyphen > word.begin && has_more) end = hyphen;
    }
    taken.push_back({word.begin, end});
    word.begin = end;
  }

  std::string_view line_;
  const WrapOptions& options_;
  std::vector<std::size_t> offsets_;  // of characters, in bytes
  std::vector<char32_t> characters_{};
  std::vector<std::size_t> dashes_end_{};  // of the run of dashes that starts at each character
  std::vector<Chunk> chunks_{};
};

}  // namespace

std::vector<std::string_view> WrapWords(std::string_view line, const WrapOptions& options) {
  return Wrapper(line, options).Run();
}

}  // namespace edgemoe::jinja
