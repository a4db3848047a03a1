import type { TillerClientOptions } from '../backends/tiller/index.ts';
import type { Logger } from '../observe/index.ts';

/** What is known of the connection to Tiller: tells the log, and remembers what hinders it for `/readyz`. */
export interface TillerReach
  extends Required<Pick<TillerClientOptions, 'onOpened' | 'onLost' | 'onAttemptFailed'>> {
  /** Why there is no connection, if there is none and an attempt has failed. */
  readonly hindrance: () => string | undefined;
}

/** While Tiller is away it is tried every few seconds: the log has a line when the reason changes. */
export function createTillerReach(log: Logger): TillerReach {
  let hindrance: string | undefined;
  return {
    hindrance: () => hindrance,
    onOpened({ target, version }) {
      hindrance = undefined;
      log.info(`connected to Tiller ${version}`, { target });
    },
    onLost: (target, reason) => log.warn('the connection to Tiller was lost', { target, reason }),
    onAttemptFailed(error) {
      const level = error.message === hindrance ? 'debug' : 'warn';
      hindrance = error.message;
      log[level]('Tiller cannot be reached', { error });
    },
  };
}
