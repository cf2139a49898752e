// SPDX-License-Identifier: Apache-2.0
//
// Routing traces as text, readable by others' tools too. Comments first:
//
//   # route_trace v1
//   # model=NAME arch=NAME n_layer=48 n_expert=128 n_expert_used=8
//   # layer=0 expert_bytes=3059712 dense_bytes=11953152     for each layer that has experts
//   turn,phase,step,layer,slot,expert,weight,residency,expert_bytes
//
// (the first line tells the version; traces that others wrote may lack it), then a line for each
// expert that a token's router chose, as batches ran: layers in order, in a layer its tokens, of a
// token its experts, best first.
//
//   turn          the request                 phase      0 prompt, 1 decoding
//   step          the token's position        layer      from 0
//   slot          rank in the choice, from 0  expert     from 0
//   weight        of a token's, they sum to 1
//   residency     1: was in memory, or asked for by an earlier line of the batch
//   expert_bytes  read for this line: 0 with residency 1
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgemoe {

constexpr std::string_view kTraceFormat = "route_trace";
constexpr std::string_view kTraceVersion = "v1";
constexpr std::string_view kTraceColumns =
    "turn,phase,step,layer,slot,expert,weight,residency,expert_bytes";
constexpr std::uint32_t kTraceLayersMax = 1024;
constexpr std::uint32_t kTraceExpertsMax = 4096;  // in a layer

// What the comments say.
struct TraceDescription {
  std::string model;
  std::string architecture;
  std::uint32_t experts_per_layer = 0;
  std::uint32_t experts_used = 0;               // by a token in a layer, at most
  std::vector<std::uint64_t> expert_bytes;      // [layer_count]; 0: the layer has no experts
  std::vector<std::uint64_t> dense_bytes = {};  // [layer_count]; empty: not said
};

// The comments and the line of columns, each ended by a newline.
std::string FormatTraceHeader(const TraceDescription& description);

}  // namespace edgemoe
