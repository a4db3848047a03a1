import { type ExecFileException, execFile, spawnSync } from 'node:child_process';

/** Another kubectl can be named by the environment, to try the tests with several versions. */
export const kubectlProgram = process.env.KUBECTL ?? 'kubectl';

/** Why tests with the real kubectl cannot run here, or false. */
export const withoutKubectl =
  spawnSync(kubectlProgram, ['version', '--client']).status === 0
    ? false
    : 'kubectl is not installed (Debian: apt-get install kubernetes-client)';

/** Why kustomize's components cannot be tried here, or false: kubectl knows them since 1.21. */
export const withoutComponents = withoutKubectl || (minorVersion() < 21 && 'kubectl is older than 1.21');

function minorVersion(): number {
  const { stdout } = spawnSync(kubectlProgram, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  return Number.parseInt(JSON.parse(stdout).clientVersion.minor, 10);
}

/** Runs kubectl and gives what it printed. @throws with its error text where it fails or takes longer than 60 s */
export function kubectl(args: readonly string[], kubeconfig = '/dev/null'): Promise<string> {
  // it ends before it would have to collect garbage
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: '/nonexistent', GOGC: 'off' };
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string) => {
      if (error) reject(new Error(`kubectl ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(stdout);
    };
    execFile(kubectlProgram, args, { env, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 }, done);
  });
}
