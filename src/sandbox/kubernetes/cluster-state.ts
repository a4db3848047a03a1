/** Where a program that stands for a Pod's container really listens. */
export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

export interface SandboxPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly createdAt: Date;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly ready: boolean;
  /** The container's ports, with their names, and where each really is. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly target: Target }[];
}

export interface SandboxService {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly createdAt: Date;
  readonly labels: Readonly<Record<string, string>>;
  /** Pods with these labels stand behind it. */
  readonly selector: Readonly<Record<string, string>>;
  /** `name` is also the name of the Pod's port that it leads to. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

/** What the sandbox cluster holds. */
export interface ClusterState {
  pods: SandboxPod[];
  services: SandboxService[];
}

/** The ready Pods behind a Service. */
export function podsBehind(state: ClusterState, service: SandboxService): SandboxPod[] {
  const wanted = Object.entries(service.selector);
  return state.pods.filter(
    pod =>
      pod.ready &&
      pod.namespace === service.namespace &&
      wanted.every(([key, value]) => pod.labels[key] === value),
  );
}
