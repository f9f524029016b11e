-- Who serves whom, kept in Redis: one script, so that every step is whole. `registry.py` calls it and says what each
-- operation takes; the rules are those of signaling/placement.py. All keys share the hash tag {lacquer}, so that a
-- Redis Cluster keeps them together.
--
--   heard          sorted set   worker → when it was last heard of
--   open           sorted set   worker → load, of those that take sessions
--   room, room:R   sorted set   the same of those with a free slot; in region R
--   owners         hash         session → worker
--   totals         hash         free: slots over all workers · left_at: when the last worker went
--   worker:W       hash         id, run, capacity, used, region, status, silent_until, free
--   reserved:W     hash         session → "made accepted", a placement that the worker does not count itself yet
--   held:W         set          sessions that the worker owns
--   leader         string       the signaling process that does what only one shall do
--   rate:L:WHO     string       not touched here: what limits count, signaling/redis_counter.py
--
-- A worker is named by its URL. Times are milliseconds by the clock of the Redis server.
local heard, open, room, owners, totals = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local operation = ARGV[1]
local dead_after, reserved_for, silent_for = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function key(kind, name) return '{lacquer}:' .. kind .. ':' .. name end

-- Puts a worker where its load and state belong. Every change of either ends here, so the totals stay right.
local function settle(url)
  local it = redis.call('HMGET', key('worker', url), 'capacity', 'used', 'region', 'status', 'silent_until', 'free')
  if not it[1] then return end
  local load = it[2] + redis.call('HLEN', key('reserved', url))
  local takes = it[4] == 'ok' and it[5] == '0'
  local free = takes and math.max(0, it[1] - load) or 0
  if takes then redis.call('ZADD', open, load, url) else redis.call('ZREM', open, url) end
  for _, set in ipairs({room, it[3] ~= '' and key('room', it[3]) or nil}) do
    if free > 0 then redis.call('ZADD', set, load, url) else redis.call('ZREM', set, url) end
  end
  if free ~= tonumber(it[6]) then
    redis.call('HINCRBY', totals, 'free', free - it[6])
    redis.call('HSET', key('worker', url), 'free', free)
  end
end

local function disown(session)
  local url = redis.call('HGET', owners, session)
  if not url then return end
  redis.call('HDEL', owners, session)
  redis.call('SREM', key('held', url), session)
  if redis.call('HDEL', key('reserved', url), session) == 1 then settle(url) end
end

local function own(session, url)
  redis.call('HSET', owners, session, url)
  redis.call('SADD', key('held', url), session)
end

-- Forgets a worker and that it owned anything.
local function bury(url)
  local it = redis.call('HMGET', key('worker', url), 'region', 'free')
  for _, session in ipairs(redis.call('SMEMBERS', key('held', url))) do redis.call('HDEL', owners, session) end
  if it[1] then
    if it[1] ~= '' then redis.call('ZREM', key('room', it[1]), url) end
    redis.call('HINCRBY', totals, 'free', 0 - it[2])
  end
  for _, set in ipairs({heard, open, room}) do redis.call('ZREM', set, url) end
  redis.call('DEL', key('worker', url), key('reserved', url), key('held', url))
  redis.call('HSET', totals, 'left_at', now)
end

-- A few at a time, so that no call takes long after a data centre is gone; the next call goes on.
local function bury_dead()
  for _, url in ipairs(redis.call('ZRANGEBYSCORE', heard, '-inf', now - dead_after, 'LIMIT', 0, 20)) do bury(url) end
end

-- The first of a sorted set that is not to be avoided.
local function first(set, avoid)
  for _, url in ipairs(redis.call('ZRANGE', set, 0, avoid.count)) do
    if not avoid[url] then return url end
  end
end

local operations = {}

-- url, id, run, capacity, used, region, status, sampled_at, session… → now
-- `sampled_at` is when the worker counted, in our time or before it; the sessions are those with a connection.
function operations.heartbeat(url, id, run, capacity, used, region, status, sampled_at, ...)
  local before = redis.call('HMGET', key('worker', url), 'run', 'region', 'silent_until')
  if before[1] and (before[1] ~= run or before[2] ~= region) then
    bury(url) -- another process at the same address
    before[3] = nil
  end
  local silent_until = before[3] and tonumber(before[3]) > now and before[3] or '0'
  redis.call('HSET', key('worker', url), 'id', id, 'run', run, 'capacity', capacity, 'used', used, 'region', region,
    'status', status, 'silent_until', silent_until)
  redis.call('HSETNX', key('worker', url), 'free', 0)
  redis.call('ZADD', heard, now, url)
  local held = {...}
  if #held > 0 then
    redis.call('HDEL', key('reserved', url), unpack(held)) -- they are in `used`
    for i, owner in ipairs(redis.call('HMGET', owners, unpack(held))) do
      if not owner then own(held[i], url) end
    end
  end
  local reserved = redis.call('HGETALL', key('reserved', url))
  for i = 1, #reserved, 2 do
    local made, accepted = string.match(reserved[i + 1], '(%d+) (%d*)')
    local counted = accepted ~= '' and tonumber(accepted) <= tonumber(sampled_at)
    if counted or now - made >= reserved_for then redis.call('HDEL', key('reserved', url), reserved[i]) end
  end
  settle(url)
  return now
