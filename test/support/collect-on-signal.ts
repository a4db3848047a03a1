/** Loaded into a gateway whose memory a test measures (`--import`, with `--expose-gc`): collects all garbage on a signal. */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
});
