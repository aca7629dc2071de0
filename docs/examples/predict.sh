#!/bin/sh
# Have a product classified: predict.sh TITLE [PHOTO]
set -eu
if [ $# -gt 1 ]; then
  curl --silent --show-error --fail-with-body "$AISLE_URL/api/v1/predictions/upload" \
    --header "Authorization: Bearer $AISLE_KEY" --form "title=$1" --form "image=@$2"
else
  # Sent again with the same key, the product is classified once.
  curl --silent --show-error --fail-with-body "$AISLE_URL/api/v1/predictions" \
    --header "Authorization: Bearer $AISLE_KEY" --header "Idempotency-Key: $(printf %s "$1" | cksum | tr ' ' -)" \
    --json "$(python3 -c 'import json, sys; print(json.dumps({"title": sys.argv[1]}))' "$1")"
fi
