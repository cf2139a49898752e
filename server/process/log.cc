// SPDX-License-Identifier: Apache-2.0
#include "server/process/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace edgemoe {
namespace {

constexpr std::size_t kLinesQueuedMax = 4096;
constexpr const char* kIdentifier = "edgemoed";

// systemd names in JOURNAL_STREAM the file that it gave as stderr: "device:inode".
bool StderrIsJournal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  unsigned long long device = 0;
  unsigned long long inode = 0;
  if (stream == nullptr || std::sscanf(stream, "%llu:%llu", &device, &inode) != 2) return false;
  struct stat info = {};
  return ::fstat(STDERR_FILENO, &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

std::string LogTarget(const Config::Log& config) {
  if (config.target != "auto") return config.target;
  return StderrIsJournal() ? "journal" : "stderr";
}

struct Log::Backend {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

Log::Log(const Config::Log& config) : backend_(std::make_unique<Backend>()) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (LogTarget(config) == "journal") {
    sink = std::make_shared<spdlog::sinks::systemd_sink_mt>(kIdentifier);
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  }
  backend_->pool = std::make_shared<spdlog::details::thread_pool>(kLinesQueuedMax, 1);
  backend_->logger = std::make_shared<spdlog::async_logger>(
      kIdentifier, std::move(sink), backend_->pool, spdlog::async_overflow_policy::overrun_oldest);
  backend_->logger->set_error_handler([](const std::string&) {});  // a line after Close
  backend_->logger->set_level(spdlog::level::from_str(config.level));
  backend_->logger->flush_on(spdlog::level::debug);
}

Log::~Log() { Close(); }

LogSink Log::sink() {
  return [logger = backend_->logger](LogLevel level, std::string_view line) {
    logger->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
  };
}

void Log::SetLevel(const std::string& level) {
  backend_->logger->set_level(spdlog::level::from_str(level));
}

void Log::Close() {
  backend_->pool.reset();  // its destructor writes what is queued and joins the thread
}

}  // namespace edgemoe
