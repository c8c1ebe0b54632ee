-- Which decisions make sense at this moment; Headgate judges each once more and answers on the RolloutDecision.
local status = obj.status or {}
local rollout = status.rollout
local underWay = rollout ~= nil
local held = underWay and rollout.paused ~= nil
local waits = status.reason == "PausedForATime" or status.reason == "PausedUntilDecision"

local promoted = 0
for _, entry in ipairs(status.history or {}) do
  if entry.outcome == "Promoted" then
    promoted = promoted + 1
  end
end

return {
  ["promote"] = { disabled = not (underWay and waits and not held) },
  ["promote-full"] = { disabled = not underWay or held },
  ["skip-step"] = { disabled = not underWay or held },
  ["pause"] = { disabled = not underWay or held },
  ["resume"] = { disabled = not held },
  ["abort"] = { disabled = not underWay },
  ["retry"] = { disabled = underWay or status.phase ~= "Aborted" },
  ["rollback"] = { disabled = promoted < 2 },
}
