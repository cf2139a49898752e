// SPDX-License-Identifier: Apache-2.0
//
// Files that are written whole or not at all: whoever reads one, also after a crash, finds the old
// content or the new one. Written under another name beside it, synced, renamed, and the folder
// synced.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace edgemoe {

// The seam to the disk: what write(2) and fsync(2) do, errno included.
struct WholeFileDisk {
  std::function<ssize_t(int fd, const void* bytes, std::size_t count)> write;
  std::function<int(int fd)> sync;

  static WholeFileDisk Real();
};

enum class Replace : bool { kNo, kYes };

struct WholeFileOptions {
  bool make_folders = false;        // those of the path that are missing
  Replace replace = Replace::kYes;  // kNo: ALREADY_EXISTS where the path is there
  mode_t mode = 0644;               // of the new file, less the process's umask
  WholeFileDisk disk = WholeFileDisk::Real();
};

// Writes the pieces, one after another, as the file `path`, in the place of one that is there
// unless the options say otherwise.
// Other processes and threads may write the same path at the same time: the last one to finish
// counts. Where it fails, nothing of it is left and the old file is as it was; only a folder that
// cannot be synced leaves the new file in its place. Errors are those of ErrnoStatus and name the
// path.
Status WriteWholeFile(const std::string& path, std::span<const std::span<const std::byte>> pieces,
                      const WholeFileOptions& options = {});
Status WriteWholeFile(const std::string& path, std::string_view text,
                      const WholeFileOptions& options = {});

// The steps alone, for files of any size that their owner writes by a protocol of his own: `fd` is
// open as `partial_path`, in the folder of `path`.
// All of `bytes` is written behind what was written to `fd`.
Status AppendAll(int fd, std::span<const std::byte> bytes, const std::string& partial_path,
                 const WholeFileDisk& disk = WholeFileDisk::Real());
// What was written to `fd` is on the disk under the name `path` when it returns. ALREADY_EXISTS
// where `path` is there and may not be replaced; the file then keeps its name.
Status PublishFile(int fd, const std::string& partial_path, const std::string& path,
                   Replace replace, const WholeFileDisk& disk = WholeFileDisk::Real());
// The names in the folder of `path`, as they are now, stay after a power cut.
Status SyncFolderOf(const std::string& path, const WholeFileDisk& disk = WholeFileDisk::Real());

}  // namespace edgemoe
