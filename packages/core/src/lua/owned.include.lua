-- Which of the ids the consumer owns: a table from id to its delivery count. The ids are ascending.
local function ownedDeliveries(key, group, consumer, ids)
  local owned = {}
  if #ids == 0 then return owned end
  -- One page over the whole range is cheapest. A range with many other ids is read id by id.
  local limit = #ids * 2 + 16
  local page = redis.call('XPENDING', key, group, ids[1], ids[#ids], limit, consumer)
  if #page < limit then
    for _, item in ipairs(page) do owned[item[1]] = item[4] end
  else
    for _, id in ipairs(ids) do
      local item = redis.call('XPENDING', key, group, id, id, 1, consumer)[1]
      if item then owned[id] = item[4] end
    end
  end
  return owned
end
