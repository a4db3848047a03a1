export { type Storage, type StoredRevision, storageField } from './decode-record.ts';
export {
  createMatcher,
  type ListedRevision,
  type ListFilter,
  maxMessageBytes,
  selectReleases,
  writeReleases,
} from './list-releases.ts';
export type { ReadOptions } from './read-records.ts';
export { RecentWrites } from './recent-writes.ts';
export type { ChangeType, RecordChange } from './record-store.ts';
export type { RecordEvents, Records, RecordsReport } from './records.ts';
export { maxNameLength, notInNamespace, validateReleaseName } from './tiller-texts.ts';
export { type RecordsLog, type RecordsOptions, WatchedRecords } from './watched-records.ts';
