// SPDX-License-Identifier: Apache-2.0
#include "download/http/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr int kRedirectsMax = 10;
constexpr int kPollMs = 100;
constexpr std::size_t kHeadBytesMax = 64 * kKiB;
constexpr std::uint64_t kBufferBytesMax = 512 * kKiB;
constexpr std::uint64_t kBufferBytesMin = kKiB;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? x | 0x20 : x) == (y >= 'A' && y <= 'Z' ? y | 0x20 : y);
  });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' '))
    text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// A number that is all of `text`; below 2^63.
std::optional<std::uint64_t> Number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number >> 63 != 0)
    return std::nullopt;
  return number;
}

// "bytes 0-99/1000", "bytes 0-99/*", "bytes */1000".
void ParseContentRange(std::string_view text, HttpHead& head) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return;
  text.remove_prefix(kUnit.size());
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return;
  head.total_bytes = Number(text.substr(slash + 1));
  const std::string_view range = text.substr(0, slash);
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return;
  const std::optional<std::uint64_t> first = Number(range.substr(0, dash));
  const std::optional<std::uint64_t> last = Number(range.substr(dash + 1));
  if (!first || !last || *first > *last) return;
  head.range_first = first;
  head.range_last = last;
}

// `<URL>; rel="next"`, perhaps among others.
std::string ParseNextPage(std::string_view text) {
  while (true) {
    const std::size_t begin = text.find('<');
    const std::size_t end = text.find('>');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
    const std::string_view url = text.substr(begin + 1, end - begin - 1);
    text.remove_prefix(end + 1);
    if (text.substr(0, text.find('<')).find("rel=\"next\"") != std::string_view::npos)
      return std::string(url);
  }
}

void ParseHeader(std::string_view name, std::string_view value, HttpHead& head) {
  if (EqualsIgnoringCase(name, "content-range")) ParseContentRange(value, head);
  if (EqualsIgnoringCase(name, "link")) head.next_page = ParseNextPage(value);
  const bool is_strong = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  if (EqualsIgnoringCase(name, "etag") && is_strong) head.validator = value;
  if (EqualsIgnoringCase(name, "last-modified") && head.validator.empty()) head.validator = value;
}

Status StatusOfHttp(const HttpHead& head) {
  const std::string text = "HTTP " + std::to_string(head.status) + " of " + head.url;
  switch (head.status) {
    case 401: return {StatusCode::kUnauthenticated, text + ": it wants a token that it accepts"};
    case 403: return PermissionDeniedError(text + ": it does not give access");
    case 404:
    case 410: return NotFoundError(text + ": there is no such file or repository");
    case 416: return OutOfRangeError(text + ": it does not have the range that was asked for");
    case 429: return ResourceExhaustedError(text + ": too many requests; try again later");
    default: break;
  }
  if (head.status >= 500 || head.status == 408)
    return UnavailableError(text + ": the server has a problem; try again later");
  return FailedPreconditionError(text + ": expected 200");
}

bool IsRetryable(long status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
         status == 503 || status == 504;
}

bool IsRedirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// What another attempt cannot mend.
bool IsFinal(CURLcode code) {
  return code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR;
}

void StartCurl() {
  static std::once_flag once;
  std::call_once(once, [] {
    EDGEMOE_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl starts");
  });
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

Status CheckRedirect(const std::string& from, const std::string& to) {
  const Result<std::string> origin = OriginOfUrl(to);
  if (!origin)
    return PermissionDeniedError(from + ": redirects to " + ShowValue(to) +
                                 "; only http and https are followed");
  if (from.starts_with("https:") && !origin->starts_with("https:"))
    return PermissionDeniedError(from + ": redirects to " + ShowValue(to) +
                                 ", which is not encrypted");
  return OkStatus();
}

std::string RangeText(const HttpRequest& request) {
  return std::to_string(*request.first_byte) + "-" +
         (request.last_byte ? std::to_string(*request.last_byte) : "");
}

}  // namespace

class HttpClient::Connection {
 public:
  Connection() : easy(curl_easy_init()), multi(curl_multi_init()) {
    EDGEMOE_CHECK(easy != nullptr && multi != nullptr, "libcurl has memory");
  }
  ~Connection() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  CURL* const easy;
  CURLM* const multi;
};

// One request to one server, and its answer.
class HttpClient::Exchange {
 public:
  Exchange(const HttpOptions& options, const Clock& clock, const Connection& connection,
           HttpSink& sink)
      : options_(options), clock_(clock), connection_(connection), sink_(sink) {}

  HttpOutcome Run(const HttpRequest& request, bool is_private_allowed);
  bool was_private() const { return was_private_; }
  const std::string& redirect() const { return redirect_; }  // empty: none

 private:
  void SetUp(const HttpRequest& request);
  CURLcode Transfer();
  Status StatusOf(CURLcode code) const;
  Status TellHead();

  static std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBytes(char* bytes, std::size_t size, std::size_t count, void* self);
  static curl_socket_t OnSocket(void* self, curlsocktype purpose, curl_sockaddr* address);

