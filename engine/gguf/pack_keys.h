// SPDX-License-Identifier: Apache-2.0
//
// What makes a GGUF file an expert pack: keys beside those of the model. A pack's tensors are all
// dense ones first, then for each layer and expert the matrices "blk.L.ffn_gate.E.weight",
// "blk.L.ffn_up.E.weight", "blk.L.ffn_down.E.weight" one after another: an expert is one record,
// read at once. Each matrix has a type of its own, and stands at a multiple of 4,096; of 32 where
// experts are so small that padding to 4,096 would add more than a 64th.
//
// Every byte that matters is covered: the header by its checksum, each dense tensor and each
// expert by its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

constexpr std::uint32_t kPackVersion = 1;
constexpr std::uint32_t kPackAlignment = 4096;

constexpr std::string_view kPackPrefix = "edgemoe.pack.";
constexpr std::string_view kPackVersionKey = "edgemoe.pack.version";  // u32
// u64: XXH3-64 of all bytes before the data, these eight taken as zeros.
constexpr std::string_view kPackHeaderChecksumKey = "edgemoe.pack.header_checksum";
// Array of u64 [layers, experts]: XXH3-64 of an expert's gate, up and down, without padding.
constexpr std::string_view kPackExpertChecksumsKey = "edgemoe.pack.expert_checksums";
// Array of u64: XXH3-64 of each other tensor, in the order of their offsets.
constexpr std::string_view kPackDenseChecksumsKey = "edgemoe.pack.dense_checksums";
// String: XXH3-128 in hexadecimal of the source's checksums, each as eight bytes: dense tensors in
// the source's order, then experts by layer and index. The same weights give the same digest, in
// however many files they come.
constexpr std::string_view kPackSourceDigestKey = "edgemoe.pack.source.digest";
constexpr std::string_view kPackSourceNameKey = "edgemoe.pack.source.name";    // file name
constexpr std::string_view kPackSourceBytesKey = "edgemoe.pack.source.bytes";  // u64, of all parts
constexpr std::string_view kPackSourcePartsKey = "edgemoe.pack.source.parts";  // u32
constexpr std::string_view kPackToolKey = "edgemoe.pack.tool";                 // "edgemoe 0.1.0"
// How the types were chosen: "copy", bit for bit as in the source; "sensitivity", "edgemoe",
// "uniform", see engine/pack/pack_request.h.
constexpr std::string_view kPackMethodKey = "edgemoe.pack.method";
// String: what the types were measured on, source and calibration text, as a digest.
constexpr std::string_view kPackCalibrationKey = "edgemoe.pack.calibration";

// By any of the keys, so that damage to one does not hide the others.
bool IsPack(const GgufFile& file);

// OK also for files that are no packs. NOT_FOUND: no version; UNIMPLEMENTED names an unknown
// version and the one accepted; INVALID_ARGUMENT another alignment.
Status CheckPackVersion(const GgufFile& file);

// `header`: the file from its start to file.data_offset() at least. Errors as of CheckPackVersion,
// and DATA_LOSS when the header is not the one that was written.
Status CheckPackHeader(std::span<const std::byte> header, const GgufFile& file);

// The header's checksum of a pack, as kPackHeaderChecksumKey says; NOT_FOUND without that key.
// `header` ends where the data starts.
Result<std::uint64_t> PackHeaderChecksum(std::span<const std::byte> header);

// The array `key`, of exactly `count` checksums. INVALID_ARGUMENT says how many there are.
Result<std::vector<std::uint64_t>> ReadPackChecksums(const GgufFile& file, std::string_view key,
                                                     std::size_t count);

}  // namespace edgemoe
