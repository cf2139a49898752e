// SPDX-License-Identifier: Apache-2.0
//
// The commands: each talks to the daemon, writes to stdout, and gives the process's exit code.
#pragma once

#include "client/cli/command_line.h"

namespace edgemoe::cli {

ExitCode Run(const CommonOptions& options, CompleteCommand command);
ExitCode Run(const CommonOptions& options, ChatCommand command);
ExitCode Run(const CommonOptions& options, TokenizeCommand command);
ExitCode Run(const CommonOptions& options, DetokenizeCommand command);
ExitCode Run(const CommonOptions& options, TemplateCommand command);
ExitCode Run(const CommonOptions& options, ScoreCommand command);
ExitCode Run(const CommonOptions& options, EmbedCommand command);
ExitCode Run(const CommonOptions& options, const ModelsCommand& command);
ExitCode Run(const CommonOptions& options, const AddModelCommand& command);
ExitCode Run(const CommonOptions& options, const RemoveModelCommand& command);
ExitCode Run(const CommonOptions& options, PullCommand command);
ExitCode Run(const CommonOptions& options, const PlanCommand& command);
ExitCode Run(const CommonOptions& options, PackCommand command);
ExitCode Run(const CommonOptions& options, const TraceRecordCommand& command);
// Becomes edgemoe-bench.
ExitCode Run(const CommonOptions& options, const TraceReplayCommand& command);
ExitCode Run(const CommonOptions& options, const StatsCommand& command);
ExitCode Run(const CommonOptions& options, const HealthCommand& command);
ExitCode Run(const CommonOptions& options, const ResizeCommand& command);
ExitCode Run(const CommonOptions& options, const ProbeCommand& command);
ExitCode Run(const CommonOptions& options, const DoctorCommand& command);
ExitCode Run(const CommonOptions& options, SetupCommand command);
ExitCode Run(const CommonOptions& options, const PsCommand& command);
ExitCode Run(const CommonOptions& options, const AbortCommand& command);
ExitCode Run(const CommonOptions& options, const ReferenceCommand& command);

}  // namespace edgemoe::cli
