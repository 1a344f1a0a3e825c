-- Posts the JSON bodies of a file, one a line, in turn, and ends with one line of JSON.
-- wrk -s load.lua URL -- BODIES
local requests, at = {}, 0

function init(args)
  wrk.headers["Content-Type"] = "application/json"
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, nil, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"seconds": %.6f, "requests": %d, "bytes": %.0f, "refused": %d, "failed": %d, "p50": %.6f, "p99": %.6f}\n',
    summary.duration / 1e6, summary.requests, summary.bytes, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
