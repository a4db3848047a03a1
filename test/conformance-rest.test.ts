/** The 137 recorded steps of swift, played against this gateway in front of a Tiller that plays the recording back. */
import { after, before, test } from 'node:test';
import { type ChartServer, startChartServer } from './support/chart-server.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { Playback } from './support/playback.ts';
import { playStep, restSteps } from './support/rest-steps.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';

let stub: StubTiller;
let playback: Playback;
let gateway: TestGateway;
let chartServer: ChartServer;

before(async () => {
  stub = await startStubTiller();
  playback = new Playback(stub);
  chartServer = await startChartServer();
  gateway = await startTestGateway(stub.address, { charts: { allowLoopback: true } });
});

after(async () => {
  await gateway[Symbol.asyncDispose]();
  await chartServer[Symbol.asyncDispose]();
  await stub.stop();
});

for (const step of restSteps) {
  test(`${step.id}: ${step.http.request.method} ${step.http.request.path.slice(0, 80)}`, () =>
    playStep(step, { url: gateway.url, stub, playback, chartServer }));
}
