/// The verbs of the program: each parses its arguments, calls the library, prints, and returns the exit code.
#pragma once

#include <span>
#include <string>

namespace suanli::cli {

using Arguments = std::span<const std::string>;

int train(Arguments arguments);
int eval(Arguments arguments);
int predict(Arguments arguments);
int embed(Arguments arguments);
int tokenize(Arguments arguments);
int doctor(Arguments arguments);
int bench(Arguments arguments);
int data(Arguments arguments);
int generate(Arguments arguments);
int convert(Arguments arguments);
int report(Arguments arguments);
int serve(Arguments arguments);
int app(Arguments arguments);
int keys(Arguments arguments);
int audit(Arguments arguments);
int monitor(Arguments arguments);

}  // namespace suanli::cli
