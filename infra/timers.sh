#!/usr/bin/env bash
# Waits until the app's timers run: the check after a deployment. Function poll_waiting runs every minute; its telemetry takes some
# minutes to arrive, and the deployer reads it as any Reader of the resource group may.
#
#   infra/timers.sh RESOURCE_GROUP [SINCE]     # SINCE: a time as 2026-11-29T12:00:00Z; default now
#
# On Flex Consumption, timers have been reported to stay frozen after a deployment while everything else works
# (azure-functions-host #11828). So the app is restarted once on the way.
set -euo pipefail

readonly GROUP=${1:?usage: infra/timers.sh RESOURCE_GROUP [SINCE]} SINCE=${2:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}
# Looks before and after the restart, and the seconds between them.
readonly LOOKS=${LOOKS:-20} PAUSE=${PAUSE:-30}
readonly INSIGHTS=https://api.applicationinsights.io

"$(dirname "$0")/hooks/need_az.sh"
component=$(az resource list --resource-group "$GROUP" --resource-type Microsoft.Insights/components --query '[0].id' --output tsv)
app=$(az functionapp list --resource-group "$GROUP" --query '[0].name' --output tsv)
[[ -n $component && -n $app ]] || { echo "$GROUP has no function app with Application Insights. Deploy infra/main.bicep first" >&2; exit 1; }
key=$(az resource show --ids "$component" --query properties.AppId --output tsv)
readonly QUERY="requests | where timestamp > datetime($SINCE) and name == 'poll_waiting' and tobool(success) | summarize runs = count()"

# The runs of poll_waiting that ended well since then.
runs() {
  az rest --method post --url "$INSIGHTS/v1/apps/$key/query" --resource "$INSIGHTS" --headers Content-Type=application/json \
    --body "{\"query\": \"$QUERY\"}" --query 'tables[0].rows[0][0]' --output tsv
}

# Whether there was one, within LOOKS looks.
seen() {
  local count
  for _ in $(seq "$LOOKS"); do
    count=$(runs) || exit
    if [[ $count -gt 0 ]]; then
      echo "poll_waiting has run $count times since $SINCE"
      exit 0
    fi
    sleep "$PAUSE"
  done
}

echo "waiting for poll_waiting of $app to run"
seen
echo "poll_waiting has not run in $((LOOKS * PAUSE / 60)) minutes; restarting $app" >&2
az functionapp restart --resource-group "$GROUP" --name "$app" --output none
seen
cat >&2 <<HELP
poll_waiting of $app does not run. No waiting peering continues.

1. If the app does not start, its log names the setting: table traces of ${component##*/}.
2. If it starts, its timers are frozen. Delete the function app and deploy again. All state is in the storage account, and stays:
     az functionapp delete --resource-group $GROUP --name $app
3. If they are still frozen, open a support request with Azure.
HELP
exit 1
