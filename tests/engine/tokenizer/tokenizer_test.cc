// SPDX-License-Identifier: Apache-2.0
//
// The rules, on a vocabulary small enough to see through: 256 bytes, a few merges, a few specials.
#include "engine/tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/tokenizer/models/byte_alphabet.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Ids: 0-255 the bytes, then what `Special` and the merges "h e", "l l", "he ll", "hell o" make.
enum Id : std::int32_t { kHe = 256, kLl, kHell, kHello, kStart, kEnd, kStartLong, kUser, kByte };

VocabularyDescription SmallVocabulary() {
  VocabularyDescription description;
  description.model = "gpt2";
  description.pre = "qwen2";
  for (unsigned byte = 0; byte < 256; ++byte) {
    description.tokens.push_back(ByteToAlphabet(static_cast<std::uint8_t>(byte)));
  }
  description.token_type.assign(256, 1);
  const auto add = [&](const char* text, TokenType type) {
    description.tokens.emplace_back(text);
    description.token_type.push_back(static_cast<std::int32_t>(type));
  };
  add("he", TokenType::kNormal);
  add("ll", TokenType::kNormal);
  add("hell", TokenType::kNormal);
  add("hello", TokenType::kNormal);
  add("<|start|>", TokenType::kControl);
  add("<|im_end|>", TokenType::kControl);
  add("<|start|>x", TokenType::kControl);
  add("@user", TokenType::kUserDefined);
  add("<0x41>", TokenType::kByte);
  description.merges = {"h e", "l l", "he ll", "hell o"};
  description.bos_token_id = kStart;
  description.eos_token_id = kStartLong;
  return description;
}

std::unique_ptr<Tokenizer> MakeTokenizer(
    const VocabularyDescription& description = SmallVocabulary()) {
  auto made = Tokenizer::Create(description);
  EXPECT_TRUE(made) << made.error().ToString();
  return *std::move(made);
}

std::vector<std::int32_t> Ids(const Tokenizer& tokenizer, std::string_view text,
                              EncodeOptions options = {.add_special = false,
                                                       .parse_special = false}) {
  const auto pieces = tokenizer.Encode(text, options);
  EXPECT_TRUE(pieces) << pieces.error().ToString();
  std::vector<std::int32_t> ids;
  for (const Piece& piece : pieces.value_or(std::vector<Piece>{})) ids.push_back(piece.token.value);
  return ids;
}

TEST(Tokenizer, MergesByRankThenFromTheLeft) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_THAT(Ids(*tokenizer, "hello"), ElementsAre(kHello));
  EXPECT_THAT(Ids(*tokenizer, "hellx"), ElementsAre(kHell, 'x'));
  EXPECT_THAT(Ids(*tokenizer, "lll"), ElementsAre(kLl, 'l'));
  EXPECT_THAT(Ids(*tokenizer, "hehe"), ElementsAre(kHe, kHe));
  EXPECT_THAT(Ids(*tokenizer, "he llo"), ElementsAre(kHe, ' ', kLl, 'o'));
  EXPECT_THAT(Ids(*tokenizer, ""), ElementsAre());
}

TEST(Tokenizer, EveryByteIsReachable) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_THAT(Ids(*tokenizer, "\xF0\x9F\xA6\x99"), ElementsAre(0xF0, 0x9F, 0xA6, 0x99));
  EXPECT_THAT(Ids(*tokenizer, std::string_view("\0\n", 2)), ElementsAre(0, '\n'));
}

TEST(Tokenizer, SpecialTokensOnlyWhenParsedButUserDefinedAlways) {
  const auto tokenizer = MakeTokenizer();
  const EncodeOptions parsed{.add_special = false, .parse_special = true};
  EXPECT_THAT(Ids(*tokenizer, "a<|im_end|>b", parsed), ElementsAre('a', kEnd, 'b'));
  EXPECT_EQ(Ids(*tokenizer, "<|im_end|>").size(), 10u);
  EXPECT_THAT(Ids(*tokenizer, "a@user"), ElementsAre('a', kUser));
  // The longer one wins; parts of one are text.
  EXPECT_THAT(Ids(*tokenizer, "<|start|>x<|start|>", parsed), ElementsAre(kStartLong, kStart));
  EXPECT_EQ(Ids(*tokenizer, "<|im_end|", parsed).size(), 9u);
}

