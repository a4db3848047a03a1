/** The Kubernetes that the sandbox plays, as its /version answers. */
export const kubernetesVersion = {
  major: '1',
  minor: '18',
  gitVersion: 'v1.18.20',
  gitCommit: '1f3e19b7beb1cc0110255668c4238ed63dadb7ad',
  gitTreeState: 'clean',
  buildDate: '2021-06-16T12:51:17Z',
  goVersion: 'go1.13.15',
  compiler: 'gc',
  platform: 'linux/amd64',
} as const;

/** The Tiller that the sandbox plays, as GetVersion answers. */
export const tillerVersion = {
  semVer: 'v2.17.0',
  gitCommit: 'a690bad98af45b015bd3da1a41f6218b1a451dbe',
  gitTreeState: 'clean',
} as const;
