/** A kubeconfig as it stands in the file. Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export interface KubeconfigDocument {
  readonly clusters?: readonly { readonly name: string; readonly cluster?: KubeconfigCluster }[];
  readonly users?: readonly { readonly name: string; readonly user?: KubeconfigUser }[];
  readonly contexts?: readonly { readonly name: string; readonly context?: KubeconfigContext }[];
  readonly 'current-context'?: string;
}

export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-uid'?: string;
  readonly exec?: ExecEntry;
  readonly 'auth-provider'?: object;
}

/** A program that prints an `ExecCredential`. Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ */
export interface ExecEntry {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly apiVersion?: string;
  readonly provideClusterInfo?: boolean;
}

export interface KubeconfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}

/** One context with what it names. */
export interface SelectedContext {
  readonly name: string;
  readonly cluster: KubeconfigCluster & { readonly server: string };
  readonly user: KubeconfigUser;
}