TEST(Tokenizer, PiecesTellTheirBytes) {
  const auto tokenizer = MakeTokenizer();
  const auto pieces =
      tokenizer->Encode("hello\xC3\xA9<|im_end|>", {.add_special = false, .parse_special = true});
  ASSERT_TRUE(pieces);
  EXPECT_THAT(*pieces, ElementsAre(Piece{TokenId{kHello}, 0, 5}, Piece{TokenId{0xC3}, 5, 6},
                                   Piece{TokenId{0xA9}, 6, 7}, Piece{TokenId{kEnd}, 7, 17}));
}

TEST(Tokenizer, AddsBosAndEosWhereTheVocabularyAsks) {
  VocabularyDescription description = SmallVocabulary();
  description.add_bos_token = true;
  description.add_eos_token = true;
  const auto tokenizer = MakeTokenizer(description);
  EXPECT_THAT(Ids(*tokenizer, "a", {}), ElementsAre(kStart, 'a', kStartLong));
  EXPECT_THAT(Ids(*tokenizer, "a"), ElementsAre('a'));
  EXPECT_THAT(Ids(*MakeTokenizer(), "a", {}), ElementsAre('a'));
}

TEST(Tokenizer, DecodesToBytes) {
  const auto tokenizer = MakeTokenizer();
  const std::vector<TokenId> tokens = {{kHello}, {0xC3}, {kEnd}, {kUser}, {kByte}, {' '}};
  EXPECT_EQ(tokenizer->Decode(tokens, {}).value_or("?"), "hello\xC3@userA ");
  EXPECT_EQ(tokenizer->Decode(tokens, {.render_special = true}).value_or("?"),
            "hello\xC3<|im_end|>@userA ");
  const auto bad = tokenizer->Decode(std::vector<TokenId>{{0}, {9999}}, {});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), InvalidArgumentError("tokens[1]: 9999 is not in [0, 264]"));
  EXPECT_FALSE(tokenizer->Decode(std::vector<TokenId>{{-1}}, {}));
}

TEST(Tokenizer, KnowsWhatEndsAnAnswer) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(TokenId{kEnd}));        // by name
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(TokenId{kStartLong}));  // EOS by id
  EXPECT_FALSE(tokenizer->IsEndOfGeneration(TokenId{kStart}));
  EXPECT_FALSE(tokenizer->IsEndOfGeneration(TokenId{-1}));
  EXPECT_TRUE(tokenizer->IsControl(TokenId{kStart}));
  EXPECT_FALSE(tokenizer->IsControl(TokenId{kUser}));
  VocabularyDescription description = SmallVocabulary();
  description.token_type[kEnd] = 1;  // the name alone does not make it one
  EXPECT_FALSE(MakeTokenizer(description)->IsEndOfGeneration(TokenId{kEnd}));
}

struct NamedToken {
  const char* text;
  std::int32_t id;
};

// gpt-oss' control tokens, and a vocabulary of them.
constexpr NamedToken kHarmony[] = {
    {"<|endoftext|>", 265}, {"<|return|>", 266}, {"<|constrain|>", 267}, {"<|channel|>", 268},
    {"<|start|>", 269},     {"<|end|>", 270},    {"<|message|>", 271},   {"<|call|>", 272},
};

VocabularyDescription HarmonyVocabulary() {
  VocabularyDescription description = SmallVocabulary();
  description.tokens[kStart] = "<|startoftext|>";
  description.tokens[kEnd] = "<|reserved|>";
  description.tokens[kStartLong] = "<|reserved2|>";
  for (const NamedToken& token : kHarmony) {
    description.tokens.emplace_back(token.text);
    description.token_type.push_back(static_cast<std::int32_t>(TokenType::kControl));
  }
  description.eos_token_id = 266;
  return description;
}

TEST(Tokenizer, HarmonysEndOfAMessageEndsNoAnswer) {
  const auto tokenizer = MakeTokenizer(HarmonyVocabulary());
  EXPECT_THAT(tokenizer->end_of_generation(),
              ElementsAre(TokenId{265}, TokenId{266}, TokenId{272}));
  // Even where the file calls it EOT.
  VocabularyDescription description = HarmonyVocabulary();
  description.eot_token_id = 270;
  EXPECT_FALSE(MakeTokenizer(description)->IsEndOfGeneration(TokenId{270}));
  // It is what ends an answer elsewhere, as with Phi-3.
  for (const std::size_t missing : {266U, 272U}) {
    SCOPED_TRACE(missing);
    description = HarmonyVocabulary();
    description.tokens[missing] = "<|other|>";
    description.eos_token_id = 265;
    const auto other = MakeTokenizer(description);
    EXPECT_TRUE(other->IsEndOfGeneration(TokenId{270}));
    EXPECT_TRUE(other->IsControl(TokenId{268}));
  }
}

