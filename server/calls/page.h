// SPDX-License-Identifier: Apache-2.0
//
// Lists in pages, by page_size and page_token as models.proto and inference.proto have them.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/result.h"

namespace edgemoe {

constexpr std::int32_t kPageSizeDefault = 100;
constexpr std::int32_t kPageSizeMax = 1000;

// A token is how many items came before: a list that changes between two pages may show an item
// twice, or leave one out.
struct PageRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string next_page_token;  // empty: the last page
};

// INVALID_ARGUMENT names page_size or page_token.
template <class Request>
Result<PageRange> PageOf(const Request& request, std::size_t item_count) {
  EDGEMOE_FAIL_IF_ERROR(CheckRange("page_size", request.page_size(), 0, kPageSizeMax));
  const std::string& token = request.page_token();
  std::size_t begin = 0;
  if (!token.empty()) {
    const char* const end = token.data() + token.size();
    const auto parsed = std::from_chars(token.data(), end, begin);
    if (parsed.ec != std::errc() || parsed.ptr != end)
      return Failure(InvalidField("page_token", ShowValue(token),
                                  "the next_page_token of the page before, or empty"));
  }
  const std::int32_t size = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  PageRange page;
  page.begin = std::min(begin, item_count);
  page.end = std::min(page.begin + static_cast<std::size_t>(size), item_count);
  if (page.end < item_count) page.next_page_token = std::to_string(page.end);
  return page;
}

}  // namespace edgemoe
