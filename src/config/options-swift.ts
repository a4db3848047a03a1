import { flag, integer, type OptionGroup, type Spec, text } from './option.ts';

/** What both help and the warning say of a flag that changes nothing. */
function unused(name: string, reason: string, placeholder = ''): Spec & { compatibility: string } {
  return {
    flag: name,
    placeholder,
    // glog spells its flags with underscores, and swift's flag library takes both
    aliases: name.includes('_') ? [name.replaceAll('_', '-')] : [],
    summary: `No effect: ${reason}.`,
    compatibility: `no effect: ${reason}`,
  };
}

const toStandardOutput = 'logs go to standard output, by --log-level and --log-format';

/**
 * Flags of swift and of its logger (glog), with which its Deployments start it. Each is accepted with one warning that
 * says what it does here.
 */
export const swiftOptions = {
  verbosity: integer({
    flag: 'v',
    summary: "Swift's log verbosity: 4 or more is --log-level debug, less has no effect.",
    default: '0',
    compatibility: '4 or more is --log-level debug, less has no effect',
    range: [0, 1000],
  }),
  analytics: flag(unused('enable-analytics', 'this program has no analytics')),
  apiDomain: text(unused('api-domain', 'requests are not served by domain', 'DOMAIN')),
  logToStderr: flag(unused('logtostderr', toStandardOutput)),
  alsoLogToStderr: flag(unused('alsologtostderr', toStandardOutput)),
  stderrThreshold: text(unused('stderrthreshold', toStandardOutput, 'SEVERITY')),
  logDir: text(unused('log_dir', toStandardOutput, 'PATH')),
  logBacktraceAt: text(unused('log_backtrace_at', 'faults are always logged with their stack', 'FILE:LINE')),
  logFlushFrequency: text(unused('log-flush-frequency', 'every line is written at once', 'DURATION')),
  verbosityByModule: text(unused('vmodule', '--log-level is one for all modules', 'PATTERN=N')),
} satisfies OptionGroup;
