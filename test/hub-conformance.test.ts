/** The recorded steps of swift through a hub: by each upstream the answers are those of the cluster alone. */
import { after, before, describe, test } from 'node:test';
import { type ChartServer, startChartServer } from './support/chart-server.ts';
import { startTestGateway } from './support/gateway.ts';
import { createFolder, type HubStage, startCluster, startHub } from './support/hub-stage.ts';
import { Playback } from './support/playback.ts';
import { playStep, restSteps } from './support/rest-steps.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';

const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };

let stub: StubTiller;
let playback: Playback;
let hub: HubStage;
let chartServer: ChartServer;

before(async () => {
  stub = await startStubTiller();
  owner.after(() => stub.stop());
  playback = new Playback(stub);
  chartServer = await startChartServer();
  owner.after(() => chartServer[Symbol.asyncDispose]());
  const member = await startTestGateway(stub.address, { charts: { allowLoopback: true } });
  owner.after(() => member[Symbol.asyncDispose]());
  const cluster = await startCluster(owner, stub.port);
  cluster.setGateway({ host: '127.0.0.1', port: Number(new URL(member.url).port) });
  const folder = createFolder(owner);
  await cluster.writeKubeconfig(`${folder.folder}/kubeconfig`);
  hub = await startHub(
    owner,
    folder,
    `clusters:
  - {name: tunnel, upstream: tunnel, kubeconfig: kubeconfig}
  - {name: proxy, upstream: gateway, kubeconfig: kubeconfig}
  - {name: direct, upstream: direct, endpoint: "${stub.address}"}
`,
    ['--chart-allow-loopback'],
  );
  // the version that the hub asks for by itself on opening is nobody's step
  for (const name of ['tunnel', 'proxy', 'direct']) {
    await (await fetch(`${hub.url}/clusters/${name}/tiller/v2/version/json`)).arrayBuffer();
  }
  await (await fetch(`${hub.url}/clusters?check`)).arrayBuffer();
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

for (const name of ['tunnel', 'proxy', 'direct']) {
  describe(`of the cluster ${name}`, () => {
    for (const step of restSteps) {
      test(`${step.id}: ${step.http.request.method} ${step.http.request.path.slice(0, 80)}`, () =>
        playStep(step, { url: `${hub.url}/clusters/${name}`, stub, playback, chartServer }));
    }
  });
}