end

-- url, run: the worker goes.
function operations.leave(url, run)
  if redis.call('HGET', key('worker', url), 'run') == run then bury(url) end
end

-- url, status: what a worker was told; its next heartbeat says the same.
function operations.status(url, status)
  if redis.call('EXISTS', key('worker', url)) == 0 then return end
  redis.call('HSET', key('worker', url), 'status', status)
  settle(url)
end

-- url: somebody called and nobody was there. It is avoided until it is heard of again, but not at once: a worker that
-- signaling cannot reach may still reach Redis.
function operations.silent(url)
  if redis.call('EXISTS', key('worker', url)) == 0 then return end
  redis.call('HSET', key('worker', url), 'silent_until', now + silent_for)
  redis.call('HSET', totals, 'left_at', now)
  settle(url)
end

-- session, region, avoided… → 'ok', worker  |  'full'  |  'none', milliseconds since the last worker went or -1
function operations.place(session, region, ...)
  local avoid, url = {count = select('#', ...)}, nil
  for _, avoided in ipairs({...}) do avoid[avoided] = true end
  local owner = redis.call('HGET', owners, session)
  if owner and not avoid[owner] and redis.call('ZSCORE', open, owner) then
    url = owner
  else
    url = region ~= '' and first(key('room', region), avoid) or first(room, avoid)
  end
  if not url then
    local left_at = redis.call('HGET', totals, 'left_at')
    return {first(open, avoid) and 'full' or 'none', left_at and now - left_at or -1}
  end
  disown(session)
  own(session, url)
  -- An owner without a free slot most likely holds this session's slot already (a client that reconnects).
  if redis.call('ZSCORE', room, url) then
    redis.call('HSET', key('reserved', url), session, now .. ' ')
    settle(url)
  end
  return {'ok', url}
end

-- session: its worker took it in, and counts it from now on.
function operations.accepted(session)
  local url = redis.call('HGET', owners, session)
  local made = url and redis.call('HGET', key('reserved', url), session)
  if made then
    redis.call('HSET', key('reserved', url), session, string.match(made, '%d+') .. ' ' .. now)
  end
end

-- session, worker or '': compare-and-set where a worker is named.
function operations.release(session, url)
  if url == '' or redis.call('HGET', owners, session) == url then disown(session) end
end

-- session, url → 1 where the worker owns the session now
function operations.claim(session, url)
  if redis.call('EXISTS', key('worker', url)) == 0 then return 0 end
  local owner = redis.call('HGET', owners, session)
  if not owner then own(session, url) end
  return (not owner or owner == url) and 1 or 0
end

-- session → worker or ''
function operations.owner(session)
  local url = redis.call('HGET', owners, session)
  return url and redis.call('HGET', key('worker', url), 'silent_until') == '0' and url or ''
end

-- → the least loaded that takes sessions, or ''
function operations.any()
  return redis.call('ZRANGE', open, 0, 0)[1] or ''
end

-- → slots
function operations.free()
  return tonumber(redis.call('HGET', totals, 'free') or 0)
end

-- → JSON: [[url, id, region, live, status, capacity, load], …]
function operations.view()
  local all = {}
  for _, url in ipairs(redis.call('ZRANGE', heard, 0, -1)) do
    local it = redis.call('HMGET', key('worker', url), 'id', 'region', 'silent_until', 'status', 'capacity', 'used')
    local load = it[6] + redis.call('HLEN', key('reserved', url))
    all[#all + 1] = {url, it[1], it[2], it[3] == '0', it[4], tonumber(it[5]), load}
  end
  return #all == 0 and '[]' or cjson.encode(all)
end

-- name, milliseconds → 1 where this process does what only one shall do, for so long
function operations.lead(name, lasts)
  local leader = redis.call('GET', '{lacquer}:leader')
  if leader and leader ~= name then return 0 end
  redis.call('SET', '{lacquer}:leader', name, 'PX', lasts)
  return 1
end

bury_dead()
return operations[operation](unpack(ARGV, 5))
