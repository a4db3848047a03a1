import { flag, integer, type OptionGroup, text } from './option.ts';

const logFlag = 'logs go to standard output; --log-level and --log-format set what they hold';

/**
 * Flags of swift and of its logger (glog), with which its Deployments start it. Each is accepted with one warning that
 * says what it does here.
 */
export const swiftOptions = {
  verbosity: integer(
    {
      flag: 'v',
      summary: "Swift's log verbosity: 4 or more is --log-level debug, less has no effect.",
      default: '0',
      compatibility: '4 or more is --log-level debug, less has no effect',
    },
    { min: 0, max: 1000 },
  ),
  analytics: flag({
    flag: 'enable-analytics',
    summary: 'No effect: this program has no analytics.',
    compatibility: 'no effect, since this program has no analytics',
  }),
  apiDomain: text({
    flag: 'api-domain',
    summary: 'No effect: requests are not served by domain.',
    placeholder: 'DOMAIN',
    compatibility: 'no effect, since requests are not served by domain',
  }),
  logToStderr: flag({
    flag: 'logtostderr',
    summary: 'No effect: logs go to standard output.',
    compatibility: logFlag,
  }),
  alsoLogToStderr: flag({
    flag: 'alsologtostderr',
    summary: 'No effect: logs go to standard output.',
    compatibility: logFlag,
  }),
  stderrThreshold: text({
    flag: 'stderrthreshold',
    summary: 'No effect: logs go to standard output.',
    placeholder: 'SEVERITY',
    compatibility: logFlag,
  }),
  logDir: text({
    flag: 'log_dir',
    aliases: ['log-dir'],
    summary: 'No effect: logs go to standard output, never to files.',
    placeholder: 'PATH',
    compatibility: logFlag,
  }),
  logBacktraceAt: text({
    flag: 'log_backtrace_at',
    aliases: ['log-backtrace-at'],
    summary: 'No effect: faults are always logged with their stack.',
    placeholder: 'FILE:LINE',
    compatibility: 'no effect, since faults are always logged with their stack',
  }),
  logFlushFrequency: text({
    flag: 'log-flush-frequency',
    summary: 'No effect: every line is written at once.',
    placeholder: 'DURATION',
    compatibility: 'no effect, since every line is written at once',
  }),
  verbosityByModule: text({
    flag: 'vmodule',
    summary: 'No effect: --log-level is one for all modules.',
    placeholder: 'PATTERN=N',
    compatibility: 'no effect, since --log-level is one for all modules',
  }),
} satisfies OptionGroup;
