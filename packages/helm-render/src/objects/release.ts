import { utf8ToBytes } from '../go/bytes.ts';
import { GoInteger, type GoMap, type GoStruct, type GoValue } from '../go/value.ts';
import { createMessage } from './message.ts';

/** What a rendering is told about its release. */
export interface ReleaseOptions {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly isInstall: boolean;
  readonly isUpgrade: boolean;
  readonly time: Date;
}

function createTimestamp(time: Date): GoStruct {
  const milliseconds = time.getTime();
  const seconds = Math.floor(milliseconds / 1000);
  const nanos = (milliseconds - seconds * 1000) * 1_000_000;
  return createMessage('*timestamp.Timestamp', [
    { name: 'Seconds', wireName: 'seconds', value: new GoInteger('int64', BigInt(seconds)), text: seconds },
    { name: 'Nanos', wireName: 'nanos', value: new GoInteger('int32', BigInt(nanos)), text: nanos },
  ]);
}

/** `.Release` */
export function createReleaseObject(options: ReleaseOptions): GoMap {
  return new Map<string, GoValue>([
    ['Name', utf8ToBytes(options.name)],
    ['Time', createTimestamp(options.time)],
    ['Namespace', utf8ToBytes(options.namespace)],
    ['IsUpgrade', options.isUpgrade],
    ['IsInstall', options.isInstall],
    ['Revision', BigInt(options.revision)],
    ['Service', 'Tiller'],
  ]);
}
