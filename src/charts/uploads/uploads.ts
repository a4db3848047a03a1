import { basename } from 'node:path/posix';
import { Code, GatewayError, type Holder, invalidArgument, limitExceeded } from '../../protocol/index.ts';
import { compareUtf8 } from '../../yaml/index.ts';
import { type ArchiveLimits, archiveLimits } from '../archive/unpack.ts';
import type { ChartOptions } from '../chart/chart-options.ts';
import { SharedTasks } from '../download/tasks.ts';
import { IndexPacker, type ParsedEntry } from '../repository/packed-index.ts';
import { uploadsName } from '../repository/repository.ts';
import { findChart, RepositoryIndex } from '../repository/repository-index.ts';
import { compareVersions, parseVersion } from '../requirements/version-constraint.ts';
import { type Inspected, inspectInThread } from './inspect-upload.ts';
import { type Files, type StoredFile, type TemporaryFile, UploadFolder } from './upload-folder.ts';

/** A chart that was uploaded. Its `digest` and `created` are the file's. */
export interface Upload extends ParsedEntry {
  /** `NAME-VERSION.tgz` */
  readonly fileName: string;
  readonly bytes: number;
  readonly uploadedMs: number;
}

export interface ReceiveOptions {
  /** Ends the work; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Counts what waits in memory to be written. */
  readonly hold?: Holder | undefined;
}

export interface KeepOptions {
  /** Replaces the upload with this name and version, if there is one. */
  readonly force: boolean;
  /** What the client calls the file; only compared with what is in it. */
  readonly fileName?: string | undefined;
}

type UploadOptions = ArchiveLimits &
  Pick<ChartOptions, 'maxBytes' | 'maxUploadBytes' | 'maxUploads' | 'uploadDir'>;

/** Uploads that arrive at once may take as much disk as so many of the largest allowed, beside what is kept. */
const maxArriving = 8;

/** Charts that clients have uploaded, kept in a folder that gateways may share. */
export class Uploads {
  readonly name = uploadsName;
  readonly #options: UploadOptions;
  readonly #folder: UploadFolder | undefined;
  /** What was read of files, by name; undefined for one that is no upload. */
  readonly #known = new Map<string, { readonly identity: string; readonly upload: Upload | undefined }>();
  readonly #inspecting = new SharedTasks<Upload | undefined>();
  #arrivingBytes = 0;
  /** Settles when the upload before has been kept: they look at the bounds one by one. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: UploadOptions, files?: Files) {
    this.#options = options;
    this.#folder = options.uploadDir === undefined ? undefined : new UploadFolder(options.uploadDir, files);
  }

  /** Whether there is a folder for them. */
  get isEnabled(): boolean {
    return this.#folder !== undefined;
  }

  /**
   * All uploads, by name, newest version first.
   * @throws GatewayError UNIMPLEMENTED without a folder; UNAVAILABLE when it cannot be read; the signal's reason
   */
  async list(signal: AbortSignal): Promise<Upload[]> {
    const uploads = await this.#read(signal);
    const newestFirst = (a: Upload, b: Upload) => compareVersions(b.parsedVersion, a.parsedVersion);
    return uploads.sort((a, b) => compareUtf8(a.name, b.name) || newestFirst(a, b));
  }

  /** The same as the index of a repository. */
  async index(signal: AbortSignal): Promise<RepositoryIndex> {
    return toIndex(await this.#read(signal));
  }

  async #read(signal: AbortSignal): Promise<Upload[]> {
    const { packed } = await this.#require().content();
    const names = new Set(packed.map(({ fileName }) => fileName));
    for (const fileName of this.#known.keys()) if (!names.has(fileName)) this.#known.delete(fileName);
    const uploads: Upload[] = [];
    // one by one: the threads are for others too
    for (const file of packed) {
      const upload = await this.#inspectKnown(file, signal);
      if (upload) uploads.push(upload);
    }
    return uploads;
  }

  /**
   * An upload and its bytes: the very version, or the newest in a range.
   * @throws GatewayError INVALID_ARGUMENT when there is none, or the range cannot be read
   */
  async read(name: string, range: string, signal: AbortSignal): Promise<{ upload: Upload; content: Buffer }> {
    const folder = this.#require();
    // what was listed may be replaced before it is opened
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const uploads = await this.#read(signal);
      const { version } = findChart(toIndex(uploads), name, range);
      const upload = uploads.find(one => one.name === name && one.version === version)!;
      const identity = this.#known.get(upload.fileName)?.identity;
      const content = identity && (await folder.read(upload.fileName, identity));
      if (content) return { upload, content };
    }
    throw new GatewayError(Code.ABORTED, 'the upload is replaced again and again: try again later');
  }

