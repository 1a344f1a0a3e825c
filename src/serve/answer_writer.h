/// Sends the answers of a connection, whole or in parts, each write within a time of its own.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/write.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

#include "serve/http_message.h"

namespace suanli::serve {

/// Belongs to the network thread. `Stream`: of Beast. One answer at a time.
template <class Stream>
class AnswerWriter {
 public:
  /// Called when an answer has been sent, or cannot be. It keeps the writer alive.
  using Done = std::function<void(bool sent)>;

  AnswerWriter(Stream& stream, std::chrono::steady_clock::duration write_time)
      : stream_(stream), write_time_(write_time) {}

  void send(Message message, Done done) {
    whole_ = std::move(message);
    boost::beast::get_lowest_layer(stream_).expires_after(write_time_);
    boost::beast::http::async_write(stream_, *whole_, [this, done = std::move(done)](auto error, size_t) {
      whole_.reset();
      done(!error);
    });
  }

  /// An answer in parts: its head, then add() and end(). `chunked`: else the end of the connection is its end.
  void begin(Message head, bool chunked, Done done) {
    head.erase(boost::beast::http::field::content_length);
    if (chunked) head.chunked(true);
    std::ostringstream text;
    text << head.base();
    chunked_ = chunked;
    ended_ = false;
    done_ = std::move(done);
    put(text.str());
  }
  void add(std::string part) {
    if (part.empty() || ended_) return;
    if (chunked_) {
      std::ostringstream size;
      size << std::hex << part.size();
      part = size.str() + "\r\n" + part + "\r\n";
    }
    put(std::move(part));
  }
  void end() {
    if (std::exchange(ended_, true)) return;
    if (chunked_) return put("0\r\n\r\n");
    if (!writing_) write_next();
  }
  /// Sends nothing more, and calls nobody.
  void break_off() {
    ended_ = true;
    done_ = nullptr;
  }
  /// False between begin() and end().
  bool ended() const { return ended_; }

 private:
  void put(std::string bytes) {
    parts_.push_back(std::move(bytes));
    if (!writing_) write_next();
  }
  void write_next() {
    if (parts_.empty()) {
      if (ended_ && done_) std::exchange(done_, nullptr)(true);
      return;
    }
    writing_ = true;
    boost::beast::get_lowest_layer(stream_).expires_after(write_time_);
    boost::asio::async_write(stream_, boost::asio::buffer(parts_.front()), [this, kept = done_](auto error, size_t) {
      writing_ = false;
      parts_.pop_front();
      if (!error) return write_next();
      parts_.clear();
      if (done_) std::exchange(done_, nullptr)(false);
    });
  }

  Stream& stream_;
  std::chrono::steady_clock::duration write_time_;
  std::optional<Message> whole_;
  std::deque<std::string> parts_;  ///< as they go over the wire; the first is being written
  bool writing_ = false, chunked_ = false, ended_ = true;
  Done done_;
};

}  // namespace suanli::serve
