-- What Argo CD shows for each phase. A pause is Suspended: Argo CD waits with it instead of calling it broken.
local health = {
  Pending = "Progressing",
  Progressing = "Progressing",
  Paused = "Suspended",
  Healthy = "Healthy",
  Degraded = "Degraded",
  Aborted = "Degraded",
  Deleting = "Progressing",
}

local status = obj.status
if status == nil or status.phase == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Headgate has not seen this version of the object yet" }
end
return { status = health[status.phase] or "Unknown", message = status.message }
