-- A decision that was refused, or came too late, is of no use any more: it is shown as such until somebody removes it.
local health = {
  Applied = "Healthy",
  Refused = "Degraded",
  Expired = "Degraded",
}

local status = obj.status
if status == nil or status.phase == nil then
  return { status = "Progressing", message = "Headgate has not answered yet" }
end
return { status = health[status.phase] or "Unknown", message = status.message }
