-- The pause of the group as it was written, "" if there is none. One whose time is over is removed.
local function pauseOf(registry, now)
  local pause = redis.call('HGET', registry, 'rb:pause')
  if not pause then return '' end
  local readable, decoded = pcall(cjson.decode, pause)
  local ends = readable and type(decoded) == 'table' and tonumber(decoded['until']) or nil
  if not ends or ends > now then return pause end
  redis.call('HDEL', registry, 'rb:pause')
  return ''
end