TEST(Tokenizer, FlushAndCallsTellHarmonysKinToo) {
  VocabularyDescription description = HarmonyVocabulary();
  description.tokens[266] = "<|flush|>";
  description.tokens[272] = "<|calls|>";
  EXPECT_THAT(MakeTokenizer(description)->end_of_generation(),
              ElementsAre(TokenId{265}, TokenId{266}, TokenId{272}));
}

// Clients tell an answer's channels apart by its markers; no text becomes a marker by itself.
TEST(Tokenizer, HarmonysMarkersAreShownButNotTakenFromText) {
  const auto tokenizer = MakeTokenizer(HarmonyVocabulary());
  const std::vector<TokenId> answer = {{268}, {'a'}, {271}, {'b'}, {270}, {269}, {266}};
  EXPECT_EQ(tokenizer->Decode(answer, {}).value_or("?"),
            "<|channel|>a<|message|>b<|end|><|start|>");
  for (const std::int32_t marker : {267, 268, 269, 270, 271}) {
    EXPECT_FALSE(tokenizer->IsControl(TokenId{marker})) << marker;
  }
  for (const std::int32_t control : {265, 266, 272}) {
    EXPECT_TRUE(tokenizer->IsControl(TokenId{control})) << control;
  }
  EXPECT_EQ(Ids(*tokenizer, "<|end|>").size(), 7u);
  EXPECT_THAT(Ids(*tokenizer, "<|end|>", {.add_special = false, .parse_special = true}),
              ElementsAre(270));
}

TEST(Tokenizer, MergesThatLeadToNoTokenFallBackToBytes) {
  VocabularyDescription description = SmallVocabulary();
  description.merges.push_back("x y");  // "xy" is no token
  EXPECT_THAT(Ids(*MakeTokenizer(description), "xyz"), ElementsAre('x', 'y', 'z'));
}

TEST(Tokenizer, BytesWithoutATokenAreUnknownOrRefused) {
  VocabularyDescription description = SmallVocabulary();
  description.tokens['q'] = "unreachable";
  const auto refused = MakeTokenizer(description)->Encode("aq", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            InvalidFieldError("text", "the vocabulary has no token for byte 113 at offset 1"));
  description.unknown_token_id = kByte;
  EXPECT_THAT(Ids(*MakeTokenizer(description), "aq"), ElementsAre('a', kByte));
}

TEST(Tokenizer, TextThatIsNotUtf8IsRefusedWithItsOffset) {
  const auto tokenizer = MakeTokenizer();
  const std::pair<const char*, int> samples[] = {
      {"ab\xff", 2},           {"\x80", 0},         {"a\xC3", 1},
      {"a\xED\xA0\x80", 1},    {"\xC0\xAF", 0},     {"ab\xE0\x80\x80", 2},
      {"\xF4\x90\x80\x80", 0}, {"\xF0\x9F\xA6", 0},
  };
  for (const auto& [text, offset] : samples) {
    const auto pieces = tokenizer->Encode(text, {});
    ASSERT_FALSE(pieces);
    EXPECT_EQ(pieces.error(), NotUtf8Field("text", static_cast<std::size_t>(offset)));
  }
}

TEST(Tokenizer, TokensComeSomeAtATimeAsTheyComeAtOnce) {
  VocabularyDescription description = SmallVocabulary();
  for (const char* pre : {"qwen2", "deepseek-llm"}) {
    description.pre = pre;
    const auto tokenizer = MakeTokenizer(description);
    const std::string text = "hello @user<|start|>x 42\n\u6211\u60f3 <|im_end|><|im_end|> hell ";
    const EncodeOptions options = {.add_special = true, .parse_special = true};
    const auto whole = tokenizer->Encode(text, options);
    ASSERT_TRUE(whole);
    for (const std::size_t count : {1U, 3U, 7U}) {
      auto encoding = tokenizer->Start(text, options);
      ASSERT_TRUE(encoding);
      std::vector<Piece> pieces;
      for (std::size_t before = 1; pieces.size() != before;) {
        before = pieces.size();
        ASSERT_TRUE(encoding->Next(count, pieces).ok());
        EXPECT_LE(pieces.size(), before + count);
      }
      EXPECT_EQ(pieces, *whole) << pre << ", " << count;
    }
  }
}

