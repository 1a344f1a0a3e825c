#include "serve/grpc_call.h"

#include "base/error.h"
#include "base/log.h"
#include "serve/grpc_exchange.h"
#include "serve/grpc_status.h"
#include "serve/http_message.h"

namespace suanli::serve {

namespace {

using infer::Clock;

/// Takes the bytes over.
grpc::ByteBuffer buffer_of(std::string bytes) {
  auto* kept = new std::string(std::move(bytes));
  const grpc::Slice slice(
      kept->data(), kept->size(), [](void* text) { delete static_cast<std::string*>(text); }, kept);
  return {&slice, 1};
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  buffer.Dump(&slices);
  std::string out;
  out.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

Request head_of(const grpc::GenericServerContext& context) {
  Request head{.method = "POST", .path = context.method()};
  for (const auto& [name, text] : context.client_metadata()) {
    std::string& value = head.headers[std::string(name.data(), name.size())];
    if (!value.empty()) value += ", ";
    value.append(text.data(), text.size());
  }
  return head;
}

}  // namespace

GrpcCall::GrpcCall(const std::shared_ptr<GrpcFront>& front) : front_(front) {
  const auto set = [this](GrpcTag& tag, auto&& action) {
    tag.fire = [this, action](bool ok) {
      const auto self = shared_from_this();
      --in_queue_;
      action(ok);
      leave_if_done();
    };
  };
  set(came_, [this](bool ok) { came(ok); });
  set(read_, [this](bool ok) { message_came(ok); });
  set(done_, [this](bool) {
    gone_ = true;
    for (const auto& each : answers_) note_end_of_parts(*each);
    if (context_.IsCancelled()) cancel_answers();
  });
  set(written_, [this](bool ok) {
    sending_ = false;
    --front_->waiting;
    answers_.front()->parts.pop_front();
    if (ok) send_next();
  });
  set(finished_, [this](bool) {
    --front_->waiting;
    answers_.clear();
  });
}

/// Nothing begins once the queue has ended: it would not take the tag.
template <class Operation>
void GrpcCall::start(GrpcTag& tag, Operation operation) {
  const std::lock_guard lock(front_->post_mutex);
  if (front_->ended) return;
  ++in_queue_;
  operation(&tag);
}

void GrpcCall::leave_if_done() {
  if (in_queue_ == 0 && gone_) front_->calls.erase(shared_from_this());
}

void GrpcCall::wait_for_next(const std::shared_ptr<GrpcFront>& front) {
  const auto call = std::make_shared<GrpcCall>(front);
  front->calls.insert(call);
  call->start(call->done_, [&](void* tag) { call->context_.AsyncNotifyWhenDone(tag); });
  call->start(call->came_, [&](void* tag) {
    front->service.RequestCall(&call->context_, &call->stream_, front->queue.get(), front->queue.get(), tag);
  });
}

void GrpcCall::came(bool ok) {
  if (!ok) {  // the server ends; done_ does not come for a call that never was
    --in_queue_;
    gone_ = true;
    return;
  }
  wait_for_next(front_);
  begin();
}

/// Judges what was asked before any message is looked at.
void GrpcCall::begin() {
  head_ = head_of(context_);
  head_.arrival = Clock::now();
  head_.id = request_id(head_, front_->gate.next_id());
  context_.AddInitialMetadata("x-request-id", head_.id);
  const auto found = front_->methods.all.find(head_.path);
  if (found == front_->methods.all.end()) return refuse({Fault::method, "no such method"});
  method_ = &found->second;
  try {
    if (head_.headers.size() > front_->limits.header_count) {
      throw RequestError(Fault::long_head,
                         "expected at most " + std::to_string(front_->limits.header_count) + " headers");
    }
    head_.deadline = deadline_for(head_);
    front_->gate.admit(key_of(head_), method_->scope, head_);
  } catch (const RequestError& error) {
    return refuse(error);
  }
  read();
}

/// The first of ours, that of the request's headers and that of the call.
Clock::time_point GrpcCall::deadline_for(const Request& request) const {
  const auto deadline = deadline_of(request, front_->limits);
  if (context_.deadline() == std::chrono::system_clock::time_point::max()) return deadline;
  const auto left = context_.deadline() - std::chrono::system_clock::now();
  return std::min(deadline, request.arrival + std::chrono::duration_cast<Clock::duration>(left));
}

void GrpcCall::read() {
  if (gone_ || finishing_ || reading_ || no_more_) return;
  if (messages_ > 0 && !method_->many) return;
  if (answers_.size() >= front_->limits.requests_per_stream) return;
  reading_ = true;
  ++front_->waiting;
  read_end_ = method_->many ? Clock::now() + front_->limits.idle_time : head_.deadline;
  start(read_, [this](void* tag) { stream_.Read(&message_, tag); });
}

void GrpcCall::check_client(Clock::time_point now) {
  const bool silent = reading_ && answers_.empty() && now > read_end_;
  const bool stuck = (sending_ || finishing_) && now > send_end_;
  if (silent || stuck) context_.TryCancel();
}

void GrpcCall::message_came(bool ok) {
  reading_ = false;
  --front_->waiting;
  if (gone_ || finishing_) return;
  if (ok) {
    ++messages_;
    handle();
    return read();
  }
  no_more_ = true;
  if (!method_->many) return refuse({Fault::invalid, "expected a message"});
  send_next();
}

/// What came as a request of its own.
Request GrpcCall::next_request() {
  Request request = head_;
  request.body = bytes_of(message_);
  message_.Clear();
  if (method_->many) {
    request.id += "-" + std::to_string(messages_);
    request.arrival = Clock::now();
    request.deadline = deadline_for(request);
  }
  return request;
}

void GrpcCall::handle() {
  Request request = next_request();
  const auto own = answers_.emplace_back(std::make_shared<GrpcAnswer>());
  std::shared_ptr<void> place;
  try {
    if (messages_ > 1) front_->gate.admit(key_of(request), method_->scope, request);
    if (front_->gate.enter(method_->scope, request)) {
      place = {nullptr, [&gate = front_->gate](void*) { gate.leave(); }};
    }
  } catch (const RequestError& error) {
    const Response response = error_answer(grpc_error, error);
    count_refusal(request, response);
    return answer(*own, method_->as_sent(request, response), nullptr);
  }
  const auto exchange =
      std::make_shared<GrpcExchange>(front_, shared_from_this(), *method_, own, std::move(request), std::move(place));
  own->exchange = exchange;
  try {
    method_->handler(exchange);
  } catch (const RequestError& error) {
    exchange->answer(error_answer(grpc_error, error));
  } catch (const UserError& error) {
    exchange->answer(grpc_error(Fault::invalid, error.what()));
  } catch (const std::exception& error) {
    log_error("request " + exchange->request().id + ": " + error.what());
    exchange->answer(grpc_error(Fault::backend, "the server could not answer; request " + exchange->request().id));
  }
}

/// Ends the call without a handler.
void GrpcCall::refuse(const RequestError& error) {
  const Response response = error_answer(grpc_error, error);
  count_refusal(head_, response);
  finish(response);
}

void GrpcCall::count_refusal(const Request& request, const Response& response) {
  const std::chrono::duration<double> taken = Clock::now() - request.arrival;
  front_->metrics.request(method_ != nullptr ? request.path : "", "", response.status, taken.count());
}

void GrpcCall::answer(GrpcAnswer& own, Response response, std::shared_ptr<void> place) {
  if (gone_ || finishing_ || own.whole) return;
  if (place) own.place = std::move(place);
  if (response.status == 200) {
    own.parts.push_back(buffer_of(std::move(response.body)));
  } else {
    own.error = std::move(response);
  }
  end_parts(own);
}

void GrpcCall::begin_parts(GrpcAnswer& own, std::shared_ptr<void> place) {
  if (gone_ || finishing_ || own.whole) return;
  own.place = std::move(place);
  own.in_parts = true;
  ++front_->streams;
}

void GrpcCall::add_part(GrpcAnswer& own, std::string part) {
  if (gone_ || finishing_ || own.whole) return;
  own.parts.push_back(buffer_of(std::move(part)));
  send_next();
}

void GrpcCall::end_parts(GrpcAnswer& own) {
  note_end_of_parts(own);
  own.whole = true;
  send_next();
}

void GrpcCall::note_end_of_parts(GrpcAnswer& own) {
  if (std::exchange(own.in_parts, false)) --front_->streams;
}

void GrpcCall::end_stream() {
  if (method_ == nullptr) return;
  no_more_ = true;
  if (!method_->many && !answers_.empty() && answers_.front()->in_parts) return end_parts(*answers_.front());
  if (method_->many) send_next();
}

/// The next part of the first answer; after the last answer the end.
void GrpcCall::send_next() {
  if (gone_ || sending_ || finishing_) return;
  while (!answers_.empty() && answers_.front()->parts.empty()) {
    const GrpcAnswer& first = *answers_.front();
    if (!first.whole) return;
    if (first.error) return finish(*first.error);
    answers_.pop_front();
    if (!method_->many) return finish({});
  }
  if (answers_.empty()) {
    read_end_ = Clock::now() + front_->limits.idle_time;
    return no_more_ ? finish({}) : read();
  }
  const GrpcAnswer& first = *answers_.front();
  if (!method_->many && first.whole && !first.error && first.parts.size() == 1) {
    finishing_ = true;
    note_sending();
    start(finished_, [&](void* tag) { stream_.WriteAndFinish(first.parts.front(), {}, grpc::Status::OK, tag); });
    return;
  }
  sending_ = true;
  note_sending();
  start(written_, [&](void* tag) { stream_.Write(first.parts.front(), tag); });
  read();
}

void GrpcCall::finish(const Response& response) {
  if (gone_ || std::exchange(finishing_, true)) return;
  for (const auto& each : answers_) note_end_of_parts(*each);
  cancel_answers();
  if (const int64_t wait = retry_after(response); wait > 0) {  // the header by which gRPC's clients wait
    context_.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(1000 * wait));
  }
  note_sending();
  start(finished_, [&](void* tag) { stream_.Finish(status_of(response), tag); });
}

void GrpcCall::note_sending() {
  ++front_->waiting;
  send_end_ = Clock::now() + front_->limits.write_time;
}

/// Nobody waits for them any more.
void GrpcCall::cancel_answers() {
  for (const auto& each : answers_) {
    if (const auto exchange = each->exchange.lock()) exchange->cancel();
  }
}

}  // namespace suanli::serve
