// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/byte_pair_merger.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/models/byte_alphabet.h"
#include "engine/tokenizer/models/plain_text.h"

namespace edgemoe {

namespace {

constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();
constexpr std::int32_t kMergedAway = -1;
constexpr std::int32_t kNoSymbol = -2;

std::size_t HashPair(std::int32_t left, std::int32_t right) {
  std::uint64_t key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
                      static_cast<std::uint32_t>(right);
  key *= 0x9e3779b97f4a7c15ULL;
  return static_cast<std::size_t>(key ^ key >> 32);
}

// At most half of the places are taken.
std::size_t PlacesFor(std::size_t count) {
  return std::bit_ceil(std::max<std::size_t>(count, 1) * 2);
}

// The only character of `text`, if it has one.
std::optional<char32_t> SingleCharacter(std::string_view text) {
  const Utf8Character first = DecodeUtf8(text, 0);
  if (first.kind != Utf8Character::Kind::kValid || first.bytes != text.size()) return std::nullopt;
  return first.code_point;
}

char32_t LastCharacter(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80) --begin;
  return DecodeUtf8(text, begin).code_point;
}

char32_t WithSpaceMark(char32_t character) { return character == U' ' ? kSpaceMark : character; }

// Heap order: the front is the candidate with the lowest rank, the leftmost of equals.
bool ComesLater(const BytePairMerger::Workspace::Candidate& a,
                const BytePairMerger::Workspace::Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
}

}  // namespace

BytePairMerger::BytePairMerger(SymbolTable& symbols, std::span<const PairMerge> merges,
                               TokenWriting writing)
    : writing_(writing), token_count_(symbols.token_count()) {
  merges_.assign(PlacesFor(merges.size()), {.rank = kNoRank});
  for (const PairMerge& merge : merges) AddMerge(merge);
  if (writing == TokenWriting::kByteAlphabet) {
    StoreStarts(symbols);
  } else {
    StoreCharacters(symbols);
    StoreJoins(symbols, merges);
  }
}

std::span<const BytePairMerger::Part> BytePairMerger::Merge(std::string_view word,
                                                            bool space_before,
                                                            Workspace& workspace) const {
  EDGEMOE_CHECK(word.size() < std::numeric_limits<std::int32_t>::max(), "word too long");
  StartNodes(word, space_before, workspace);
  auto& nodes = workspace.nodes;
  auto& queue = workspace.queue;
  queue.clear();
  for (std::size_t i = 0; i < nodes.size(); ++i)
    PushCandidate(static_cast<std::int32_t>(i), workspace);

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), ComesLater);
    const Workspace::Candidate candidate = queue.back();
    queue.pop_back();
    auto& left = nodes[static_cast<std::size_t>(candidate.left)];
    // A node that was merged away or that grew has another symbol.
    if (left.symbol != candidate.left_symbol || left.next < 0) continue;
    auto& right = nodes[static_cast<std::size_t>(left.next)];
    if (right.symbol != candidate.right_symbol) continue;
    const PairMerge* merge = FindMerge(left.symbol, right.symbol);
    left.symbol = merge->result;
    right.symbol = kMergedAway;
    left.next = right.next;
    if (left.next >= 0) nodes[static_cast<std::size_t>(left.next)].previous = candidate.left;
    if (left.previous >= 0) PushCandidate(left.previous, workspace);
    PushCandidate(candidate.left, workspace);
  }

  workspace.parts.clear();
  for (std::int32_t i = nodes.empty() ? -1 : 0; i >= 0;) {
    const auto& node = nodes[static_cast<std::size_t>(i)];
    const std::size_t end =
        node.next < 0 ? word.size() : nodes[static_cast<std::size_t>(node.next)].begin;
    workspace.parts.push_back({node.symbol, node.begin, static_cast<std::uint32_t>(end)});
    i = node.next;
  }
  return workspace.parts;
}

bool BytePairMerger::MayJoin(char32_t left, char32_t right) const {
  return writing_ == TokenWriting::kByteAlphabet ||
         joins_.MayContain(WithSpaceMark(left), WithSpaceMark(right));
}

void BytePairMerger::StoreStarts(SymbolTable& symbols) {
  for (unsigned byte = 0; byte < 256; ++byte)
    byte_symbol_[byte] = symbols.Intern(ByteToAlphabet(static_cast<std::uint8_t>(byte)));
}

