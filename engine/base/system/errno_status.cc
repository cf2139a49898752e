// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/errno_status.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace edgemoe {
namespace {

StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT: return StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS: return StatusCode::kPermissionDenied;
    case EEXIST: return StatusCode::kAlreadyExists;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
    case ENOBUFS: return StatusCode::kResourceExhausted;
    case EIO:
    case ENODATA:
    case EILSEQ:  // some block drivers' checksum mismatch
    case EUCLEAN:
    case ENXIO:
    case ENODEV:
    case ESTALE: return StatusCode::kDataLoss;
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ETIMEDOUT:
    case ETXTBSY: return StatusCode::kUnavailable;
    case EINVAL:
    case EBADF:
    case EFAULT:
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG: return StatusCode::kInvalidArgument;
    case EFBIG:
    case EOVERFLOW: return StatusCode::kOutOfRange;
    case ENOSYS:
    case EOPNOTSUPP: return StatusCode::kUnimplemented;
    case ECANCELED: return StatusCode::kCancelled;
    default: return StatusCode::kUnknown;
  }
}

}  // namespace

Status ErrnoStatus(int error, std::string_view what) {
  std::string message(what);
  message += ": ";
  message += std::generic_category().message(error);
  const Status status(CodeOf(error), std::move(message));
  const bool is_full = error == ENOSPC || error == EDQUOT;
  return is_full ? status.WithReason(Reason::kStorageFull) : status;
}

}  // namespace edgemoe