  /**
   * Writes an archive to the folder as it arrives. Whoever calls has to keep or to discard what comes of it.
   * @throws GatewayError RESOURCE_EXHAUSTED with reason BODY_TOO_LARGE, or UPLOADS_FULL when the disk is; UNAVAILABLE with
   * reason OVERLOADED when too much arrives at once; the signal's reason; what the source throws
   */
  async receive(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: ReceiveOptions,
  ): Promise<ReceivedUpload> {
    const { signal, hold } = options;
    const temporary = await this.#require().create();
    try {
      for await (const chunk of source) {
        signal.throwIfAborted();
        hold?.body(chunk.length);
        this.#admit(temporary.bytes, chunk.length);
        await temporary.write(chunk);
        hold?.sent(chunk.length);
      }
      const digest = await temporary.finish();
      return {
        bytes: temporary.bytes,
        keep: given => this.#keep(temporary, digest, given, options),
        discard: () => this.#discard(temporary),
      };
    } catch (error) {
      await this.#discard(temporary);
      throw error;
    }
  }

  /** The same with an archive that is in memory, and keeps it. */
  async add(archive: Uint8Array, options: ReceiveOptions & KeepOptions): Promise<KeptUpload> {
    const { signal } = options; // the caller counts the bytes
    const received = await this.receive([archive], { signal });
    return received.keep(options);
  }

  /** @throws GatewayError NOT_FOUND when there is no such upload */
  async remove(name: string, version: string, signal: AbortSignal): Promise<Upload> {
    const uploads = await this.list(signal);
    const upload = uploads.find(one => one.name === name && one.version === version);
    if (upload && (await this.#require().remove(upload.fileName))) {
      this.#known.delete(upload.fileName);
      return upload;
    }
    const shown = JSON.stringify(`${name} ${version}`.slice(0, 200));
    throw new GatewayError(Code.NOT_FOUND, `no upload ${shown}`, { reason: 'CHART_NOT_FOUND' });
  }

  #require(): UploadFolder {
    if (this.#folder) return this.#folder;
    const message = 'this gateway keeps no uploads: it was started without --chart-upload-dir';
    throw new GatewayError(Code.UNIMPLEMENTED, message);
  }

  #admit(bytes: number, more: number): void {
    const { maxBytes } = this.#options;
    if (bytes + more > maxBytes) {
      const message = `the chart is larger than ${maxBytes} bytes (--chart-max-bytes)`;
      throw limitExceeded(message, { reason: 'BODY_TOO_LARGE' });
    }
    if (this.#arrivingBytes + more > maxArriving * maxBytes) {
      const message = 'too many uploads arrive at once: try again later';
      throw new GatewayError(Code.UNAVAILABLE, message, { reason: 'OVERLOADED' });
    }
    this.#arrivingBytes += more;
  }

  async #discard(temporary: TemporaryFile): Promise<void> {
    this.#arrivingBytes -= temporary.bytes;
    temporary.bytes = 0;
    await temporary.discard();
  }

  async #keep(
    temporary: TemporaryFile,
    digest: string,
    { force, fileName: given }: KeepOptions,
    { signal, hold }: ReceiveOptions,
  ): Promise<KeptUpload> {
    try {
      const job = { what: 'the chart', bytes: temporary.bytes, signal, hold };
      const inspected = await inspectInThread(job, temporary.path, this.#limits);
      if (inspected.digest !== digest) throw new Error('an upload changed while it was checked');
      const fileName = `${inspected.name}-${inspected.version}.tgz`;
      checkFileName(given, fileName, inspected);
      signal.throwIfAborted();
      const kept = this.#turn.then(() => this.#place(temporary, fileName, inspected, force, signal));
      this.#turn = kept.catch(() => {});
      return await kept;
    } finally {
      await this.#discard(temporary);
    }
  }

  /** Nothing of what is awaited here ends by a client, but for the looks at files that are new to this process. */
  async #place(
    temporary: TemporaryFile,
    fileName: string,
    inspected: Inspected,
    force: boolean,
    signal: AbortSignal,
  ): Promise<KeptUpload> {
    const folder = this.#require();
    await temporary.ready();
    const { packed, ready } = await folder.content();
    const present = packed.find(file => file.fileName === fileName);
    const known = present && (await this.#inspectKnown(present, signal));
    if (present && !force) throw alreadyThere(inspected, known);
    if (known && known.name !== inspected.name) throw nameTaken(inspected, known);
    this.#checkBounds([...packed.filter(file => file !== present), ...ready]);
    const file = await folder.keep(temporary, fileName, force).catch((error: unknown) => {
      throw error instanceof GatewayError && error.code === Code.ALREADY_EXISTS
        ? alreadyThere(inspected, undefined)
        : error;
    });
    const upload = toUpload(inspected, file);
    this.#known.set(fileName, { identity: file.identity, upload });
    return { upload, replaced: present !== undefined };
  }

  /** @param files all that there will be */
  #checkBounds(files: readonly StoredFile[]): void {
    const { maxUploads, maxUploadBytes } = this.#options;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const passed =
      files.length > maxUploads
        ? `${maxUploads} uploads (--chart-max-uploads)`
        : bytes > maxUploadBytes && `${maxUploadBytes} bytes of uploads (--chart-max-upload-bytes)`;
    if (!passed) return;
    const message = `there is no room for the chart beside the others: the gateway keeps at most ${passed}`;
    throw limitExceeded(message, { reason: 'UPLOADS_FULL' });
  }

  get #limits() {
    return { maxBytes: this.#options.maxBytes, ...archiveLimits(this.#options) };
  }

  /** What a file of the folder is; undefined for one that was not put there as an upload is. */
  async #inspectKnown(file: StoredFile, signal: AbortSignal): Promise<Upload | undefined> {
    const known = this.#known.get(file.fileName);
    if (known?.identity === file.identity) return known.upload;
    // after a start every list wants all of them
    const key = `${file.fileName} ${file.identity}`;
    const upload = await this.#inspecting.run(key, signal, shared => this.#inspect(file, shared));
    this.#known.set(file.fileName, { identity: file.identity, upload });
    return upload;
  }

  async #inspect(file: StoredFile, signal: AbortSignal): Promise<Upload | undefined> {
    try {
      const job = { what: 'the upload', bytes: file.bytes, signal };
      const inspected = await inspectInThread(job, this.#require().pathOf(file.fileName), this.#limits);
      const { name, version } = inspected;
      return `${name}-${version}.tgz` === file.fileName ? toUpload(inspected, file) : undefined;
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : undefined;
      // a chart that is none, or takes more than it may, is not here for this gateway
      if (code === Code.INVALID_ARGUMENT || code === Code.RESOURCE_EXHAUSTED) return undefined;
      throw error;
    }
  }
}

