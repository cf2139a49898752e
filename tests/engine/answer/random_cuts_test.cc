// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/random.h"
#include "tests/engine/answer/answer_parts.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

std::vector<std::size_t> RandomCuts(Random& random, std::size_t bytes) {
  std::vector<std::size_t> cuts(random.NextBelow(12));
  for (std::size_t& cut : cuts) cut = random.NextBelow(bytes + 1);
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

// 10,000 cuts of each family's answers, which are told by their templates.
TEST(RandomCuts, ChangeNoPart) {
  constexpr int kCutsOfAFamily = kSanitized ? 300 : 10'000;
  const std::vector<AnswerCase>& all = FamilyAnswers();
  Random random(1);
  for (auto first = all.begin(); first != all.end();) {
    const auto last = std::find_if(first, all.end(), [&](const AnswerCase& other) {
      return other.template_text != first->template_text;
    });
    for (int i = 0; i < kCutsOfAFamily; ++i) {
      const AnswerCase& answer = first[i % (last - first)];
      const std::vector<std::size_t> cuts = RandomCuts(random, answer.answer.size());
      ASSERT_EQ(PartsOf(answer, cuts), answer.parts)
          << answer.name << ", cut at " << testing::PrintToString(cuts);
    }
    first = last;
  }
}

// Answers that end anywhere: the same parts in one piece and byte by byte.
TEST(RandomCuts, ChangeNoPartOfAnAnswerThatEndsAnywhere) {
  for (const AnswerCase& whole : FamilyAnswers()) {
    for (std::size_t end = 0; end <= whole.answer.size(); ++end) {
      AnswerCase answer = whole;
      answer.answer.resize(end);
      std::vector<std::size_t> every(end);
      for (std::size_t i = 0; i < end; ++i) every[i] = i;
      ASSERT_EQ(PartsOf(answer, every), PartsOf(answer, {})) << whole.name << ", ends at " << end;
    }
  }
}

}  // namespace
}  // namespace edgemoe