TEST(Tokenizer, WordsThatWouldTakeTooMuchMemoryAreRefused) {
  const auto tokenizer = MakeTokenizer();
  const std::string longest(kWordBytesMax, 'a');
  EXPECT_TRUE(tokenizer->Encode("h " + longest.substr(1) + " a", {}));
  EXPECT_EQ(tokenizer->Encode("h " + longest + " a", {}).error().message(),
            "text: found a word of more than 262144 bytes from byte 1 on; accepted: shorter ones");
  // So are special tokens that overlap.
  VocabularyDescription description = SmallVocabulary();
  description.tokens.push_back("aa");
  description.token_type.push_back(static_cast<std::int32_t>(TokenType::kUserDefined));
  const auto special = MakeTokenizer(description);
  EXPECT_TRUE(special->Encode("h " + longest, {}));
  EXPECT_EQ(special->Encode("h " + longest + "a", {}).error().message(),
            "text: found a word of more than 262144 bytes from byte 2 on; accepted: shorter ones");
}

TEST(Tokenizer, BadVocabulariesAreRefused) {
  struct Sample {
    void (*spoil)(VocabularyDescription&);
    StatusCode code;
    const char* message;
  };
  const Sample samples[] = {
      {[](VocabularyDescription& d) { d.model = "bert"; }, StatusCode::kUnimplemented,
       "tokenizer.ggml.model: found \"bert\" (WordPiece); accepted: \"gpt2\" (byte-level BPE), "
       "\"llama\" (SentencePiece), \"t5\" (Unigram), \"gemma4\" (BPE of characters)"},
      {[](VocabularyDescription& d) { d.model = "llama"; }, StatusCode::kInvalidArgument,
       "tokenizer.ggml.scores: found 0 scores; accepted: 265, as many as tokens"},
      {[](VocabularyDescription& d) { d.pre = "nobody-s"; }, StatusCode::kUnimplemented,
       "\"nobody-s\" is not supported: one of \"qwen2\", \"qwen35\", "},
      {[](VocabularyDescription& d) { d.pre.clear(); }, StatusCode::kUnimplemented, "\"qwen2\""},
      {[](VocabularyDescription& d) { d.tokens.clear(); }, StatusCode::kInvalidArgument,
       "tokenizer.ggml.tokens: 0 tokens"},
      {[](VocabularyDescription& d) { d.token_type.pop_back(); }, StatusCode::kInvalidArgument,
       "264 types for 265 tokens"},
      {[](VocabularyDescription& d) { d.token_type[3] = 7; }, StatusCode::kInvalidArgument,
       "token_type[3]: 7 is not in [0, 6]"},
      {[](VocabularyDescription& d) { d.merges[1] = "ll"; }, StatusCode::kInvalidArgument,
       "merges[1]: \"ll\" is not two texts"},
      {[](VocabularyDescription& d) { d.merges[0] = ""; }, StatusCode::kInvalidArgument,
       "merges[0]"},
      {[](VocabularyDescription& d) { d.merges[0] = "a "; }, StatusCode::kInvalidArgument,
       "merges[0]"},
      {[](VocabularyDescription& d) { d.eos_token_id = 265; }, StatusCode::kInvalidArgument,
       "eos_token_id: 265 is not in [0, 264]"},
      {[](VocabularyDescription& d) {
         d.bos_token_id.reset();
         d.add_bos_token = true;
       },
       StatusCode::kInvalidArgument, "bos_token_id: missing"},
  };
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.message);
    VocabularyDescription description = SmallVocabulary();
    sample.spoil(description);
    const auto made = Tokenizer::Create(description);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), sample.code);
    EXPECT_THAT(made.error().message(), HasSubstr(sample.message));
  }
}

// Llama 3's files leave it unsaid that a BOS is added; words that are tokens need no merges.
TEST(Tokenizer, PreTokenizersSayWhatFilesLeaveUnsaid) {
  VocabularyDescription description = SmallVocabulary();
  const auto base = static_cast<std::int32_t>(description.tokens.size());
  for (const char* token : {"xyz", "<hi>"}) description.tokens.emplace_back(token);
  description.token_type.push_back(static_cast<std::int32_t>(TokenType::kNormal));
  description.token_type.push_back(static_cast<std::int32_t>(TokenType::kControl));
  EXPECT_THAT(Ids(*MakeTokenizer(description), "xyz", {}), ElementsAre('x', 'y', 'z'));
  description.pre = "llama-bpe";
  EXPECT_THAT(Ids(*MakeTokenizer(description), "xyz", {}), ElementsAre(kStart, base));
  EXPECT_EQ(Ids(*MakeTokenizer(description), "<hi>").size(), 4U) << "no markup is made of text";
  description.add_bos_token = false;
  EXPECT_THAT(Ids(*MakeTokenizer(description), "xyz", {}), ElementsAre(base));
  description.add_bos_token.reset();
  description.bos_token_id.reset();
  EXPECT_THAT(Ids(*MakeTokenizer(description), "xyz", {}), ElementsAre(base));
}

