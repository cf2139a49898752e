// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <span>
#include <string>

#include "engine/base/accepted.h"
#include "engine/base/check.h"

namespace edgemoe {

namespace {

// PCRE2's own \s also takes U+180E, which Unicode has not counted as a space since version 6.3 and
// the vocabularies' libraries do not: the patterns name the property itself.
#define SPACE "\\p{White_Space}"
#define NOT_SPACE "\\P{White_Space}"

constexpr const char* kGpt2[] = {
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACE "\\p{L}\\p{N}]+|" SPACE
    "+(?!" NOT_SPACE ")|" SPACE "+",
};

// cl100k_base of OpenAI's tiktoken, which many later vocabularies took over with other numbers of
// digits in a word.
#define WORDS_WITH_DIGITS(digits)                                                                \
  "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits  \
  "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n]*|" SPACE "*[\\r\\n]+|" SPACE "+(?!" NOT_SPACE ")|" SPACE \
  "+"
constexpr const char* kQwen2[] = {WORDS_WITH_DIGITS("\\p{N}")};
constexpr const char* kCl100k[] = {WORDS_WITH_DIGITS("\\p{N}{1,3}")};
#undef WORDS_WITH_DIGITS

// o200k_base of OpenAI's tiktoken (tiktoken_ext/openai_public.py), which gpt-oss's o200k_harmony
// shares: a word is capitals, then small letters, marks with either, and a contraction at its end.
// llama.cpp has another expression, which tells capitals from small letters in ASCII only and takes
// marks for punctuation: it gives other ids for camel case in Cyrillic, Hindi and Thai.
#define LEAD "[^\\r\\n\\p{L}\\p{N}]?"
#define CAPITAL "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALL "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
#define SMALL_AT_END LEAD CAPITAL "*" SMALL "+" CONTRACTION
#define CAPITAL_AT_START LEAD CAPITAL "+" SMALL "*" CONTRACTION
constexpr const char* kO200k[] = {
    SMALL_AT_END "|" CAPITAL_AT_START "|\\p{N}{1,3}| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n/]*|" SPACE
                 "*[\\r\\n]+|" SPACE "+(?!" NOT_SPACE ")|" SPACE "+",
};
#undef SMALL_AT_END
#undef CAPITAL_AT_START
#undef LEAD
#undef CAPITAL
#undef SMALL
#undef CONTRACTION

// As the vocabulary was trained, and as Hugging Face's tokenizers split. llama.cpp takes every
// space for a plain one here, so that the third and the fifth pattern miss those that they hold,
// U+1680 to U+3000: it gives other ids there.
constexpr const char* kDeepSeekLlm[] = {
    "[\\r\\n]",
    // The cased letters of the Unicode version that the vocabulary was trained with.
    SPACE
    "?[A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}"
    "\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}"
    "\\x{386}\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}"
    "\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}"
    "\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}"
    "\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}"
    "\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}"
    "\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}"
    "\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}"
    "\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}"
    "\\x{2126}\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}"
    "\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}"
    "\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}"
    "\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}"
    "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}"
    "\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}"
    "\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}]+",
    SPACE "?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+",
    // Spaces at the end. The look-behind and the possessive '+' change no match; without them a
    // long run of spaces elsewhere would be tried from each of its positions, and backwards.
    "(?<!" SPACE ")" SPACE "++\\z",
    "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+",
    "\\p{N}+",
};

struct NamedPatterns {
  std::string_view pre;
  std::span<const char* const> patterns;
};
// The names are those that llama.cpp's converter writes.
constexpr NamedPatterns kKnown[] = {
    {"qwen2", kQwen2},  // Qwen 2 to 3
    {"gpt-2", kGpt2},   //
    {"deepseek-llm", kDeepSeekLlm},
    {"olmo", kGpt2},         // OLMo 1, OLMoE
    {"gpt-4o", kO200k},      // gpt-oss
    {"dbrx", kCl100k},       // DBRX, OLMo 2
    {"smaug-bpe", kCl100k},  //
    {"glm4", kCl100k},       // GLM-4 to 4.6
};

#undef SPACE
#undef NOT_SPACE

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

PreTokenizer::PreTokenizer() = default;
PreTokenizer::~PreTokenizer() = default;

Result<std::unique_ptr<PreTokenizer>> PreTokenizer::Create(std::string_view pre) {
  std::string accepted;
  for (const NamedPatterns& known : kKnown) {
    if (known.pre == pre) {
      std::unique_ptr<PreTokenizer> made(new PreTokenizer());
      for (const char* pattern : known.patterns) made->patterns_.emplace_back(pattern);
      return made;
    }
    accepted += (accepted.empty() ? "\"" : ", \"") + std::string(known.pre) + "\"";
  }
  return Failure(UnimplementedError("tokenizer.ggml.pre: \"" + std::string(pre.substr(0, 64)) +
                                    "\" is not supported: one of " + accepted + " would be"));
}

Status WordTooLong(TextRange word) {
  return InvalidField("text",
                      "a word of more than " + ShowValue(kWordBytesMax) + " bytes from byte " +
                          ShowValue(word.begin) + " on",
                      "shorter ones");
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
