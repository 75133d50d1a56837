// A central system on the Node package ocpp-rpc in strict mode, for test_csms_cost.py.
// `--there` only says, by its exit code, whether the package can be loaded.
let rpc;
try {
  rpc = require("ocpp-rpc");
} catch {
  process.exit(1);
}
if (process.argv.includes("--there")) process.exit(0);

const server = new rpc.RPCServer({ protocols: ["ocpp1.6"], strictMode: true, wssOptions: { perMessageDeflate: false } });
server.on("client", (client) => {
  const now = () => new Date().toISOString();
  client.handle("BootNotification", () => ({ status: "Accepted", currentTime: now(), interval: 300 }));
  client.handle("Heartbeat", () => ({ currentTime: now() }));
  client.handle("MeterValues", () => ({}));
});
server.listen(0, "127.0.0.1").then((http) => console.log(http.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
