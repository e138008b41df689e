#!/bin/sh
# Trouble on purpose with curl alone. ADMIN_URL, ADMIN_KEY_FILE, CA_FILE and PUSH_URL stand in endpoints.json;
# PROVIDER_TOKEN is a JWT, DEVICE_TOKEN what the app was given.
set -eu

admin() {
  curl -sS --fail-with-body --cacert "$CA_FILE" \
    -H "authorization: Bearer $(cat "$ADMIN_KEY_FILE")" -H 'content-type: application/json' "$@"
}
push() {
  curl -sS --http2 --cacert "$CA_FILE" -o /dev/null -w 'push: %{http_code}, retry-after %header{retry-after}\n' \
    -H "authorization: bearer $PROVIDER_TOKEN" -H "apns-topic: $TOPIC" -H 'apns-push-type: alert' \
    -d '{"aps":{"alert":"Hello"}}' "$PUSH_URL/3/device/$DEVICE_TOKEN"
}

admin -X PUT "$ADMIN_URL/v1/faults" -d '{
  "seed": 7,
  "rules": [
    { "id": "busy",
      "match": { "app": "com.example.app", "times": 2 },
      "fault": { "kind": "answer", "reason": "ServiceUnavailable", "retryAfter": 1 } }
  ]
}'
echo
push
push
push
admin "$ADMIN_URL/v1/faults/busy"
echo
admin -X DELETE "$ADMIN_URL/v1/faults"
