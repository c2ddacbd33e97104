# A note is made and read, and one is asked for that is not there; prints all that it is told.
set -e
curl --silent --show-error --fail-with-body -H 'Content-Type: application/json' -d '{"text": "milk"}' "$1/notes"
for path in /notes/1 /notes/9 /notes/1; do
    curl --silent --show-error -w ' %{http_code}\n' "$1$path"
done
