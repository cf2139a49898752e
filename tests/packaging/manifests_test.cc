// SPDX-License-Identifier: Apache-2.0
//
// packaging/kubernetes: the manifests among themselves and against the programs, and the proxy of a
// pod with its very configuration.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

const std::string kManifests = EDGEMOE_SOURCE_DIR "/packaging/kubernetes";
const std::string kChecker = EDGEMOE_SOURCE_DIR "/tests/packaging/check_manifests.py";
constexpr const char* kPython = "/usr/bin/python3";  // which Debian's modules belong to
constexpr const char* kNginx = "/usr/sbin/nginx";
constexpr int kNoYaml = 77;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t first = text.find(from);
  EXPECT_NE(first, std::string::npos) << from;
  for (std::size_t at = first; at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

class ManifestsTest : public testing::Test {
 protected:
  struct Outcome {
    std::optional<int> code;
    std::string output;
  };

  static Outcome Check(const std::string& folder) {
    ChildProcess check({kPython, kChecker, folder, EDGEMOE_PROGRAM, EDGEMOED_PROGRAM,
                        EDGEMOE_DOWNLOAD_PROGRAM,
                        EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf"});
    const auto code = check.Wait();
    return {code, check.output() + check.errors()};
  }

  // What the checker says of FILE with one text in place of another.
  std::string SaidOf(const std::string& file, const std::string& from, const std::string& to) {
    std::ofstream(folder_ / file) << Replaced(ReadText(kManifests + "/" + file), from, to);
    const Outcome outcome = Check(folder_.path());
    EXPECT_EQ(outcome.code, 1) << from << " -> " << to;
    std::filesystem::remove(folder_ / file);
    return outcome.output;
  }

  TempFolder folder_;
};

TEST_F(ManifestsTest, NamesCommandsAndMemoryAgree) {
  const Outcome outcome = Check(kManifests);
  if (outcome.code == kNoYaml) GTEST_SKIP() << outcome.output;
  EXPECT_EQ(outcome.code, 0) << outcome.output;
}

TEST_F(ManifestsTest, WhatDoesNotAgreeIsNamed) {
  if (Check(kManifests).code == kNoYaml) GTEST_SKIP() << "SKIPPED: there is no python3-yaml here";
  EXPECT_THAT(SaidOf("fleet.yaml", "memory: 4288Mi", "memory: 4096Mi"),
              HasSubstr("limits.memory is 4096 MiB, expected 4288 MiB"));
  EXPECT_THAT(SaidOf("fleet.yaml", "\"4GiB\"", "\"5GiB\""), HasSubstr("expected 5312 MiB"));
  EXPECT_THAT(SaidOf("fleet.yaml", "\"sessions_max\"", "\"session_max\""),
              HasSubstr("session_max"));
  EXPECT_THAT(SaidOf("fleet.yaml", "edgemoe, health, --alive", "edgemoe, healthy"),
              HasSubstr("exit code 64"));
  EXPECT_THAT(SaidOf("fleet.yaml", "targetPort: grpc", "targetPort: tls"),
              HasSubstr("targetPort tls"));
  EXPECT_THAT(SaidOf("fleet.yaml", "runAsUser: 101", "runAsUser: 65532"),
              HasSubstr("would administer the daemon"));
  EXPECT_THAT(SaidOf("node.yaml", "configMap: {name: edgemoe-node}", "configMap: {name: other}"),
              HasSubstr("there is no other"));
  EXPECT_THAT(SaidOf("node.yaml", "Seconds: 60", "Seconds: 30"), HasSubstr("than the drain takes"));
  EXPECT_THAT(SaidOf("application.yaml", "[65532]", "[10001]"), HasSubstr("not in the group"));
}

// The proxy of fleet.yaml between a daemon and clients with and without a certificate.
class PodProxyTest : public ManifestsTest {
 protected:
  void SetUp() override {
    for (const char* program : {kNginx, "/usr/bin/openssl"})
      if (::access(program, X_OK) != 0) GTEST_SKIP() << "SKIPPED: there is no " << program;
    ChildProcess print(
        {kPython, kChecker, "--print", kManifests + "/fleet.yaml", "edgemoe-proxy", "nginx.conf"});
    if (print.Wait() == kNoYaml) GTEST_SKIP() << print.errors();
    MakeCertificates();
    std::string text = Replaced(print.output(), "/tmp/", folder_ / "");
    text = Replaced(text, "/etc/edgemoe-tls", folder_.path());
    text = Replaced(text, "/run/edgemoe/edgemoed.sock", socket_);
    text = Replaced(text, "listen 8443 ssl", "listen unix:" + front_ + " ssl");
    if (::geteuid() == 0) text = "user root;\n" + text;
    std::ofstream(folder_ / "nginx.conf") << text;
    ASSERT_TRUE(daemon_.WaitReady()) << daemon_.log();
    proxy_.emplace(std::vector<std::string>{kNginx, "-p", folder_.path(), "-e", "stderr", "-c",
                                            folder_ / "nginx.conf", "-g", "daemon off;"});
    ASSERT_TRUE(WaitUntil([&] { return ::access(front_.c_str(), F_OK) == 0; })) << proxy_->errors();
  }

  void TearDown() override {
    if (!proxy_) return;
    proxy_->Signal(SIGTERM);
    EXPECT_EQ(proxy_->Wait(), 0) << proxy_->errors();
  }

  void OpenSsl(const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> command = {"/usr/bin/openssl",
                                        "req",
                                        "-x509",
                                        "-newkey",
                                        "ec",
                                        "-pkeyopt",
                                        "ec_paramgen_curve:prime256v1",
                                        "-nodes",
                                        "-days",
                                        "2",
                                        "-keyout",
                                        folder_ / (name + ".key"),
                                        "-out",
                                        folder_ / (name + ".crt")};
    command.insert(command.end(), more.begin(), more.end());
    ChildProcess openssl(command);
    ASSERT_EQ(openssl.Wait(), 0) << openssl.errors();
  }

  void MakeCertificates() {
    OpenSsl("ca", {"-subj", "/CN=authority"});
    const std::vector<std::string> by = {"-CA", folder_ / "ca.crt", "-CAkey", folder_ / "ca.key"};
    std::vector<std::string> of_server = by;
    of_server.insert(of_server.end(),
                     {"-subj", "/CN=edgemoe", "-addext", "subjectAltName=DNS:edgemoe"});
    OpenSsl("tls", of_server);
    std::vector<std::string> of_client = by;
    of_client.insert(of_client.end(), {"-subj", "/CN=application"});
    OpenSsl("client", of_client);
  }

  grpc::Status Ask(const grpc::SslCredentialsOptions& options) {
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("edgemoe");
    const auto stub = v1::InferenceService::NewStub(
        grpc::CreateCustomChannel("unix:" + front_, grpc::SslCredentials(options), arguments));
    grpc::ClientContext context;
    const auto reader = stub->Complete(&context, Greedy("Once", 4));
    for (v1::CompleteResponse message; reader->Read(&message);) text_ += message.chunk().text();
    return reader->Finish();
  }

  const std::string socket_ = folder_ / "d.sock";
  const std::string front_ = folder_ / "front.sock";
  DaemonProcess daemon_{socket_, {}};
  std::optional<ChildProcess> proxy_;
  std::string text_;
};

TEST_F(PodProxyTest, OnlyClientsWithACertificateReachTheDaemon) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadText(folder_ / "ca.crt");
  EXPECT_FALSE(Ask(options).ok());
  EXPECT_EQ(text_, "");
  options.pem_private_key = ReadText(folder_ / "client.key");
  options.pem_cert_chain = ReadText(folder_ / "client.crt");
  const grpc::Status status = Ask(options);
  EXPECT_TRUE(status.ok()) << status.error_code() << " " << status.error_message();
  EXPECT_NE(text_, "");

  EXPECT_EQ(daemon_.Stop(), 0) << daemon_.log();
  const grpc::Status gone = Ask(options);
  EXPECT_EQ(gone.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(gone.error_message(), HasSubstr("the daemon of this pod does not answer"));
}

}  // namespace
}  // namespace edgemoe
