// SPDX-License-Identifier: Apache-2.0
#include "engine/io/reader_factory.h"

#include <utility>

#include "engine/base/accepted.h"
#include "engine/io/pread_reader.h"
#include "engine/io/uring_reader.h"

namespace edgemoe {
namespace {

void Append(std::string& note, std::string_view text) {
  if (text.empty()) return;
  if (!note.empty()) note += "; ";
  note += text;
}

Result<OpenedReader> OpenPread(std::span<const StorageFile> files, const ReaderOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(auto reader,
                         PreadReader::Open(files, {.depth = options.depth,
                                                   .thread_count = options.pread_thread_count}));
  return OpenedReader{std::move(reader), ""};
}

Result<OpenedReader> OpenUring(std::span<const StorageFile> files, const ReaderOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(auto reader, UringReader::Open(files, {.depth = options.depth}));
  std::string note = reader->notes();
  return OpenedReader{std::move(reader), std::move(note)};
}

Result<OpenedReader> OpenBackend(std::span<const StorageFile> files, const ReaderOptions& options) {
  if (options.backend == "pread") return OpenPread(files, options);
  if (options.backend == "io_uring") return OpenUring(files, options);
  if (options.backend != "auto")
    return Failure(
        InvalidField("backend", ShowValue(options.backend), AcceptedNames(kIoBackendNames))
            .WithContext("storage reader"));
  auto uring = OpenUring(files, options);
  if (uring || uring.error().code() != StatusCode::kUnavailable) return uring;
  EDGEMOE_ASSIGN_OR_FAIL(OpenedReader pread, OpenPread(files, options));
  pread.note = uring.error().message() + "; reading with pread";
  return pread;
}

}  // namespace

Result<OpenedReader> OpenReader(std::span<const StorageFile> files, const ReaderOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(OpenedReader opened, OpenBackend(files, options));
  for (const StorageFile& file : files) {
    if (file.direct()) continue;
    Append(opened.note, file.path() +
                            ": its file system has no O_DIRECT, reads go through the "
                            "page cache");
    break;  // one line is enough, also for a model of many files
  }
  return opened;
}

}  // namespace edgemoe
