/// `suanli bench session`: times work on request, so that slices of several programs can take turns.
#pragma once

namespace suanli::cli {

/// Reads one JSON object a line from standard input and answers each with one on standard output:
///   {"do": "info"}                                 versions, threads, instruction set
///   {"do": "probe", "seconds": s}                  operations per second: {"f32", "bf16", "int8"}
///   {"do": "open", "kind": ..., ...}               see open_work(); the work before is closed
///   {"do": "answers"}                              of the open work, after one run
///   {"do": "run", "first": i, "count": n}          {"seconds": [n numbers], "peak_bytes": of the process}
/// A mistake is answered by {"error": text} and the session goes on. Returns 0 at the end of the input.
int bench_session();

}  // namespace suanli::cli
