// A note is made and read, and one is asked for that is not there; prints all that it is told. Node's https knows no
// proxy by itself: this agent is what https-proxy-agent does, in little.
const http = require("node:http"), https = require("node:https"), tls = require("node:tls");

class ThroughProxy extends https.Agent {
  createConnection(options, connected) {
    const proxy = new URL(process.env.HTTPS_PROXY);
    const target = `${options.host}:${options.port}`;
    http.request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: target, headers: { host: target } })
      .on("connect", (answer, socket) => {
        if (answer.statusCode !== 200) return connected(new Error(`CONNECT: ${answer.statusCode}`));
        connected(null, tls.connect({ ...options, socket, servername: options.host }));
      })
      .on("error", connected)
      .end();
  }
}

const service = process.argv[2], agent = new ThroughProxy({ keepAlive: true });
const ask = (method, path, content) => new Promise((done, failed) => {
  const body = content && JSON.stringify(content);
  const headers = body ? { "content-type": "application/json", "content-length": Buffer.byteLength(body) } : {};
  https.request(service + path, { method, agent, headers }, (answer) => {
    let text = "";
    answer.on("data", (data) => (text += data)).on("end", () => done(`${answer.statusCode} ${text}`));
  }).on("error", failed).end(body);
});

(async () => {
  console.log(await ask("POST", "/notes", { text: "milk" }));
  for (const path of ["/notes/1", "/notes/9", "/notes/1"]) console.log(await ask("GET", path));
  agent.destroy();
})();
