// SPDX-License-Identifier: Apache-2.0
//
// Packs as a service. What is asked, told and reported: engine/pack/pack_request.h.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/pack/pack_request.h"

namespace edgemoe {

// "dir/Qwen3-00001-of-00002.gguf" -> "dir/Qwen3-pack.gguf".
std::string DefaultPackPath(const std::string& source_path);

// Whether these options go together, whatever the source: INVALID_ARGUMENT, as for WritePack.
Status CheckPackOptions(const PackOptions& options);

// What WritePack will need. Reads the header of the source, and only for methods that measure it.
// INVALID_ARGUMENT: an option, as for WritePack, or the source, as for DescribeModel.
Result<PackMemory> PlanPack(const PackOptions& options);

// Writes a pack: the weights of a model laid out so that an expert is one aligned record with a
// checksum; the same weights, bit for bit, or with each tensor in a type that was chosen for it.
// Any GGUF reader reads it. Memory does not grow with the model, but for `memory_bytes`.
//
// OUTPUT.partial and other files with names that begin so stand beside the output until it is
// whole; a job that ended early goes on from there when it is started again, and writes the same
// bytes. Of a pack whose types were chosen, the report is kept beside it: OUTPUT without ".gguf",
// with ".report.json". Any thread; two jobs for one output exclude each other, also across
// processes.
//
// INVALID_ARGUMENT names an option as models.proto does, what was found and what is accepted; or
// the output is the source, or the source is a pack, or no model that DescribeModel accepts.
// OUT_OF_RANGE: no choice of types meets the target; names what can be had. ALREADY_EXISTS: the
// output, unless `overwrite`. FAILED_PRECONDITION: another job writes the output, or the source
// changed meanwhile. RESOURCE_EXHAUSTED: no room on the disk; names path, needed and free bytes; or
// too little `memory_bytes`. CANCELLED. DATA_LOSS: a disk failed.
Result<PackReport> WritePack(const PackOptions& options);

}  // namespace edgemoe
