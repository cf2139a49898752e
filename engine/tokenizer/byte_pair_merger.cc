// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/byte_pair_merger.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <limits>
#include <unordered_map>

#include "engine/base/check.h"
#include "engine/tokenizer/byte_alphabet.h"

namespace edgemoe {

namespace {

constexpr std::uint32_t kNoRank = std::numeric_limits<std::uint32_t>::max();

std::size_t HashPair(std::int32_t left, std::int32_t right) {
  std::uint64_t key = static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
                      static_cast<std::uint32_t>(right);
  key *= 0x9e3779b97f4a7c15ULL;
  return static_cast<std::size_t>(key ^ key >> 32);
}

// Gives each distinct text a number: tokens their ids, other texts the numbers after them.
class SymbolTable {
 public:
  SymbolTable(std::span<const std::string> tokens, std::size_t extra)
      : next_(static_cast<std::int32_t>(tokens.size())) {
    symbols_.reserve(tokens.size() + extra);
    for (std::size_t id = 0; id < tokens.size(); ++id) {
      // Of tokens with the same text the last one counts, as in other readers of these files.
      if (!tokens[id].empty()) symbols_[tokens[id]] = static_cast<std::int32_t>(id);
    }
  }

  std::int32_t Intern(std::string_view text) {
    if (const auto found = symbols_.find(text); found != symbols_.end()) return found->second;
    symbols_.emplace(owned_.emplace_back(text), next_);
    return next_++;
  }

 private:
  std::int32_t next_;
  std::deque<std::string> owned_;  // texts that are no token; a deque, for the views stay valid
  std::unordered_map<std::string_view, std::int32_t> symbols_;
};

// Heap order: the front is the candidate with the lowest rank, the leftmost of equals.
bool ComesLater(const BytePairMerger::Workspace::Candidate& a,
                const BytePairMerger::Workspace::Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
}

}  // namespace

Result<BytePairMerger> BytePairMerger::Create(std::span<const std::string> tokens,
                                              std::span<const std::string> merges) {
  BytePairMerger made;
  made.token_count_ = static_cast<std::int32_t>(tokens.size());
  SymbolTable symbols(tokens, 256);
  for (unsigned byte = 0; byte < 256; ++byte) {
    made.byte_symbol_[byte] = symbols.Intern(ByteToAlphabet(static_cast<std::uint8_t>(byte)));
  }
  made.ReserveMerges(merges.size());
  std::string joined;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view merge = merges[rank];
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) {
      return Failure(InvalidArgumentError("tokenizer.ggml.merges[" + std::to_string(rank) +
                                          "]: \"" + std::string(merge.substr(0, 64)) +
                                          "\" is not two texts with a space between"));
    }
    const std::string_view left = merge.substr(0, space);
    const std::string_view right = merge.substr(space + 1);
    joined.assign(left).append(right);
    made.AddMerge({symbols.Intern(left), symbols.Intern(right), static_cast<std::uint32_t>(rank),
                   symbols.Intern(joined)});
  }
  return made;
}

std::span<const BytePairMerger::Part> BytePairMerger::Merge(std::string_view word,
                                                            Workspace& workspace) const {
  EDGEMOE_CHECK(word.size() <= std::numeric_limits<std::int32_t>::max(), "word too long");
  const auto count = static_cast<std::int32_t>(word.size());
  auto& nodes = workspace.nodes;
  auto& queue = workspace.queue;
  nodes.resize(word.size());
  queue.clear();
  workspace.parts.clear();
  for (std::int32_t i = 0; i < count; ++i) {
    const auto byte = static_cast<std::uint8_t>(word[static_cast<std::size_t>(i)]);
    nodes[static_cast<std::size_t>(i)] = {byte_symbol_[byte], i - 1, i + 1 < count ? i + 1 : -1};
  }
  for (std::int32_t i = 0; i < count; ++i) PushCandidate(i, workspace);

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), ComesLater);
    const Workspace::Candidate candidate = queue.back();
    queue.pop_back();
    auto& left = nodes[static_cast<std::size_t>(candidate.left)];
    // A node that was merged away has symbol -1, one that grew has another symbol.
    if (left.symbol != candidate.left_symbol || left.next < 0) continue;
    auto& right = nodes[static_cast<std::size_t>(left.next)];
    if (right.symbol != candidate.right_symbol) continue;
    const Merged* merge = FindMerge(left.symbol, right.symbol);
    left.symbol = merge->result;
    right.symbol = -1;
    left.next = right.next;
    if (left.next >= 0) nodes[static_cast<std::size_t>(left.next)].previous = candidate.left;
    if (left.previous >= 0) PushCandidate(left.previous, workspace);
    PushCandidate(candidate.left, workspace);
  }

  for (std::int32_t i = 0; i >= 0 && i < count;) {
    const auto& node = nodes[static_cast<std::size_t>(i)];
    const std::int32_t end = node.next < 0 ? count : node.next;
    workspace.parts.push_back(
        {node.symbol, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(end)});
    i = node.next;
  }
  return workspace.parts;
}

void BytePairMerger::ReserveMerges(std::size_t count) {
  merges_.assign(std::bit_ceil(std::max<std::size_t>(count, 1) * 2), {0, 0, kNoRank, 0});
}

void BytePairMerger::AddMerge(const Merged& merge) {
  const std::size_t mask = merges_.size() - 1;
  std::size_t place = HashPair(merge.left, merge.right) & mask;
  while (merges_[place].rank != kNoRank) {
    // The first of equal merges has the lower rank and stays.
    if (merges_[place].left == merge.left && merges_[place].right == merge.right) return;
    place = (place + 1) & mask;
  }
  merges_[place] = merge;
}

const BytePairMerger::Merged* BytePairMerger::FindMerge(std::int32_t left,
                                                        std::int32_t right) const {
  const std::size_t mask = merges_.size() - 1;
  std::size_t place = HashPair(left, right) & mask;
  while (merges_[place].rank != kNoRank) {
    if (merges_[place].left == left && merges_[place].right == right) return &merges_[place];
    place = (place + 1) & mask;
  }
  return nullptr;
}

void BytePairMerger::PushCandidate(std::int32_t left_node, Workspace& workspace) const {
  const auto& left = workspace.nodes[static_cast<std::size_t>(left_node)];
  if (left.next < 0) return;
  const std::int32_t right_symbol = workspace.nodes[static_cast<std::size_t>(left.next)].symbol;
  const Merged* merge = FindMerge(left.symbol, right_symbol);
  if (merge == nullptr) return;
  workspace.queue.push_back({merge->rank, left_node, left.symbol, right_symbol});
  std::push_heap(workspace.queue.begin(), workspace.queue.end(), ComesLater);
}

}  // namespace edgemoe
