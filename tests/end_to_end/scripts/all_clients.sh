# Runs each client against each service; what they print goes to files in the folder $1. The rest: name, then command.
set -e
out=$1; shift
for service in "$PLAIN" "$SECURE"; do
    scheme=${service%%:*}
    for client in requests httpx aiohttp; do
        "$PYTHON" "$SCRIPTS/with_$client.py" "$service" > "$out/$client-$scheme"
    done
    if command -v curl > /dev/null; then bash "$SCRIPTS/with_curl.sh" "$service" > "$out/curl-$scheme"; fi
done
if command -v node > /dev/null; then node "$SCRIPTS/with_node.js" "$SECURE" > "$out/node-https"; fi
