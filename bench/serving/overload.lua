-- Posts at a rate, whatever is answered, and tells the times of 200s and 429s apart: one line of JSON.
-- wrk -t N -c N -s overload.lua URL -- BODIES SECONDS_BETWEEN_REQUESTS_OF_A_CONNECTION
-- A thread has one connection, so that an answer belongs to the request before it. While an answer is awaited the
-- connection sends nothing; times that passed meanwhile are skipped.
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long seconds, nanoseconds; } moment; int clock_gettime(int clock, moment *out); ]]
local moment = ffi.new("moment")
local threads = {}
local requests, at, period, due, sent = {}, 0, 0, 0, 0
taken, refused, other = {}, {}, 0 -- done() reads these of each thread: seconds of 200s and 429s, count of the rest

local function now()
  ffi.C.clock_gettime(1, moment) -- CLOCK_MONOTONIC
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) * 1e-9
end

function setup(thread)
  threads[#threads + 1] = thread
  thread:set("number", #threads)
end

function init(args)
  wrk.headers["Content-Type"] = "application/json"
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, nil, body)
  end
  at, period = number, tonumber(args[2])
  due = now() + period * (number * 0.618 % 1) -- threads spread over the first period
end

function delay()
  local wait = due - now()
  if wait < 0 then
    due, wait = due - wait, 0
  end
  due = due + period
  return math.floor(wait * 1000 + 0.5)
end

function request()
  at = at % #requests + 1
  sent = now()
  return requests[at]
end

function response(status)
  local list = status == 200 and taken or status == 429 and refused
  if list then
    list[#list + 1] = now() - sent
  else
    other = other + 1
  end
end

local function gathered(name)
  local all = {}
  for _, thread in ipairs(threads) do
    for _, value in ipairs(thread:get(name)) do
      all[#all + 1] = value
    end
  end
  table.sort(all)
  return all
end

local function summary_of(name)
  local all = gathered(name)
  local quantile = function(q) return all[math.max(1, math.ceil(q * #all))] or 0 end
  return string.format('"%s": {"count": %d, "p50": %.6f, "p99": %.6f}', name, #all, quantile(0.5), quantile(0.99))
end

function done(summary)
  local e, others = summary.errors, 0
  for _, thread in ipairs(threads) do
    others = others + thread:get("other")
  end
  io.write(string.format('{"seconds": %.6f, %s, %s, "other": %d, "failed": %d}\n', summary.duration / 1e6,
    summary_of("taken"), summary_of("refused"), others, e.connect + e.read + e.write + e.timeout))
end