void BytePairMerger::StoreCharacters(const SymbolTable& symbols) {
  std::vector<Character> found;
  for (const auto& [text, symbol] : symbols.symbols())
    if (const auto character = SingleCharacter(text)) found.push_back({*character, symbol});
  characters_.assign(PlacesFor(found.size()), {0, kNoSymbol});
  const std::size_t mask = characters_.size() - 1;
  for (const Character& character : found) {
    std::size_t place = HashPair(0, static_cast<std::int32_t>(character.code_point)) & mask;
    while (characters_[place].symbol != kNoSymbol) place = (place + 1) & mask;
    characters_[place] = character;
  }
}

// A merge that crosses a border has, on its two sides, symbols that end and begin there.
void BytePairMerger::StoreJoins(const SymbolTable& symbols, std::span<const PairMerge> merges) {
  struct Ends {
    char32_t first = 0;
    char32_t last = 0;
  };
  std::vector<Ends> ends;
  for (const auto& [text, symbol] : symbols.symbols()) {
    const auto index = static_cast<std::size_t>(symbol);
    if (index >= ends.size()) ends.resize(index + 1);
    ends[index] = {DecodeUtf8(text, 0).code_point, LastCharacter(text)};
  }
  for (const PairMerge& merge : merges)
    joins_.Add(ends[static_cast<std::size_t>(merge.left)].last,
               ends[static_cast<std::size_t>(merge.right)].first);
}

void BytePairMerger::AddMerge(const PairMerge& merge) {
  const std::size_t mask = merges_.size() - 1;
  std::size_t place = HashPair(merge.left, merge.right) & mask;
  while (merges_[place].rank != kNoRank) {
    // The first of equal merges has the lower rank and stays.
    if (merges_[place].left == merge.left && merges_[place].right == merge.right) return;
    place = (place + 1) & mask;
  }
  merges_[place] = merge;
}

const PairMerge* BytePairMerger::FindMerge(std::int32_t left, std::int32_t right) const {
  const std::size_t mask = merges_.size() - 1;
  std::size_t place = HashPair(left, right) & mask;
  while (merges_[place].rank != kNoRank) {
    if (merges_[place].left == left && merges_[place].right == right) return &merges_[place];
    place = (place + 1) & mask;
  }
  return nullptr;
}

std::int32_t BytePairMerger::SymbolOf(char32_t character) const {
  const std::size_t mask = characters_.size() - 1;
  std::size_t place = HashPair(0, static_cast<std::int32_t>(character)) & mask;
  while (characters_[place].symbol != kNoSymbol) {
    if (characters_[place].code_point == character) return characters_[place].symbol;
    place = (place + 1) & mask;
  }
  return kNoSymbol;
}

void BytePairMerger::StartNodes(std::string_view word, bool space_before,
                                Workspace& workspace) const {
  auto& nodes = workspace.nodes;
  nodes.clear();
  const auto add = [&nodes](std::int32_t symbol, std::size_t begin) {
    const auto index = static_cast<std::int32_t>(nodes.size());
    nodes.push_back({symbol, index - 1, index + 1, static_cast<std::uint32_t>(begin)});
  };
  if (space_before) add(SymbolOf(kSpaceMark), 0);
  for (std::size_t at = 0; at < word.size();) {
    if (writing_ == TokenWriting::kByteAlphabet) {
      add(byte_symbol_[static_cast<unsigned char>(word[at])], at);
      ++at;
    } else {
      const Utf8Character character = DecodeUtf8(word, at);
      add(SymbolOf(WithSpaceMark(character.code_point)), at);
      at += character.bytes;
    }
  }
  if (!nodes.empty()) nodes.back().next = -1;
}

void BytePairMerger::PushCandidate(std::int32_t left_node, Workspace& workspace) const {
  const auto& left = workspace.nodes[static_cast<std::size_t>(left_node)];
  if (left.next < 0) return;
  const std::int32_t right_symbol = workspace.nodes[static_cast<std::size_t>(left.next)].symbol;
  const PairMerge* merge = FindMerge(left.symbol, right_symbol);
  if (merge == nullptr) return;
  workspace.queue.push_back({merge->rank, left_node, left.symbol, right_symbol});
  std::push_heap(workspace.queue.begin(), workspace.queue.end(), ComesLater);
}

}  // namespace edgemoe
