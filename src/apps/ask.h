/// A model that an application asks on behalf of a request: a served one, or a stand-in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "serve/service.h"

namespace suanli::apps {

/// What a model must know of the request that it is asked for.
struct OnBehalf {
  infer::WorkOptions work = {};
  std::string request_id = {};
};

OnBehalf on_behalf_of(const serve::Exchange& exchange);

using OnError = std::function<void(const serve::RequestError&)>;

/// Answers later, on any thread: exactly one of the two functions is called, once, and neither throws.
template <class In, class Out>
using Ask = std::function<void(const OnBehalf&, In, std::function<void(Out)>, const OnError&)>;

/// Answers the exchange with the error, in the plain form.
OnError error_to(const serve::ExchangePointer& exchange);

/// Asks the served model of that name; texts that are too long for it are cut.
void ask_served(const serve::Service& service, const std::string& name, const OnBehalf& behalf,
                std::vector<serve::Input> inputs,
                std::function<void(const serve::Answers&, const serve::ServedModel&)> then, const OnError& fail);

}  // namespace suanli::apps