  const HttpOptions& options_;
  const Clock& clock_;
  const Connection& connection_;
  HttpSink& sink_;
  HeaderList headers_;
  HttpHead head_;
  std::size_t head_bytes_ = 0;
  bool told_ = false;
  Status status_;  // the sink's, or of a bad answer
  bool is_private_allowed_ = false;
  std::string redirect_;
  std::string refused_address_;
  bool was_private_ = false;
  std::uint64_t received_bytes_ = 0;
};

HttpOutcome HttpClient::Exchange::Run(const HttpRequest& request, bool is_private_allowed) {
  is_private_allowed_ = is_private_allowed;
  head_.url = request.url;
  SetUp(request);
  const CURLcode code = Transfer();
  CURL* const easy = connection_.easy;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &head_.status);
  const char* address = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
  was_private_ = address != nullptr && *address != '\0' && !options_.is_public_address(address);
  curl_off_t wait_s = 0;
  if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait_s) == CURLE_OK && wait_s > 0)
    head_.retry_after_s = static_cast<std::uint64_t>(wait_s);
  const char* redirect = nullptr;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect);
  HttpOutcome outcome;
  if (!status_.ok()) {
    outcome.status = status_;
  } else if (IsRedirect(head_.status) && redirect != nullptr) {
    redirect_ = redirect;
  } else if (head_.status >= 300) {  // whatever became of the page for people that follows
    outcome.status = StatusOfHttp(head_);
    outcome.is_retryable = IsRetryable(head_.status);
  } else if (code != CURLE_OK) {
    outcome.status = StatusOf(code);
    outcome.is_retryable = !IsFinal(code) && refused_address_.empty();
  } else {
    outcome.status = TellHead();  // of an empty body
  }
  outcome.head = head_;
  return outcome;
}

void HttpClient::Exchange::SetUp(const HttpRequest& request) {
  CURL* const easy = connection_.easy;
  curl_easy_reset(easy);
  const auto set = [easy](CURLoption option, auto value) {
    EDGEMOE_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK, "libcurl has this option");
  };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_USERAGENT, "edgemoe/" EDGEMOE_VERSION);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms));
  const std::uint64_t rate = options_.bytes_per_second_max;
  set(CURLOPT_MAX_RECV_SPEED_LARGE, static_cast<curl_off_t>(rate));
  // libcurl fills up to a hundred buffers before it looks at the limit: these hold a quarter of a
  // second's bytes.
  const std::uint64_t buffer = rate == 0 ? kBufferBytesMax : rate / 400;
  set(CURLOPT_BUFFERSIZE, static_cast<long>(std::clamp(buffer, kBufferBytesMin, kBufferBytesMax)));
  set(CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Exchange::OnBytes);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_OPENSOCKETFUNCTION, &Exchange::OnSocket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  // A connection of an earlier request may have been made under other rules.
  set(CURLOPT_FRESH_CONNECT, is_private_allowed_ ? 0L : 1L);
  if (request.first_byte) set(CURLOPT_RANGE, RangeText(request).c_str());
  const auto add = [this](const std::string& line) {
    curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
    EDGEMOE_CHECK(longer != nullptr, "libcurl has memory");
    (void)headers_.release();
    headers_.reset(longer);
  };
  if (!request.if_range.empty()) add("If-Range: " + request.if_range);
  const Result<std::string> origin = OriginOfUrl(request.url);
  if (!request.token.empty() && origin && *origin == request.token_origin)
    add("Authorization: Bearer " + request.token);
  if (headers_) set(CURLOPT_HTTPHEADER, headers_.get());
}

CURLcode HttpClient::Exchange::Transfer() {
  CURLM* const multi = connection_.multi;
  EDGEMOE_CHECK(curl_multi_add_handle(multi, connection_.easy) == CURLM_OK, "a handle of ours");
  CURLcode code = CURLE_OK;
  std::uint64_t seen_bytes = 0;
  std::uint64_t moved_at_ns = clock_.NowNs();
  while (true) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) {
      code = CURLE_OUT_OF_MEMORY;
      break;
    }
    int waiting = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &waiting)) {
      code = message->data.result;
      break;
    }
    const std::uint64_t now_ns = clock_.NowNs();
    if (seen_bytes != received_bytes_) moved_at_ns = now_ns;
    seen_bytes = received_bytes_;
    if (options_.cancelled != nullptr && options_.cancelled->load()) {
      status_ = CancelledError("the download was cancelled");
      break;
    }
    if (now_ns - moved_at_ns > options_.stall_timeout_ms * kNsPerMs) {
      code = CURLE_OPERATION_TIMEDOUT;
      break;
    }
    if (curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr) != CURLM_OK) {
      code = CURLE_OUT_OF_MEMORY;
      break;
    }
  }
  curl_multi_remove_handle(multi, connection_.easy);
  return code;
}

