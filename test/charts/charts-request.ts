import type { ChartRequest } from '../../src/charts/index.ts';
import { jsonToWire, messageType } from '../../src/codec/index.ts';

/** What a request may say, its values as the JSON that they come as. */
export type Given = Partial<Omit<ChartRequest, 'valuesJson'>> & { readonly valuesJson?: object | undefined };

/** A request that names nothing but what is given. */
export function chartRequest({ valuesJson, ...given }: Given): ChartRequest {
  const struct = messageType('google.protobuf.Struct');
  return {
    chartUrl: '',
    verify: false,
    set: [],
    setString: [],
    ...(valuesJson && { valuesJson: jsonToWire(struct, Buffer.from(JSON.stringify(valuesJson))) }),
    ...given,
  };
}

/** A signal that nobody aborts. */
export const noSignal = new AbortController().signal;
