-- Ids are two 64-bit numbers, too large for a Lua number: the longer part is the larger, equal lengths compare as text.
local function isPartGreater(left, right)
  if #left ~= #right then return #left > #right end
  return left > right
end

-- Whether one entry was added after another.
local function isAfter(left, right)
  local leftMs, leftSeq = left:match('(%d+)-(%d+)')
  local rightMs, rightSeq = right:match('(%d+)-(%d+)')
  if leftMs ~= rightMs then return isPartGreater(leftMs, rightMs) end
  return isPartGreater(leftSeq, rightSeq)
end
