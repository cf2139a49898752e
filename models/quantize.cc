// SPDX-License-Identifier: Apache-2.0
//
// edgemoe-quantize SRC.gguf DST.gguf TYPE: writes a model's file anew with its weight matrices in
// TYPE. Holds one tensor's rows at a time, a few MiB. DST appears complete or not at all.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/byte_size.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/gguf/requantize.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kChunkBytes = 4 * kMiB;  // of rows held at once; more for one longer row

Status FileError(const char* what, const std::string& path) {
  return ErrnoStatus(errno, std::string(what) + ": " + path);
}

// Reads or writes all of `count` bytes at `offset`.
Status ReadAll(int fd, const std::string& path, std::uint64_t offset, std::byte* to,
               std::uint64_t count) {
  while (count > 0) {
    const ssize_t got = ::pread(fd, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path);
    if (got == 0) return DataLossError("read " + path + ": the file became shorter");
    const auto moved = static_cast<std::uint64_t>(got);
    to += moved;
    offset += moved;
    count -= moved;
  }
  return OkStatus();
}

Status WriteAll(int fd, const std::string& path, std::uint64_t offset, const void* bytes,
                std::uint64_t count) {
  const auto* from = static_cast<const std::byte*>(bytes);
  while (count > 0) {
    const ssize_t put = ::pwrite(fd, from, count, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FileError("write", path);
    const auto moved = static_cast<std::uint64_t>(put);
    from += moved;
    offset += moved;
    count -= moved;
  }
  return OkStatus();
}

Result<GgufFile> ReadHeader(int fd, const std::string& path) {
  struct stat stat = {};
  if (::fstat(fd, &stat) != 0) return Failure(FileError("stat", path));
  if (!S_ISREG(stat.st_mode) || stat.st_size == 0)
    return Failure(InvalidArgumentError(path + ": expected a regular file that is not empty"));
  const auto file_bytes = static_cast<std::uint64_t>(stat.st_size);
  void* mapped = ::mmap(nullptr, file_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapped == MAP_FAILED) return Failure(FileError("map", path));
  Result<GgufFile> file =
      ParseGguf({static_cast<const std::byte*>(mapped), file_bytes}, file_bytes);
  ::munmap(mapped, file_bytes);
  if (!file) return Failure(file.error().WithContext(path));
  return file;
}

struct Ends {
  int source_fd;
  const std::string& source_path;
  int target_fd;
  const std::string& target_path;
};

Status ConvertTensor(const Ends& ends, const GgufTensor& source, const GgufTensor& target) {
  const std::uint64_t source_row = source.bytes / source.rows();
  const std::uint64_t target_row = target.bytes / target.rows();
  const std::uint64_t chunk_rows =
      std::clamp<std::uint64_t>(kChunkBytes / source_row, 1, source.rows());
  std::vector<std::byte> rows(chunk_rows * source_row);
  std::vector<std::byte> converted(chunk_rows * target_row);
  std::vector<float> scratch(source.columns());
  for (std::uint64_t row = 0; row < source.rows(); row += chunk_rows) {
    const std::uint64_t count = std::min(chunk_rows, source.rows() - row);
    EDGEMOE_RETURN_IF_ERROR(ReadAll(ends.source_fd, ends.source_path,
                                    source.offset + row * source_row, rows.data(),
                                    count * source_row));
    RequantizeRows(source.type, target.type, source.columns(), count, rows.data(), scratch.data(),
                   converted.data());
    EDGEMOE_RETURN_IF_ERROR(WriteAll(ends.target_fd, ends.target_path,
                                     target.offset + row * target_row, converted.data(),
                                     count * target_row));
  }
  return OkStatus();
}

Status WriteModel(const Ends& ends, const RequantizePlan& plan) {
  // The gaps between tensors and the padding at the end become zeros.
  if (::ftruncate(ends.target_fd, static_cast<off_t>(plan.header.file_bytes)) != 0)
    return FileError("resize", ends.target_path);
  EDGEMOE_RETURN_IF_ERROR(WriteAll(ends.target_fd, ends.target_path, 0, plan.header.bytes.data(),
                                   plan.header.bytes.size()));
  for (std::size_t i = 0; i < plan.sources.size(); ++i) {
    const GgufTensor& source = plan.sources[i];
    const GgufTensor& target = plan.header.tensors[i];
    std::printf("%4zu/%zu %-36s %-18s %s -> %s\n", i + 1, plan.sources.size(), source.name.c_str(),
                source.ShapeText().c_str(), TraitsOf(source.type).name.data(),
                TraitsOf(target.type).name.data());
    EDGEMOE_RETURN_IF_ERROR(ConvertTensor(ends, source, target));
  }
  return OkStatus();
}

Status Quantize(const std::string& source_path, const std::string& target_path,
                std::string_view type_name) {
  const TensorTypeTraits* type = FindTensorType(type_name);
  if (type == nullptr)
    return InvalidArgumentError("type " + std::string(type_name) + ": expected " +
                                EncodableTensorTypes());
  const UniqueFd source(::open(source_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.valid()) return FileError("open", source_path);
  EDGEMOE_ASSIGN_OR_RETURN(const GgufFile file, ReadHeader(source.get(), source_path));
  EDGEMOE_ASSIGN_OR_RETURN(const RequantizePlan plan, PlanRequantize(file, type->type));

  const std::string partial_path = target_path + ".partial." + std::to_string(::getpid());
  const UniqueFd target(
      ::open(partial_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!target.valid()) return FileError("create", partial_path);
  Status status = WriteModel({source.get(), source_path, target.get(), partial_path}, plan);
  if (status.ok()) status = PublishFile(target.get(), partial_path, target_path, Replace::kYes);
  if (!status.ok()) {
    ::unlink(partial_path.c_str());
    return status;
  }
  std::printf("%s: %s\n", target_path.c_str(), FormatByteSize(plan.header.file_bytes).c_str());
  return OkStatus();
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: edgemoe-quantize SRC.gguf DST.gguf TYPE\nTYPE: %s\n",
                 edgemoe::EncodableTensorTypes().c_str());
    return 2;
  }
  const edgemoe::Status status = edgemoe::Quantize(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "edgemoe-quantize: %s\n", status.ToString().c_str());
  return 1;
}