Status HttpClient::Exchange::StatusOf(CURLcode code) const {
  if (!refused_address_.empty() && code == CURLE_COULDNT_CONNECT)
    return PermissionDeniedError("redirect to " + head_.url + ": its address " + refused_address_ +
                                 " is not a public one; it was not connected to");
  const std::string text = head_.url + ": " + curl_easy_strerror(code);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return UnavailableError(text + ": nothing came for " +
                            std::to_string(options_.stall_timeout_ms / 1000) + " s");
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
    return InvalidArgumentError(text);
  if (code == CURLE_OUT_OF_MEMORY) return ResourceExhaustedError(text);
  return UnavailableError(text);
}

// The sink hears of a good answer's head once, before its first byte.
Status HttpClient::Exchange::TellHead() {
  if (told_) return OkStatus();
  told_ = true;
  CURL* const easy = connection_.easy;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &head_.status);
  curl_off_t bytes = -1;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &bytes);
  if (bytes >= 0) head_.content_bytes = static_cast<std::uint64_t>(bytes);
  return sink_.OnHead(head_);
}

std::size_t HttpClient::Exchange::OnHeader(char* bytes, std::size_t size, std::size_t count,
                                           void* self) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  const std::size_t length = size * count;
  const std::string_view line(bytes, length);
  exchange.head_bytes_ += length;
  if (exchange.head_bytes_ > kHeadBytesMax) {
    exchange.status_ = DataLossError(exchange.head_.url + ": its answer begins with more than " +
                                     std::to_string(kHeadBytesMax) + " bytes of headers");
    return 0;
  }
  if (line.starts_with("HTTP/")) exchange.head_ = {.url = exchange.head_.url};
  if (const std::size_t colon = line.find(':'); colon != std::string_view::npos)
    ParseHeader(line.substr(0, colon), Trim(line.substr(colon + 1)), exchange.head_);
  return length;
}

std::size_t HttpClient::Exchange::OnBytes(char* bytes, std::size_t size, std::size_t count,
                                          void* self) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  const std::size_t length = size * count;
  exchange.received_bytes_ += length;
  long status = 0;
  curl_easy_getinfo(exchange.connection_.easy, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299) {  // a page for people; the status says enough
    return exchange.received_bytes_ <= kHeadBytesMax ? length : 0;
  }
  exchange.status_ = exchange.TellHead();
  if (exchange.status_.ok())
    exchange.status_ = exchange.sink_.OnBody(std::as_bytes(std::span(bytes, length)));
  return exchange.status_.ok() ? length : 0;
}

curl_socket_t HttpClient::Exchange::OnSocket(void* self, curlsocktype, curl_sockaddr* address) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  const std::string text = ShowAddress(address->addr);
  if (!exchange.is_private_allowed_ && !exchange.options_.is_public_address(text)) {
    exchange.refused_address_ = text;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

HttpClient::HttpClient(const HttpOptions& options) : options_(options) {
  StartCurl();
  connection_ = std::make_unique<Connection>();
}

HttpClient::~HttpClient() = default;

HttpOutcome HttpClient::Get(const HttpRequest& request, HttpSink& sink) {
  HttpRequest hop = request;
  bool is_private_allowed = true;  // whoever named the first server may know it
  for (int hops = 0;; ++hops) {
    Exchange exchange(options_, clock_, *connection_, sink);
    HttpOutcome outcome = exchange.Run(hop, is_private_allowed);
    if (exchange.redirect().empty()) return outcome;
    if (hops == 0) is_private_allowed = exchange.was_private() || options_.allow_private_redirects;
    outcome.status = CheckRedirect(hop.url, exchange.redirect());
    if (outcome.status.ok() && hops == kRedirectsMax)
      outcome.status = FailedPreconditionError(request.url + ": more than " +
                                               std::to_string(kRedirectsMax) + " redirects");
    if (!outcome.status.ok()) return outcome;
    hop.url = exchange.redirect();
  }
}

bool HttpClient::WaitForRetry(const RetryOptions& retry, RetrySchedule& schedule,
                              const HttpHead& head) {
  const std::optional<std::uint64_t> wait_ms = schedule.NextWaitMs(head.retry_after_s);
  if (!wait_ms) return false;
  if (retry.wait) return retry.wait(*wait_ms);
  for (std::uint64_t waited_ms = 0; waited_ms < *wait_ms; waited_ms += kPollMs) {
    if (options_.cancelled != nullptr && options_.cancelled->load()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
  }
  return true;
}

Result<std::string> OriginOfUrl(const std::string& url) {
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  EDGEMOE_CHECK(parsed != nullptr, "libcurl has memory");
  const Status bad = InvalidField("url", ShowValue(url), "an http or https URL");
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return Failure(bad);
  const auto part = [&parsed](CURLUPart what, unsigned flags) {
    char* text = nullptr;
    std::string copy;
    if (curl_url_get(parsed.get(), what, &text, flags) == CURLUE_OK) copy = text;
    curl_free(text);
    for (char& c : copy)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return copy;
  };
  const std::string scheme = part(CURLUPART_SCHEME, 0);
  const std::string host = part(CURLUPART_HOST, 0);
  if ((scheme != "http" && scheme != "https") || host.empty()) return Failure(bad);
  const std::string port = part(CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  return scheme + "://" + host + (port.empty() ? "" : ":" + port);
}

}  // namespace edgemoe
