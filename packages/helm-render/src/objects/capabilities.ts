import { goFunction } from '../go/function.ts';
import { GoStruct, type GoValue, TypedMap } from '../go/value.ts';
import { kubernetesVersion, tillerVersion } from '../versions.ts';
import { apiVersions } from './kubernetes-apis.ts';
import { createMessage } from './message.ts';

const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

function createVersionSet(versions: readonly string[]): TypedMap {
  const present: GoValue = new GoStruct('struct {}');
  const has = goFunction(['string'], ([version]) => set.has(version as string), { result: 'bool' });
  const set: TypedMap = new TypedMap(
    'chartutil.VersionSet',
    'struct {}',
    versions.map(version => [version, present] as const),
    new Map([['Has', has]]),
  );
  return set;
}

function createKubeVersion(): GoStruct {
  const entries = Object.entries(kubernetesVersion);
  const text = () => kubernetesVersion.gitVersion;
  return new GoStruct('*version.Info', {
    fields: entries.map(([name, value]) => [upperFirst(name), { value }] as const),
    methods: [['String', goFunction([], text, { result: 'string' })]],
    text,
    json: () => new Map(entries),
  });
}

function createTillerVersion(): GoStruct {
  const { semVer, gitCommit, gitTreeState } = tillerVersion;
  return createMessage('*version.Version', [
    { name: 'SemVer', wireName: 'sem_ver', value: semVer, text: semVer },
    { name: 'GitCommit', wireName: 'git_commit', value: gitCommit, text: gitCommit },
    { name: 'GitTreeState', wireName: 'git_tree_state', value: gitTreeState, text: gitTreeState },
  ]);
}

/** `.Capabilities`: what Kubernetes and Tiller can do. */
export function createCapabilitiesObject(): GoStruct {
  return new GoStruct('*chartutil.Capabilities', {
    fields: [
      ['APIVersions', { value: createVersionSet(apiVersions()) }],
      ['KubeVersion', { value: createKubeVersion() }],
      ['TillerVersion', { value: createTillerVersion() }],
    ],
  });
}
