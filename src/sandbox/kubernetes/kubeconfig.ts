import { rename, writeFile } from 'node:fs/promises';

export interface KubeconfigContent {
  readonly url: string;
  readonly caPem: string;
  readonly token: string;
}

const name = 'tiller-gateway-sandbox';

/** A kubeconfig for the sandbox; JSON is YAML too, and kubectl reads it. */
export function kubeconfigText({ url, caPem, token }: KubeconfigContent): string {
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'kube-system' } }],
    clusters: [
      { name, cluster: { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Writes it for its owner only, and whole or not at all: a reader never sees half of it. */
export async function writeKubeconfigFile(file: string, content: KubeconfigContent): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, kubeconfigText(content), { mode: 0o600 });
  await rename(temporary, file);
}
