// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/io/block_reader.h"
#include "engine/io/storage_file.h"

namespace edgemoe {

// What storage can be read with; the first, the default, is io_uring where it is to be had, else
// pread.
constexpr std::array<std::string_view, 3> kIoBackendNames = {"auto", "io_uring", "pread"};

struct ReaderOptions {
  std::string_view backend = kIoBackendNames.front();
  std::size_t depth = 64;              // requests in flight, 1 to 4096
  std::size_t pread_thread_count = 4;  // 1 to 64
};

struct OpenedReader {
  std::unique_ptr<BlockReader> reader;
  // What is not as one would wish and why (no io_uring, page cache in use): one
  // line for the log; empty when all is well.
  std::string note;
};

// `files` must outlive the reader. INVALID_ARGUMENT names the option that is
// wrong; UNAVAILABLE when "io_uring" was demanded and is not to be had.
Result<OpenedReader> OpenReader(std::span<const StorageFile> files, const ReaderOptions& options);

}  // namespace edgemoe
