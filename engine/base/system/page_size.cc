// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/page_size.h"

#include <unistd.h>

#include <bit>

#include "engine/base/check.h"

namespace edgemoe {

std::size_t PageBytes() {
  static const std::size_t bytes = [] {
    const auto found = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    EDGEMOE_CHECK(std::has_single_bit(found), "a kernel without a page size");
    return found;
  }();
  return bytes;
}

}  // namespace edgemoe