TEST(Tokenizer, SpecialTokensThatAreNotUtf8NeverSplitACharacter) {
  VocabularyDescription description = SmallVocabulary();
  description.tokens[kUser] = "\xA9";
  EXPECT_THAT(Ids(*MakeTokenizer(description), "\xC3\xA9"), ElementsAre(0xC3, 0xA9));
}

// As the runs of spaces in OLMoE's vocabulary: each place of a long run begins many tokens.
TEST(Tokenizer, LongestSpecialTokensFillARunThenShorterOnes) {
  VocabularyDescription description = SmallVocabulary();
  const auto base = static_cast<std::int32_t>(description.tokens.size());
  for (std::size_t bytes = 2; bytes <= 24; ++bytes) {
    description.tokens.emplace_back(bytes, ' ');
    description.token_type.push_back(static_cast<std::int32_t>(TokenType::kUserDefined));
  }
  const auto run = [base](std::int32_t bytes) { return base + bytes - 2; };
  const auto tokenizer = MakeTokenizer(description);
  EXPECT_THAT(Ids(*tokenizer, std::string(30, ' ')), ElementsAre(run(24), run(6)));
  EXPECT_THAT(Ids(*tokenizer, "a" + std::string(25, ' ') + "b"),
              ElementsAre('a', run(24), ' ', 'b'));
  std::vector<std::int32_t> expected(4166, run(24));  // 4166 * 24 = 99984
  expected.push_back(run(16));
  EXPECT_EQ(Ids(*tokenizer, std::string(100000, ' ')), expected);
}

// "abcde" takes the end of "bbab" and of "bba"; what is left of it is "bb".
TEST(Tokenizer, ASpecialTokenWhoseEndIsTakenGivesWayToAShorterOne) {
  VocabularyDescription description = SmallVocabulary();
  const auto base = static_cast<std::int32_t>(description.tokens.size());
  for (const char* token : {"abcde", "bbab", "bba", "bb"}) {
    description.tokens.emplace_back(token);
    description.token_type.push_back(static_cast<std::int32_t>(TokenType::kUserDefined));
  }
  EXPECT_THAT(Ids(*MakeTokenizer(description), "bbabcde"), ElementsAre(base + 3, base));
  EXPECT_THAT(Ids(*MakeTokenizer(description), "bbabcd"), ElementsAre(base + 1, 'c', 'd'));
}

// Quadratic work would take minutes here.
TEST(Tokenizer, LongTextsWithoutBreaks) {
  for (const char* pre :
       {"qwen2", "gpt-2", "deepseek-llm", "gpt-4o", "exaone-moe", "kimi-k2", "tiny_aya", "superbpe",
        "deepseek-coder", "deepseek-v3", "afmoe", "falcon"}) {
    VocabularyDescription description = SmallVocabulary();
    description.pre = pre;
    const auto tokenizer = MakeTokenizer(description);
    for (const std::string& part :
         {std::string("hello"), std::string(" "), std::string("\n"), std::string("!"),
          std::string("7"), std::string("\u00e9"), std::string("A"), std::string("a ")}) {
      std::string text;
      while (text.size() < (kSanitized ? 50000 : 200000)) text += part;
      text += "x";
      const std::vector<std::int32_t> ids = Ids(*tokenizer, text);
      std::vector<TokenId> tokens;
      for (const std::int32_t id : ids) tokens.push_back(TokenId{id});
      EXPECT_TRUE(tokenizer->Decode(tokens, {}) == text) << pre << " " << part;
    }
  }
}

TEST(Tokenizer, ThreadsShareOne) {
  const auto tokenizer = MakeTokenizer();
  const std::string text = "hello <|im_end|> he said @user hello\n";
  const auto expected = Ids(*tokenizer, text);
  std::vector<std::vector<std::int32_t>> found(4);
  std::vector<std::thread> threads;
  for (auto& ids : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) ids = Ids(*tokenizer, text);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& ids : found) EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace edgemoe
