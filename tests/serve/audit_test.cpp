// What administrators do stands in a file in which no change goes unseen.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/random.h"
#include "expect_error.h"
#include "serve/audit_log.h"
#include "serve/test_server.h"

namespace suanli::serve {
namespace {

std::filesystem::path new_file() {
  static int number = 0;
  const auto file = std::filesystem::temp_directory_path() /
                    ("suanli_audit_test_" + std::to_string(getpid()) + "_" + std::to_string(number++));
  std::filesystem::remove(file);
  return file;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

void write_lines(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  std::ofstream out(file, std::ios::binary);
  for (const std::string& line : lines) out << line << "\n";
}

std::filesystem::path log_of(int entries) {
  const auto file = new_file();
  AuditLog log(file);
  for (int i = 0; i < entries; ++i) {
    log.append({"key " + std::to_string(i % 3), "load", "model", std::to_string(200 + i), "id"});
  }
  return file;
}

TEST(Audit, EntriesHoldAndGoOnAfterAnotherStart) {
  const auto file = log_of(3);
  struct stat state = {};
  stat(file.c_str(), &state);
  EXPECT_EQ(state.st_mode & 0777, 0600U);
  { AuditLog(file).append({"signal", "end", "", "begun"}); }
  const AuditCheck check = check_audit_log(file);
  EXPECT_EQ(check.fault, "");
  EXPECT_EQ(check.entries, 4U);
  const Json last = parse_json(lines_of(file).back(), "line");
  EXPECT_EQ(last["hash"], check.last);
  EXPECT_EQ(last["number"], 4);
  EXPECT_EQ(last["actor"], "signal");
}

TEST(Audit, EveryEditDeletionAndExchangeIsFound) {
  const auto file = log_of(9);
  const std::vector<std::string> lines = lines_of(file);
  const std::string last = check_audit_log(file).last;
  const auto changed = new_file();
  RandomGenerator random({.seed = 7});
  for (int trial = 0; trial < 10'000; ++trial) {
    std::vector<std::string> other = lines;
    const size_t at = random.below(other.size());
    switch (trial % 4) {
      case 0:  // one bit; as a new line it splits an entry
        other[at][random.below(other[at].size())] ^= static_cast<char>(1 << random.below(7));
        break;
      case 1:
        other.erase(other.begin() + static_cast<int64_t>(at));
        break;
      case 2:
        std::swap(other[at], other[(at + 1 + random.below(other.size() - 1)) % other.size()]);
        break;
      default:  // all from there on is gone: the noted hash of the last entry finds it
        other.resize(at);
    }
    write_lines(changed, other);
    ASSERT_NE(check_audit_log(changed, last).fault, "") << "trial " << trial << " at line " << at + 1;
  }
  EXPECT_EQ(check_audit_log(file, last).fault, "");
}

TEST(Audit, AnEntryWrittenAnewWithItsHashBreaksTheNextOne) {
  const auto file = log_of(3), other = log_of(0);
  std::vector<std::string> lines = lines_of(file);
  {
    AuditLog forged(other);
    forged.append({"somebody else", "load", "model", "200", "id"});
  }
  lines[0] = lines_of(other)[0];
  write_lines(file, lines);
  EXPECT_EQ(check_audit_log(file).fault, "line 2 does not follow the line before it");
  EXPECT_EQ(
      error_of([&] { const AuditLog log(file); }),
      "[" + file.string() + "] line 2 does not follow the line before it; keep the file as it is and name another");
}

TEST(Audit, NoTextOfAClientMakesALineOfItsOwn) {
  const auto file = new_file();
  {
    AuditLog log(file);
    log.append({"a\n{\"number\":2}\n", "load\r\n", std::string("m\0\xff\xc3(", 5), "\"},{\"", "\u2028"});
    log.append({"b", "load", "m", "200"});
  }
  EXPECT_EQ(lines_of(file).size(), 2U);
  EXPECT_EQ(check_audit_log(file).fault, "");
}

TEST(Audit, AnEntryThatACrashCutIsTakenOffAndSaidSo) {
  const auto file = log_of(3);
  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, size - 20);
  EXPECT_TRUE(check_audit_log(file).torn);
  { const AuditLog log(file); }
  const AuditCheck check = check_audit_log(file);
  EXPECT_EQ(check.fault, "");
  EXPECT_EQ(check.entries, 3U);
  EXPECT_EQ(parse_json(lines_of(file).back(), "line")["action"], "cut off an entry without an end");
}

TEST(Audit, OneServerWritesALog) {
  const auto file = new_file();
  const AuditLog log(file);
  EXPECT_EQ(error_of([&] { const AuditLog other(file); }),
            "[" + file.string() + "] expected an audit log of this server alone; another process writes it");
}

TEST(Audit, WhatAdministratorsAskOfAServerIsWritten) {
  TestServerOptions options;
  options.server.audit_log = new_file();
  const auto keys = new_file();
  std::ofstream(keys) << hash_of_key("a") << " anna infer,admin\n" << hash_of_key("b") << " bert infer\n";
  options.server.keys_file = keys;
  {
    TestServer server(options);
    const std::string load = "/v2/repository/models/tiny/load";
    const auto code = [&](const char* path, const char* key, const std::string& more) {
      return Client(server.port())
          .request("POST", path, "{}", "Authorization: Bearer " + std::string(key) + "\r\n" + more)
          .status;
    };
    EXPECT_EQ(code(load.c_str(), "a", "X-Request-Id: first\r\n"), 200);
    EXPECT_EQ(code(load.c_str(), "b", ""), 403);
    EXPECT_EQ(code(load.c_str(), "stranger", ""), 401) << "strangers cannot fill the log";
    EXPECT_EQ(code("/v2/repository/models/none/load", "a", ""), 404);
    EXPECT_EQ(code("/embed", "a", ""), 422) << "no action of an administrator";
    EXPECT_EQ(server.stop(), 0);
  }
  EXPECT_EQ(check_audit_log(options.server.audit_log).fault, "");
  std::string story;
  for (const std::string& line : lines_of(options.server.audit_log)) {
    const Json entry = parse_json(line, "line");
    story += entry["actor"].get<std::string>() + ": " + entry["action"].get<std::string>() + " " +
             entry["model"].get<std::string>() + " " + entry["outcome"].get<std::string>() + "\n";
  }
  EXPECT_EQ(story,
            "server: start  serves\n"
            "anna: POST /v2/repository/models/tiny/load  asked\n"
            "anna: POST /v2/repository/models/tiny/load tiny 200\n"
            "bert: POST /v2/repository/models/tiny/load  403\n"
            "anna: POST /v2/repository/models/none/load  asked\n"
            "anna: POST /v2/repository/models/none/load  404\n"
            "server: end  0\n");
}

/// Runs `action` in a process of its own and gives what it returns.
int in_child(const std::function<int()>& action) {
  const pid_t child = fork();
  if (child == 0) _exit(action());
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

TEST(Audit, WhatCannotBeWrittenIsNotDone) {
  TestServerOptions options;
  options.server.audit_log = new_file();
  options.server.admin_socket = new_file();
  EXPECT_EQ(in_child([&] {
              TestServer server(options);
              const auto code = [&] {
                return Client(options.server.admin_socket).post("/v2/repository/models/tiny/load", "{}").status;
              };
              if (code() != 200) return 1;
              signal(SIGXFSZ, SIG_IGN);
              const auto size = std::filesystem::file_size(options.server.audit_log);
              const rlimit full = {size + 30, size + 30};
              setrlimit(RLIMIT_FSIZE, &full);
              if (code() != 503) return 2;
              if (server.models->index()[0].version != 2) return 3;
              return Client(server.port()).post("/embed", R"({"inputs":"w1"})").status == 200 ? 0 : 4;
            }),
            0);
  const AuditCheck check = check_audit_log(options.server.audit_log);
  EXPECT_EQ(check.fault, "") << "no half entry stays";
  EXPECT_EQ(check.entries, 3U) << "the start, asked and 200";
}

TEST(Audit, NothingButAFileOfItsOwnTakesEntries) {
  EXPECT_EQ(error_of([] { const AuditLog log("/dev/null"); }), "[/dev/null] expected a file for the audit log");
  EXPECT_EQ(error_of<EnvironmentError>([] { const AuditLog log("/nowhere/audit"); }),
            "[/nowhere/audit] the audit log cannot be opened: No such file or directory");
}

}  // namespace
}  // namespace suanli::serve
