// SPDX-License-Identifier: Apache-2.0
//
// Findings as text and as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/cli/doctor/doctor.h"
#include "client/cli/terminal/format_text.h"

namespace edgemoe::cli {
namespace {

constexpr std::size_t kIndent = 25;

const char* LevelName(FindingLevel level) {
  switch (level) {
    case FindingLevel::kOk: return "ok";
    case FindingLevel::kNote: return "note";
    case FindingLevel::kWarning: return "warning";
    case FindingLevel::kProblem: break;
  }
  return "problem";
}

std::ptrdiff_t Count(const Findings& findings, FindingLevel level) {
  return std::ranges::count(findings, level, &Finding::level);
}

// Broken between words so that no line is longer than `columns`; lines after the first indented.
std::string Wrapped(const std::string& text, std::size_t columns) {
  std::string wrapped;
  std::size_t column = kIndent;
  for (const std::string& word : WordsIn(text)) {
    if (column > kIndent && column + 1 + word.size() > columns) {
      wrapped += "\n" + std::string(kIndent, ' ');
      column = kIndent;
    } else if (column > kIndent) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += word.size();
  }
  return wrapped;
}

}  // namespace

std::string FindingsText(const Findings& findings, std::size_t columns) {
  std::string text;
  for (const Finding& finding : findings) {
    text += Format("%-8s %-15s ", LevelName(finding.level), finding.check.c_str());
    text += Wrapped(finding.found, columns) + "\n";
    // Commands stay whole, to be copied.
    const char* lead = "mend: ";
    for (const std::string& line : LinesIn(finding.mend)) {
      text += std::string(kIndent, ' ') + lead + line + "\n";
      lead = "      ";
    }
  }
  return text + Format("\nproblems: %td, warnings: %td, notes: %td, ok: %td\n",
                       Count(findings, FindingLevel::kProblem),
                       Count(findings, FindingLevel::kWarning),
                       Count(findings, FindingLevel::kNote), Count(findings, FindingLevel::kOk));
}

std::string FindingsJson(const Findings& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings)
    list.push_back({{"check", finding.check},
                    {"level", LevelName(finding.level)},
                    {"found", finding.found},
                    {"mend", finding.mend}});
  const nlohmann::ordered_json report = {{"findings", std::move(list)},
                                         {"problemCount", Count(findings, FindingLevel::kProblem)},
                                         {"warningCount", Count(findings, FindingLevel::kWarning)},
                                         {"noteCount", Count(findings, FindingLevel::kNote)}};
  return report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool HasProblem(const Findings& findings) { return Count(findings, FindingLevel::kProblem) > 0; }

}  // namespace edgemoe::cli
