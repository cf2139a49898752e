// SPDX-License-Identifier: Apache-2.0
//
// edgemoe setup: from an installed daemon to a model that is served.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/commands/commands.h"
#include "client/cli/session.h"
#include "client/cli/setup/candidate.h"
#include "client/cli/setup/drop_in.h"
#include "client/cli/setup/service.h"
#include "client/cli/terminal/size_text.h"
#include "client/cli/tools/child_program.h"

namespace edgemoe::cli {
namespace {

constexpr double kLoadingWaitSeconds = 600;

client::Status Unusable(const Candidate& candidate) {
  return {client::StatusCode::kFailedPrecondition, candidate.name + ": " + candidate.problem};
}

class Setup {
 public:
  Setup(const CommonOptions& options, SetupCommand command)
      : options_(options), command_(std::move(command)), session_(options) {}

  ExitCode Run() {
    if (const client::Status status = session_.Connect(); !status.ok())
      return session_.Fail(status);
    client::Result<Candidate> choice = Choose();
    if (!choice) return FailOrEnd(choice.error());
    if (!choice->is_good()) return session_.Fail(Unusable(*choice));
    if (const ExitCode code = Download(*choice); code != ExitCode::kOk) return code;
    return Configure(*choice);
  }

 private:
  ExitCode FailOrEnd(const client::Status& status) const {
    return status.code == client::StatusCode::kCancelled ? session_.Interrupted()
                                                         : session_.Fail(status);
  }

  client::Result<Candidate> Choose() {
    if (!command_.model.empty())
      return FindCandidate(session_, command_.model, command_.budget_bytes);
    auto candidates = FindCandidates(session_, command_.budget_bytes);
    if (!candidates) return tl::unexpected(candidates.error());
    const std::optional<std::size_t> recommended = RecommendCandidate(*candidates);
    Describe(*candidates);
    std::fputs(CandidatesTable(*candidates, recommended).c_str(), stderr);
    if (!recommended)
      return tl::unexpected(client::Status{
          client::StatusCode::kFailedPrecondition,
          "none of these models can be used here: with a network `edgemoe setup` finds more, and "
          "`edgemoe models add FILE` takes a file of yours"});
    if (command_.yes) return (*candidates)[*recommended];
    return Ask(*candidates, *recommended);
  }

  // Memory, cores and storage, as far as they are known.
  void Describe(const std::vector<Candidate>& candidates) {
    std::string text = std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " cores";
    for (const Candidate& candidate : candidates)
      if (candidate.usable_bytes != 0) {
        text += ", " + SizeText(candidate.usable_bytes) + " of memory";
        break;
      }
    if (const auto probe = session_.client().Probe({}))
      text += ", storage of " + SizeText(static_cast<std::uint64_t>(probe->bytes_per_second())) +
              " a second";
    std::fprintf(stderr, "This machine: %s\n\n", text.c_str());
  }

  static client::Result<Candidate> Ask(const std::vector<Candidate>& candidates,
                                       std::size_t recommended) {
    if (::isatty(STDIN_FILENO) == 0)
      return tl::unexpected(
          client::Status{client::StatusCode::kInvalidArgument,
                         "there is no terminal to ask on: --yes takes the recommended model (*), "
                         "--model NAME another"});
    constexpr int kTriesMax = 5;
    for (int tries = 0; tries < kTriesMax; ++tries) {
      std::fprintf(stderr, "\nWhich one? [%zu] ", recommended + 1);
      std::string answer;
      if (!std::getline(std::cin, answer)) break;
      std::size_t number = recommended + 1;
      const char* const end = answer.data() + answer.size();
      const bool is_number =
          answer.empty() || std::from_chars(answer.data(), end, number).ptr == end;
      if (!is_number || number == 0 || number > candidates.size()) {
        std::fprintf(stderr, "found \"%s\"; accepted: 1 to %zu\n", WithoutControls(answer).c_str(),
                     candidates.size());
      } else if (const Candidate& choice = candidates[number - 1]; choice.is_good()) {
        return choice;
      } else {
        std::fprintf(stderr, "%s cannot be used here: %s\n", choice.name.c_str(),
                     choice.problem.c_str());
      }
    }
    return tl::unexpected(client::Status{client::StatusCode::kCancelled, "no model was chosen"});
  }

  ExitCode Download(const Candidate& choice) const {
    if (choice.pull_name.empty()) return ExitCode::kOk;
    std::fprintf(stderr, "Downloading %s, %s\n", choice.pull_name.c_str(),
                 SizeText(choice.bytes).c_str());
    PullCommand pull;
    pull.request.set_model(choice.pull_name);
    return cli::Run(options_, std::move(pull));
  }

  ExitCode Configure(const Candidate& choice) {
    const std::string& name = choice.pull_name.empty() ? choice.name : choice.pull_name;
    auto model = session_.Retry([&] { return session_.client().GetModel(choice.name); });
    if (!model && name != choice.name)
      model = session_.Retry([&] { return session_.client().GetModel(name); });
    if (!model) return session_.Fail(model.error());
    // A repository's models are planned with the daemon's budget.
    const auto planned = FindCandidate(session_, model->name(), command_.budget_bytes);
    if (!planned) return FailOrEnd(planned.error());
    if (!planned->is_good()) return session_.Fail(Unusable(*planned));
    client::Result<std::string> folder = command_.config_folder;
    if (folder->empty()) folder = DropInFolder(OwnDirectory(), ::geteuid());
    if (!folder) return session_.Fail(folder.error());
    const auto path = WriteDropIn(*folder, DropInText(model->path(), command_.budget_bytes));
    if (!path) return session_.Fail(path.error());
    std::fprintf(stderr, "%s names %s\n", path->c_str(), model->path().c_str());
    return Start(model->name());
  }

  ExitCode Start(const std::string& name) {
    const std::vector<std::string> systemctl = Systemctl(::geteuid());
    if (!command_.start || !ServiceIsActive(systemctl, session_.interrupts())) {
      std::fputs("edgemoed takes it over when it starts, or, without a model, on SIGHUP\n", stderr);
      return ExitCode::kOk;
    }
    // A daemon with a model keeps it until it starts again.
    const auto stats = session_.client().GetStats();
    const bool has_model = stats && !stats->model().empty();
    const client::Status told =
        TellService(systemctl, has_model ? "restart" : "reload", session_.interrupts());
    if (!told.ok()) return session_.Fail(told);
    return AwaitModel(name);
  }

  ExitCode AwaitModel(const std::string& name) const {
    CommonOptions options = options_;
    if (!options.wait_seconds) options.wait_seconds = kLoadingWaitSeconds;
    Session after(options);
    if (const client::Status status = after.Connect(); !status.ok()) return after.Fail(status);
    const auto served = after.Retry([&] { return after.client().GetModel(""); });
    if (!served) return after.Fail(served.error());
    if (served->name() != name)
      return after.Fail({client::StatusCode::kFailedPrecondition,
                         "the daemon serves " + served->name() +
                             ": a flag of its unit, or a later "
                             "file of its configuration, names another model"});
    return WriteLine(served->name() + " is served: `edgemoe chat` talks with it");
  }

  const CommonOptions options_;
  const SetupCommand command_;
  Session session_;
};

}  // namespace

ExitCode Run(const CommonOptions& options, SetupCommand command) {
  return Setup(options, std::move(command)).Run();
}

}  // namespace edgemoe::cli
