// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/words/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string>

#include "engine/base/accepted.h"
#include "engine/base/check.h"

namespace edgemoe {

namespace {

// Far above what these patterns need on any text, and bounded all the same.
constexpr std::uint32_t kMatchLimit = 1U << 31;
constexpr std::uint32_t kHeapLimitKib = 16 * 1024;

struct CodeDelete {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDelete {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};
struct ContextDelete {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

}  // namespace

struct PreTokenizer::Pattern {
  std::unique_ptr<pcre2_code, CodeDelete> code;

  explicit Pattern(const char* text) {
    int error = 0;
    PCRE2_SIZE error_offset = 0;
    code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), PCRE2_ZERO_TERMINATED,
                             PCRE2_UTF | PCRE2_UCP, &error, &error_offset, nullptr));
    EDGEMOE_CHECK(code != nullptr, "a pre-tokenizer's pattern does not compile");
    // Fails where writable memory may not become executable; matching then interprets.
    (void)pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  }
};

PreTokenizer::PreTokenizer(const PreTokenizerKind& kind) : kind_(&kind) {}
PreTokenizer::~PreTokenizer() = default;

Result<std::unique_ptr<PreTokenizer>> PreTokenizer::Create(std::string_view pre) {
  EDGEMOE_ASSIGN_OR_FAIL(const PreTokenizerKind* kind, FindPreTokenizer(pre));
  std::unique_ptr<PreTokenizer> made(new PreTokenizer(*kind));
  for (const char* pattern : kind->patterns) made->patterns_.emplace_back(pattern);
  return made;
}

struct PreTokenizer::Words::Matcher {
  std::unique_ptr<pcre2_match_data, MatchDelete> match{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, ContextDelete> context{pcre2_match_context_create(nullptr)};
};

PreTokenizer::Words::Words(const PreTokenizer& pre_tokenizer, std::string_view text)
    : pre_tokenizer_(&pre_tokenizer), text_(text), matcher_(std::make_unique<Matcher>()) {
  levels_.reserve(pre_tokenizer.patterns_.size());
  if (!text.empty()) levels_.push_back({.range = {0, text.size()}});
  if (matcher_->context == nullptr) return;
  pcre2_set_match_limit(matcher_->context.get(), kMatchLimit);
  pcre2_set_heap_limit(matcher_->context.get(), kHeapLimitKib);
}

PreTokenizer::Words::Words(Words&&) noexcept = default;
PreTokenizer::Words& PreTokenizer::Words::operator=(Words&&) noexcept = default;
PreTokenizer::Words::~Words() = default;

// Each part of a pattern is split by the next one before its own next part is looked for.
Result<std::optional<TextRange>> PreTokenizer::Words::Next() {
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.done == level.range.end) {
      levels_.pop_back();
      continue;
    }
    EDGEMOE_ASSIGN_OR_FAIL(const TextRange part, NextPart(levels_.size() - 1, level));
    if (levels_.size() == pre_tokenizer_->patterns_.size()) return part;
    levels_.push_back({.range = part, .done = part.begin});
  }
  return std::nullopt;
}

// The next match inside the level's range, or what lies before it.
Result<TextRange> PreTokenizer::Words::NextPart(std::size_t pattern, Level& level) {
  if (!level.match) {
    if (matcher_->match == nullptr || matcher_->context == nullptr)
      return Failure(
          Status(StatusCode::kResourceExhausted, "text", "no memory for the pre-tokenizer"));
    const int rc = pcre2_match(pre_tokenizer_->patterns_[pattern].code.get(),
                               reinterpret_cast<PCRE2_SPTR>(text_.data() + level.range.begin),
                               level.range.end - level.range.begin, level.done - level.range.begin,
                               PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, matcher_->match.get(),
                               matcher_->context.get());
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
      return Failure(Status(StatusCode::kResourceExhausted, "text",
                            "pre-tokenizer gave up at byte " + ShowValue(level.done) +
                                ": PCRE2 error " + ShowValue(rc)));
    const PCRE2_SIZE* found = pcre2_get_ovector_pointer(matcher_->match.get());
    level.match = rc < 0 ? TextRange{level.range.end, level.range.end}
                         : TextRange{level.range.begin + found[0], level.range.begin + found[1]};
  }
  TextRange part = *level.match;
  if (level.done < part.begin) {
    part = {level.done, part.begin};
  } else {
    level.match.reset();
  }
  level.done = part.end;
  return part;
}

}  // namespace edgemoe
