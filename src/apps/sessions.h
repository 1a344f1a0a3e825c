/// What a conversation has been about, so that a message may lean on the one before: bounded in number, length and age.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace suanli::apps {

struct SessionLimits {
  size_t sessions = 10'000;  ///< one more: the one that has been quiet longest ends
  int64_t turns = 50;        ///< messages of one session; the next one goes to a person
  double idle_seconds = 1800;
};

/// Nothing of what was said is kept: the label and the row of the answers that it led to.
struct SessionState {
  int64_t turns = 0;
  std::string intent = {};                ///< last one that was recognised; empty: none
  std::optional<size_t> answer_row = {};  ///< last one that was given
};

/// Any function from any thread.
class Sessions {
 public:
  /// `new_id` makes names of sessions that nobody can guess.
  Sessions(const SessionLimits& limits, std::function<std::string()> new_id);

  /// A new session of this client. `now` is in seconds and does not run back.
  std::string begin(const std::string& client, double now);
  /// Nothing where the session is unknown, another client's, or has been quiet for longer than idle_seconds. Counts a
  /// turn: the state that comes back has it in.
  std::optional<SessionState> turn(const std::string& id, const std::string& client, double now);
  /// What the last turn led to; a session that has ended meanwhile stays so.
  void remember(const std::string& id, const std::string& intent, std::optional<size_t> answer_row);
  size_t size() const;

 private:
  struct Entry {
    std::string id, client;
    double last = 0;
    SessionState state = {};
  };
  void drop_idle(double now);

  SessionLimits limits_;
  std::function<std::string()> new_id_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< the one used last in front
  std::unordered_map<std::string, std::list<Entry>::iterator> by_id_;
};

/// 128 random bits of the system in hexadecimal. Throws EnvironmentError where it has none.
std::string random_session_id();

}  // namespace suanli::apps
