/** Serves over HTTP how many consumers the group needs, for KEDA's metrics-api trigger and for Prometheus. */
import { ScaleBoard, Scaler, startScaleServer } from "@redis-batch/scaler";

const { env } = process;
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGINT", () => stop.abort());

const place = { stream: env["STREAM"] ?? "", group: env["GROUP"] ?? "" };
const board = new ScaleBoard(place);
const port = Number(env["PORT"] ?? 8080);
const server = await startScaleServer({ board, host: "0.0.0.0", port, token: env["SCALE_TOKEN"] ?? "" });
console.log(JSON.stringify({ type: "listening", port: server.port }));
const scaler = new Scaler({
  ...place,
  redis: env["REDIS_URL"] ?? "",
  minConsumers: Number(env["MIN_CONSUMERS"] ?? 0),
  maxConsumers: Number(env["MAX_CONSUMERS"] ?? 10),
  observer: (event) => console.log(JSON.stringify({ at: new Date().toISOString(), ...event })),
});
try {
  await scaler.run({ executor: board, signal: stop.signal });
} finally {
  await scaler.close();
  await server.close();
}
