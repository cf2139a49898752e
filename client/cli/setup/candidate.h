// SPDX-License-Identifier: Apache-2.0
//
// Models that this machine could be set up with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/session.h"
#include "edgemoe/v1/models.pb.h"

namespace edgemoe::cli {

struct Candidate {
  std::string name;                          // as the daemon knows it, or the catalogue's
  std::string pull_name{};                   // empty: it is here already
  std::uint64_t bytes = 0;                   // of its files
  std::string problem{};                     // why it cannot be used; empty: it can
  std::uint64_t usable_bytes = 0;            // memory of this machine; 0: unknown
  std::uint64_t budget_bytes = 0;            // what it would get
  std::optional<double> share{};             // of its experts in memory, [0, 1]
  std::optional<v1::ExpectedSpeed> speed{};  // absent: unknown

  bool is_good() const { return problem.empty(); }
};

// The models that are here, then those of the daemon's catalogue as far as their headers can be
// read. `budget_bytes`: 0: the daemon's choice. CANCELLED by Ctrl-C.
client::Result<std::vector<Candidate>> FindCandidates(Session& session, std::uint64_t budget_bytes);

// One of that name: of this machine, or to be downloaded.
client::Result<Candidate> FindCandidate(Session& session, const std::string& name,
                                        std::uint64_t budget_bytes);

// Five tokens a second are about as fast as people read.
constexpr double kPleasantTokensPerSecond = 5;

// The first good one that is here; else the first of which kPleasantTokensPerSecond are expected;
// else the fastest, or the first whose speed is not known. None where none is good.
std::optional<std::size_t> RecommendCandidate(const std::vector<Candidate>& candidates);

// A line each, numbered from 1, the recommended one marked.
std::string CandidatesTable(const std::vector<Candidate>& candidates,
                            std::optional<std::size_t> recommended);

}  // namespace edgemoe::cli
