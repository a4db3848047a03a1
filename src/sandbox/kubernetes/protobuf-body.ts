import protobuf from 'protobufjs';

/*
 * Kubernetes' protobuf, of the few kinds that kubectl's `create` and `auth can-i` send so. Field numbers are those of
 * k8s.io/api and k8s.io/apimachinery; what these kinds have beyond is not kept by the sandbox.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding-idl
 */
const { root } = protobuf.parse(
  `syntax = "proto3";
  message Unknown { TypeMeta typeMeta = 1; bytes raw = 2; }
  message TypeMeta { string apiVersion = 1; string kind = 2; }
  message ObjectMeta {
    string name = 1; string generateName = 2; string namespace = 3; string uid = 5; string resourceVersion = 6;
    map<string, string> labels = 11; map<string, string> annotations = 12; repeated string finalizers = 14;
  }
  message ConfigMap {
    ObjectMeta metadata = 1; map<string, string> data = 2; map<string, bytes> binaryData = 3; optional bool immutable = 4;
  }
  message Secret {
    ObjectMeta metadata = 1; map<string, bytes> data = 2; string type = 3; map<string, string> stringData = 4;
    optional bool immutable = 5;
  }
  message Namespace { ObjectMeta metadata = 1; }
  message ServiceAccount { ObjectMeta metadata = 1; }
  message SelfSubjectAccessReview { ObjectMeta metadata = 1; SelfSubjectAccessReviewSpec spec = 2; }
  message SelfSubjectAccessReviewSpec {
    ResourceAttributes resourceAttributes = 1; NonResourceAttributes nonResourceAttributes = 2;
  }
  message ResourceAttributes {
    string namespace = 1; string verb = 2; string group = 3; string version = 4; string resource = 5;
    string subresource = 6; string name = 7;
  }
  message NonResourceAttributes { string path = 1; string verb = 2; }`,
  { keepCase: true },
);

const envelope = root.lookupType('Unknown');
const kinds = new Set([
  'v1 ConfigMap',
  'v1 Secret',
  'v1 Namespace',
  'v1 ServiceAccount',
  'authorization.k8s.io/v1 SelfSubjectAccessReview',
]);

/** How every body begins. */
const magic = Buffer.from('k8s\0');

/** Their keys and values are the user's: an empty value there is one. */
const maps = new Set(['labels', 'annotations', 'data', 'binaryData', 'stringData']);

/** The same object as JSON; undefined for what is no such body, or of another kind. */
export function protobufToJson(body: Buffer): Buffer | undefined {
  if (!body.subarray(0, magic.length).equals(magic)) return undefined;
  try {
    const { typeMeta, raw } = envelope.decode(body.subarray(magic.length)) as unknown as {
      typeMeta: { apiVersion: string; kind: string } | null;
      raw: Uint8Array;
    };
    const { apiVersion = '', kind = '' } = typeMeta ?? {};
    if (!kinds.has(`${apiVersion} ${kind}`)) return undefined;
    const type = root.lookupType(kind);
    const object = type.toObject(type.decode(raw), { bytes: String });
    return Buffer.from(JSON.stringify({ apiVersion, kind, ...withoutEmpty(object) }));
  } catch {
    return undefined;
  }
}

/** Go writes empty texts, which its JSON leaves out. */
function withoutEmpty(object: Readonly<Record<string, unknown>>): object {
  const kept = Object.entries(object).filter(([, value]) => value !== '');
  return Object.fromEntries(
    kept.map(([key, value]) => {
      const isMessage =
        typeof value === 'object' && value !== null && !Array.isArray(value) && !maps.has(key);
      return [key, isMessage ? withoutEmpty(value as Record<string, unknown>) : value];
    }),
  );
}
