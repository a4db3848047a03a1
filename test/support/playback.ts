/** Recorded calls as replies of the stub: what arrives is compared with what was recorded, then answered as recorded. */
import { decodeMessage } from '../../src/codec/schema.ts';
import { messageTypesOf, type RecordedCall } from './recording.ts';
import { messageDifference } from './same-message.ts';
import { type StubCall, type StubReply, type StubTiller, tillerVersion } from './stub-tiller.ts';

export interface PlaybackOptions {
  /** `false` where the request may differ from the recorded one; then the method alone must be the same. */
  compareRequests?: boolean;
}

/** A script of expected calls that a stub plays. One at a time: load it, send the request, ask for the faults. */
export class Playback {
  #expected: RecordedCall[] = [];
  #faults: string[] = [];
  #compareRequests = true;

  /** From now on the stub answers only what is loaded here. */
  constructor(stub: StubTiller) {
    stub.answer('*', call => this.#answer(call));
    stub.answer('GetVersion', call =>
      // The handshake of a new connection is nobody's step.
      this.#expected[0]?.method.endsWith('/GetVersion') ? this.#answer(call) : { responses: [tillerVersion] },
    );
  }

  /** The calls that must come next, in order. What was left of the script before is forgotten. */
  load(calls: readonly RecordedCall[], options: PlaybackOptions = {}): void {
    this.#expected = [...calls];
    this.#faults = [];
    this.#compareRequests = options.compareRequests ?? true;
  }

  /** What went wrong since `load`: calls that differ, that were not expected, or that did not come. */
  faults(): string[] {
    return [...this.#faults, ...this.#expected.map(call => `${call.method} was expected but did not come`)];
  }

  #answer(call: StubCall): StubReply {
    const expected = this.#expected.shift();
    const fault = this.#faultOf(call, expected);
    if (fault !== undefined) this.#faults.push(fault);
    if (!expected || expected.method !== call.path) return { status: 13, message: fault ?? '' };
    return {
      responses: expected.responses.map(response => Buffer.from(response, 'base64')),
      status: expected.status,
      message: expected.message,
    };
  }

  #faultOf(call: StubCall, expected: RecordedCall | undefined): string | undefined {
    const { request: type } = messageTypesOf(call.method);
    if (!expected)
      return `${call.method} was not expected: ${JSON.stringify(decodeMessage(type, call.request))}`;
    if (expected.method !== call.path) return `${call.path} came where ${expected.method} was expected`;
    if (!this.#compareRequests) return undefined;
    const difference = messageDifference(
      type,
      call.request,
      Buffer.from(expected.requests[0] ?? '', 'base64'),
    );
    return difference && `${call.method}: ${difference}`;
  }
}
