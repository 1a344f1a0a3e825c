/// The applications of `suanli app NAME`: each parses its arguments, serves or evaluates, and returns the exit code.
#pragma once

#include "cli/verbs.h"

namespace suanli::cli {

int customer_service(Arguments arguments);
int sentiment_watch(Arguments arguments);
int recommendation(Arguments arguments);

}  // namespace suanli::cli