const maxAttempts = 3;

/** An archive that has arrived and is not kept yet. */
export interface ReceivedUpload {
  readonly bytes: number;
  /**
   * Checks the archive as a chart and keeps it, for good once this returns. It is discarded where that fails.
   * @throws GatewayError INVALID_ARGUMENT when it is no chart that can be installed, or the file's name is another chart's;
   * ALREADY_EXISTS; RESOURCE_EXHAUSTED with reason UPLOADS_FULL past the bounds
   */
  keep(options: KeepOptions): Promise<KeptUpload>;
  discard(): Promise<void>;
}

export interface KeptUpload {
  readonly upload: Upload;
  /** Whether it took the place of another one. */
  readonly replaced: boolean;
}

function toUpload(inspected: Inspected, { fileName, bytes, modifiedMs }: StoredFile): Upload {
  const { name, version } = inspected;
  const parsedVersion = parseVersion(version);
  if (!parsedVersion) throw new Error('an upload without a version');
  return {
    ...inspected,
    parsedVersion,
    created: new Date(modifiedMs).toISOString(),
    urls: [`${uploadsName}/${name}/${version}`],
    fileName,
    bytes,
    uploadedMs: modifiedMs,
  };
}

function toIndex(uploads: readonly Upload[]): RepositoryIndex {
  const packer = new IndexPacker(uploadsName);
  for (const [name, versions] of Map.groupBy(uploads, upload => upload.name)) packer.add(name, versions);
  return new RepositoryIndex(packer.finish());
}

/**
 * A client's name for the file is refused only where it misleads: where it reads as a chart's name and version, and the
 * archive is of another one.
 */
function checkFileName(given: string | undefined, fileName: string, { name, version }: Inspected): void {
  const last = basename((given ?? '').replaceAll('\\', '/'));
  if (last === fileName || !/.-v?\d+\.\d+\.\d+.*\.t(?:ar\.)?gz$/i.test(last)) return;
  throw invalidArgument(
    `the file is called ${JSON.stringify(last.slice(0, 200))}, but its Chart.yaml says ${name} ${version}`,
  );
}

function alreadyThere({ name, version, digest }: Inspected, known: Upload | undefined): GatewayError {
  const what =
    known === undefined
      ? `the folder of uploads has a file ${name}-${version}.tgz already`
      : `${known.name} ${known.version} was uploaded already, ${known.digest === digest ? 'the same' : 'with other'} bytes`;
  return new GatewayError(Code.ALREADY_EXISTS, `${what}; force replaces it`, { reason: 'CHART_EXISTS' });
}

function nameTaken({ name, version }: Inspected, known: Upload): GatewayError {
  const message = `${name}-${version}.tgz is the file of the chart ${known.name} ${known.version}, which was uploaded before`;
  return new GatewayError(Code.ALREADY_EXISTS, message, { reason: 'CHART_EXISTS' });
}
