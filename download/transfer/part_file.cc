// SPDX-License-Identifier: Apache-2.0
#include "download/transfer/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

using nlohmann::json;

constexpr int kStateVersion = 1;
constexpr std::uint64_t kStateBytesMax = 64 * 1024;

std::string StatePath(const std::string& part_path) { return part_path + ".json"; }

std::string ToText(const PartIdentity& identity) {
  json state = {{"version", kStateVersion},
                {"source", identity.source},
                {"sha256", identity.sha256},
                {"validator", identity.validator}};
  if (identity.bytes) state["bytes"] = *identity.bytes;
  return state.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

// Nothing for what is no state: a part without one is of nothing.
std::optional<PartIdentity> ReadState(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error || bytes > kStateBytesMax) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json state = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!state.is_object()) return std::nullopt;
  try {
    if (state.at("version").get<int>() != kStateVersion) return std::nullopt;
    PartIdentity identity{.source = state.at("source").get<std::string>(),
                          .sha256 = state.at("sha256").get<std::string>(),
                          .validator = state.at("validator").get<std::string>(),
                          .bytes = std::nullopt};
    if (state.contains("bytes")) identity.bytes = state.at("bytes").get<std::uint64_t>();
    return identity;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

bool IsSame(const PartIdentity& there, const PartIdentity& wanted) {
  if (!wanted.sha256.empty()) return there.sha256 == wanted.sha256 && there.bytes == wanted.bytes;
  return there.sha256.empty() && there.source == wanted.source && !there.validator.empty() &&
         (wanted.validator.empty() || wanted.validator == there.validator) &&
         (!wanted.bytes || wanted.bytes == there.bytes);
}

}  // namespace

PartFile::PartFile(std::string path, UniqueFd fd)
    : final_path_(std::move(path)),
      path_(final_path_ + ".part"),
      fd_(std::move(fd)),
      hasher_(std::make_unique<FileHasher>(fd_.get())) {}

Result<PartFile> PartFile::Open(const std::string& folder, const std::string& name,
                                PartIdentity wanted) {
  const std::string final_path = folder + "/" + name;
  const std::string path = final_path + ".part";
  UniqueFd fd(::open(path.c_str(),
                     O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!fd.valid()) return Failure(ErrnoStatus(errno, "open: " + path));
  struct stat there = {};
  if (::fstat(fd.get(), &there) != 0) return Failure(ErrnoStatus(errno, "look at: " + path));
  if (!S_ISREG(there.st_mode))
    return Failure(FailedPreconditionError(path + ": is no regular file; remove it"));
  PartFile part(final_path, std::move(fd));
  const std::optional<PartIdentity> state = ReadState(StatePath(path));
  const auto bytes = static_cast<std::uint64_t>(there.st_size);
  if (!state || !IsSame(*state, wanted) || (wanted.bytes && bytes > *wanted.bytes)) {
    EDGEMOE_FAIL_IF_ERROR(part.Begin(std::move(wanted)));
    return part;
  }
  part.identity_ = std::move(wanted);
  if (part.identity_.validator.empty()) part.identity_.validator = state->validator;
  if (!part.identity_.bytes) part.identity_.bytes = state->bytes;
  part.bytes_ = bytes;
  part.hasher_->Advance(bytes);
  return part;
}

Status PartFile::Begin(PartIdentity identity) {
  hasher_->Restart();
  if (::ftruncate(fd_.get(), 0) != 0) return ErrnoStatus(errno, "empty: " + path_);
  bytes_ = 0;
  identity_ = std::move(identity);
  RemoveStaleParts(std::filesystem::path(path_).parent_path().string(),
                   std::filesystem::path(final_path_).filename().string());
  return WriteWholeFile(StatePath(path_), ToText(identity_));
}

Status PartFile::Append(std::span<const std::byte> bytes) {
  EDGEMOE_RETURN_IF_ERROR(AppendAll(fd_.get(), bytes, path_));
  bytes_ += bytes.size();
  hasher_->Advance(bytes_);
  return OkStatus();
}

Status PartFile::Publish() {
  EDGEMOE_RETURN_IF_ERROR(PublishFile(fd_.get(), path_, final_path_, Replace::kNo));
  ::unlink(StatePath(path_).c_str());
  return OkStatus();
}

void PartFile::Remove(const std::string& path) {
  const std::string part_path = path + ".part";
  ::unlink(part_path.c_str());
  ::unlink(StatePath(part_path).c_str());
}

void RemoveStaleParts(const std::string& folder, const std::string& name) {
  std::error_code ignored;
  const std::string state_name = name + ".part.json";
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string found = entry.path().filename().string();
    const bool is_unfinished = found.starts_with(state_name + ".") && found.ends_with(".partial");
    const bool is_orphan =
        found == state_name && !std::filesystem::exists(folder + "/" + name + ".part", ignored);
    if (is_unfinished || is_orphan) ::unlink(entry.path().c_str());
  }
}

}  // namespace edgemoe
