// SPDX-License-Identifier: Apache-2.0
//
// The expressions are facts of the vocabularies: those of their tokenizer.json, or of the library
// they were trained with. Where llama.cpp, whose names these are, has another expression that only
// comes near, the original stands here, and a comment says so.
#include "engine/tokenizer/words/pre_tokenizer_table.h"

#include <string>

#include "engine/base/accepted.h"

namespace edgemoe {

namespace {

// PCRE2's own \s also takes U+180E, which Unicode has not counted as a space since version 6.3 and
// the vocabularies' libraries do not: the patterns name the property itself.
#define SPACE "\\p{White_Space}"
#define NOT_SPACE "\\P{White_Space}"
#define SPACES_AT_END SPACE "+(?!" NOT_SPACE ")|" SPACE "+"
#define CONTRACTION "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
#define LEAD "[^\\r\\n\\p{L}\\p{N}]?"
#define NEWLINES SPACE "*[\\r\\n]+"

#define GPT2_WORDS \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACE "\\p{L}\\p{N}]+|" SPACES_AT_END
constexpr const char* kGpt2[] = {GPT2_WORDS};
constexpr const char* kSingleDigitsThenGpt2[] = {"\\p{N}", GPT2_WORDS};
constexpr const char* kFalcon[] = {"[\\p{P}$+<=>^~|`]+", GPT2_WORDS, "[0-9][0-9][0-9]"};
// What files are read with whose converter did not know their vocabulary.
constexpr const char* kDefault[] = {"[\\p{P}$+<=>^~|]+", GPT2_WORDS, "\\p{N}+", "[0-9][0-9][0-9]"};

// cl100k_base of OpenAI's tiktoken, which many later vocabularies took over with other numbers of
// digits in a word.
#define WORDS_WITH_DIGITS(digits)                                                          \
  CONTRACTION "|" LEAD "\\p{L}+|" digits "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n]*|" NEWLINES \
              "|" SPACES_AT_END
constexpr const char* kQwen2[] = {WORDS_WITH_DIGITS("\\p{N}")};
constexpr const char* kCl100k[] = {WORDS_WITH_DIGITS("\\p{N}{1,3}")};
constexpr const char* kMiniCpm5[] = {"\\p{N}{1,3}", WORDS_WITH_DIGITS("\\p{N}+")};
#define LINES "[^\\n]+|\\n+"
constexpr const char* kLines[] = {LINES};
constexpr const char* kLaguna[] = {LINES, WORDS_WITH_DIGITS("\\p{N}")};
constexpr const char* kSeedCoder[] = {
    CONTRACTION "|" LEAD "\\p{L}+|\\p{N}| ?[^" SPACE "\\p{L}\\p{N}]+|" NEWLINES "|" SPACES_AT_END,
};
// Marks belong to the letters before them.
constexpr const char* kQwen35[] = {
    CONTRACTION "|" LEAD "[\\p{L}\\p{M}]+|\\p{N}| ?[^" SPACE
                "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" NEWLINES "|" SPACES_AT_END,
};
// Words with single spaces between them stay together. The possessive repetitions change no match.
constexpr const char* kExaoneMoe[] = {
    CONTRACTION "|" LEAD "(?:\\p{L}\\p{M}*+(?: \\p{L}\\p{M}*+)*+)++|\\p{N}| ?[^" SPACE
                "\\p{L}\\p{N}]+[\\r\\n/]?|" NEWLINES "|" SPACES_AT_END,
};

// o200k_base of OpenAI's tiktoken (tiktoken_ext/openai_public.py), which gpt-oss's o200k_harmony
// shares: a word is capitals, then small letters, marks with either, and a contraction at its end.
// llama.cpp has another expression, which tells capitals from small letters in ASCII only and takes
// marks for punctuation: it gives other ids for camel case in Cyrillic, Hindi and Thai.
#define CAPITAL "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALL "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED_WORDS(capital, small, end) \
  LEAD capital "*" small "+" end "|" LEAD capital "+" small "*" end
#define ANY_CASE_CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
#define CASED_WORDS_WITH_DIGITS(end, digits) \
  CASED_WORDS(CAPITAL, SMALL, end)           \
  "|" digits "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n/]*|" NEWLINES "|" SPACES_AT_END
#define O200K_WORDS CASED_WORDS_WITH_DIGITS(ANY_CASE_CONTRACTION, "\\p{N}{1,3}")
constexpr const char* kO200k[] = {O200K_WORDS};
constexpr const char* kTekken[] = {CASED_WORDS_WITH_DIGITS("", "\\p{N}")};

// Kimi's tokenization_kimi.py: o200k's, but for Han characters, which are words of their own.
// llama.cpp takes neither case nor marks into account here.
#define CAPITAL_NOT_HAN "[^\\p{Ll}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{C}\\p{sc:Han}]"
#define SMALL_NOT_HAN "[^\\p{Lu}\\p{Lt}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{C}\\p{sc:Han}]"
#define KIMI_WORDS CASED_WORDS(CAPITAL_NOT_HAN, SMALL_NOT_HAN, ANY_CASE_CONTRACTION)
constexpr const char* kKimiK2[] = {
    "\\p{sc:Han}+|" KIMI_WORDS "|\\p{N}{1,3}| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n]*|" NEWLINES
    "|" SPACES_AT_END,
};
// llama.cpp takes any letter for a capital and for a small one here.
constexpr const char* kYoutu[] = {
    "[\\x{AC00}-\\x{D7A3}\\x{3131}-\\x{318E}]+|"
    "[\\x{FF01}\\x{2026}\\x{201C}\\x{201D}\\x{2018}\\x{2019}\\x{2014}\\x{FF1A}\\x{FF1B}\\x{FF0C}"
    "\\x{3001}-\\x{303F}\\x{FE30}-\\x{FE4F}]+|"
    "[\\x{3105}-\\x{312F}]+|[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{30FF}]+",
    CASED_WORDS_WITH_DIGITS("(?:" CONTRACTION ")?", "\\p{N}"),
};

// Digits in threes from their end: what one or two are left at the start of a run, whose start the
// look-behind sees; threes are then cut from the left. Written so, a run is gone through once.
#define BEFORE_THREES(digit, threes) \
  "(?<!" digit ")" digit "{1,2}(?=(?:" digit "{3})" threes "(?!" digit "))"
constexpr const char* kSuperBpe[] = {"\\p{N}+", BEFORE_THREES("\\p{Nd}", "++"), "\\p{Nd}{3}"};
// A number that goes on as a word does, "12345th", is left to o200k's words. llama.cpp cuts that
// into threes from its end, too, and cuts nothing before a number.
constexpr const char* kTinyAya[] = {
    "(?<!\\p{Nd})\\p{Nd}++(?![\\p{Alphabetic}\\p{M}\\p{Pc}])",
    "^\\p{Nd}{1,2}(?=(?:\\p{Nd}{3})++\\z)",
    O200K_WORDS,
};

// As the vocabulary was trained, and as Hugging Face's tokenizers split. llama.cpp takes every
// space for a plain one here, so that the third and the fifth pattern miss those that they hold,
// U+1680 to U+3000: it gives other ids there.
#define WIDE_LETTERS "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+"
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
    WIDE_LETTERS,
    "\\p{N}+",
};

constexpr const char* kDeepSeekCoder[] = {
    "[\\r\\n]", SPACE "?\\p{L}+", SPACE "?\\p{P}+", WIDE_LETTERS, "\\p{N}",
};
#define PUNCTUATED_WORDS                                                              \
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"                             \
  "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" NEWLINES \
  "|" SPACES_AT_END
constexpr const char* kDeepSeekV3[] = {
    "\\p{N}{1,3}",
    "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{30FF}]+",
    PUNCTUATED_WORDS,
};
// Scripts of East Asia that set no spaces or few, of Thai the signs from U+0E40 on; not their
// digits. One range is llama.cpp's, where U+F900 may have been meant for its start, U+8C48. Where a
// number mixes the digits of two scripts llama.cpp cuts between these.
constexpr const char* kAfMoe[] = {
    "(?:(?!\\p{N})[\\x{4E00}-\\x{9FFF}\\x{3400}-\\x{4DBF}\\x{8C48}-\\x{FAFF}\\x{3040}-\\x{30FF}"
    "\\x{FF65}-\\x{FF9F}\\x{2F00}-\\x{2FDF}\\x{E40}-\\x{EFF}\\x{1780}-\\x{17FF}"
    "\\x{1000}-\\x{109F}\\x{1100}-\\x{11FF}])++",
    BEFORE_THREES("\\p{N}", "*+") "|\\p{N}{3}|" PUNCTUATED_WORDS,
};

using enum PreTokenizerKind::AddsBos;
using enum PreTokenizerKind::WholeWords;

// The names are those that llama.cpp's converter writes; docs/tokenizers.md tells how each was
// checked.
constexpr PreTokenizerKind kKnown[] = {
    {"qwen2", kQwen2},
    {"qwen35", kQwen35},
    {"deepseek-r1-qwen", kQwen2},
    {"megrez", kQwen2},
    {"stablelm2", kQwen2},
    {"hunyuan", kQwen2},
    {"solar-open", kQwen2},
    {"grok-2", kQwen2},
    {"kormo", kQwen2},
    {"f2llmv2", kQwen2},
    {"bailingmoe", kQwen2},
    {"bailingmoe2", kQwen2},
    {"llada-moe", kQwen2},
    {"laguna", kLaguna},
    {"seed-coder", kSeedCoder},
    {"exaone-moe", kExaoneMoe},
    {"dbrx", kCl100k},
    {"smaug-bpe", kCl100k},
    {"glm4", kCl100k, kIfFileSays, kAll},
    {"chatglm-bpe", kCl100k},
    {"llama-bpe", kCl100k, kUnlessFileDenies, kAll},
    {"llama3", kCl100k, kUnlessFileDenies, kAll},
    {"llama-v3", kCl100k, kUnlessFileDenies, kAll},
    {"falcon3", kCl100k, kUnlessFileDenies, kAll},
    {"falcon-h1", kCl100k, kUnlessFileDenies, kAll},
    {"pixtral", kCl100k, kUnlessFileDenies, kAll},
    {"midm-2.0", kCl100k, kUnlessFileDenies, kAll},
    {"lfm2", kCl100k, kUnlessFileDenies, kAll},
    {"minicpm5", kMiniCpm5, kIfFileSays, kAll},
    {"gpt-4o", kO200k},
    {"llama4", kO200k},
    {"kanana2", kO200k},
    {"talkie", kO200k},
    {"minimax-m2", kO200k},
    {"tekken", kTekken, kUnlessFileDenies, kAll},
    {"kimi-k2", kKimiK2},
    {"youtu", kYoutu, kIfFileSays, kAll},
    {"tiny_aya", kTinyAya},
    {"cohere2moe", kTinyAya},
    {"superbpe", kSuperBpe},
    {"deepseek-llm", kDeepSeekLlm},
    {"deepseek-coder", kDeepSeekCoder},
    {"deepseek-v3", kDeepSeekV3},
    {"hunyuan-dense", kDeepSeekV3},
    {"joyai-llm", kDeepSeekV3},
    {"hy_v4", kDeepSeekV3},
    {"afmoe", kAfMoe},
    {"gpt-2", kGpt2},
    {"phi-2", kGpt2},
    {"olmo", kGpt2},
    {"mpt", kGpt2},
    {"jais", kGpt2},
    {"trillion", kGpt2},
    {"granite-docling", kGpt2},
    {"exaone4", kGpt2},
    {"gigachat", kGpt2},
    {"a.x-4.0", kGpt2},
    {"mellum", kGpt2},
    {"starcoder", kSingleDigitsThenGpt2},
    {"refact", kSingleDigitsThenGpt2},
    {"command-r", kSingleDigitsThenGpt2},
    {"smollm", kSingleDigitsThenGpt2},
    {"codeshell", kSingleDigitsThenGpt2},
    {"exaone", kSingleDigitsThenGpt2},
    {"minerva-7b", kSingleDigitsThenGpt2},
    {"mellum2", kSingleDigitsThenGpt2},
    {"falcon", kFalcon},
    {"default", kDefault},
    {"gemma4", kLines, kAlways, kNewlines, true},
    {"sarvam-moe", kLines, kIfFileSays, kNone, true},
};

}  // namespace

Result<const PreTokenizerKind*> FindPreTokenizer(std::string_view pre) {
  std::string accepted;
  for (const PreTokenizerKind& known : kKnown) {
    if (known.pre == pre) return &known;
    accepted += (accepted.empty() ? "" : ", ") + ShowValue(known.pre);
  }
  return Failure(UnimplementedError("tokenizer.ggml.pre: " + ShowValue(pre) +
                                    " is not supported: one of " + accepted + " would be"));
}

}  // namespace edgemoe
