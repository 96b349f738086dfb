"""What a Redis server does in one step, in its own language and by its own clock.

A window is a hash: slot of time -> units spent in it. A slot is a fixed part of the window's length, and its units count until a
window's length after its end: never too short. Units of work under way stand in the slot in which their lease ends, and are
moved to the present when the work ends; those of a process that died age from there.
"""

from __future__ import annotations

CLOCK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function slots_of(key, per, grain)
  local flat, used, slots = redis.call('HGETALL', key), 0, {}
  for i = 1, #flat, 2 do
    local slot, units = tonumber(flat[i]), tonumber(flat[i + 1])
    if (slot + 1) * grain + per <= now then
      redis.call('HDEL', key, flat[i])
    else
      used = used + units
      slots[#slots + 1] = {slot, units}
    end
  end
  return used, slots
end

local function spend(key, at, units, per, grain)
  if units > 0 then
    redis.call('HINCRBY', key, string.format('%.0f', math.floor(at / grain)), units)
    local life = math.ceil((at - now + per + 2 * grain) / 1000)
    if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
  end
end
"""

TAKE = (
    CLOCK
    + """
-- ARGV: ticket, later, lease, poll, grace, then for each budget: weight, windows, and for each window: rate, per, grain, owed
-- KEYS: for each budget: pause of its pool, its own pause, its line, the line's living, then its windows. Times are microseconds.
-- Answers: microseconds to wait (0: taken), the end of the lease, then for each budget: units left, microseconds of pause.
local ticket, later, lease, poll, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local wait, answer, budgets, key, arg, score = 0, {0, now + lease}, {}, 1, 6, nil

local function free_in(slots, excess, per, grain)
  table.sort(slots, function(one, other) return one[1] < other[1] end)
  for _, slot in ipairs(slots) do
    excess = excess - slot[2]
    if excess <= 0 then
      local delay = (slot[1] + 1) * grain + per - now
      return slot[1] * grain > now and math.min(delay, poll) or delay
    end
  end
  return per
end

local function others_first(line, living)
  while true do
    local head = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')
    if not head[1] or head[1] == ticket then return false end
    local till = redis.call('HGET', living, head[1])
    if till and tonumber(till) > now then return tonumber(head[2]) <= score end
    redis.call('ZREM', line, head[1])
    redis.call('HDEL', living, head[1])
  end
end

while key <= #KEYS do
  local budget = {line = KEYS[key + 2], living = KEYS[key + 3], weight = tonumber(ARGV[arg]), windows = {}}
  local pause = math.max(redis.call('PTTL', KEYS[key]), redis.call('PTTL', KEYS[key + 1]), 0) * 1000
  local left = math.huge
  wait = math.max(wait, pause)
  score = score or tonumber(redis.call('ZSCORE', budget.line, ticket) or now + later)
  local windows = tonumber(ARGV[arg + 1])
  key, arg = key + 4, arg + 2
  for i = 1, windows do
    local rate, per, grain = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
    spend(KEYS[key], now, tonumber(ARGV[arg + 3]), per, grain)
    local used, slots = slots_of(KEYS[key], per, grain)
    local excess = used + budget.weight - rate
    if excess > 0 then wait = math.max(wait, free_in(slots, excess, per, grain)) end
    left = math.min(left, rate - used)
    budget.windows[i] = {KEYS[key], per, grain}
    key, arg = key + 1, arg + 4
  end
  budgets[#budgets + 1] = budget
  answer[#answer + 1] = left == math.huge and 0 or left
  answer[#answer + 1] = pause
end

for _, budget in ipairs(budgets) do
  if others_first(budget.line, budget.living) then wait = math.max(wait, poll) end
end

for i, budget in ipairs(budgets) do
  if wait == 0 then
    for _, window in ipairs(budget.windows) do spend(window[1], now + lease, budget.weight, window[2], window[3]) end
    answer[2 * i + 1] = answer[2 * i + 1] - budget.weight
    if ticket ~= '' then
      redis.call('ZREM', budget.line, ticket)
      redis.call('HDEL', budget.living, ticket)
    end
  elseif ticket ~= '' then
    redis.call('ZADD', budget.line, 'NX', score, ticket)
    redis.call('HSET', budget.living, ticket, string.format('%.0f', now + wait + grace))
    for _, each in ipairs({budget.line, budget.living}) do redis.call('PEXPIRE', each, math.ceil((wait + 2 * grace) / 1000)) end
  end
end
answer[1] = math.ceil(wait)
return answer
"""
)

SPEND = (
    CLOCK
    + """
-- KEYS: windows. ARGV: the end of a lease or 0, then for each window: units, per, grain. What was leased is no longer.
local lease = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  local units, per, grain = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local slot = string.format('%.0f', math.floor(lease / grain))
  local leased = lease > 0 and redis.call('HGET', key, slot)
  if leased and tonumber(leased) > units then
    redis.call('HINCRBY', key, slot, -units)
  elseif leased then
    redis.call('HDEL', key, slot)
  end
  spend(key, now, units, per, grain)
end
"""
)

CORRECT = (
    CLOCK
    + """
-- KEYS: a window. ARGV: units used of it, per, grain.
local per, grain = tonumber(ARGV[2]), tonumber(ARGV[3])
spend(KEYS[1], now, tonumber(ARGV[1]) - slots_of(KEYS[1], per, grain), per, grain)
"""
)

PAUSE = """
-- KEYS: a pause. ARGV: milliseconds. Never shortens one.
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) end
"""

LEAVE = """
-- KEYS: lines and their living, in turn. ARGV: ticket.
for i = 1, #KEYS, 2 do
  redis.call('ZREM', KEYS[i], ARGV[1])
  redis.call('HDEL', KEYS[i + 1], ARGV[1])
end
"""
