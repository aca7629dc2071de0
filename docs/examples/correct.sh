#!/bin/sh
# Say what a product is: correct.sh EVENT_ID CODE
set -eu
curl --silent --show-error --fail-with-body "$AISLE_URL/api/v1/verdicts" \
  --header "Authorization: Bearer $AISLE_KEY" --header "Idempotency-Key: $1-$2" \
  --json "{\"verdicts\": [{\"event_id\": \"$1\", \"verdict\": \"corrected\", \"code\": \"$2\"}]}"
