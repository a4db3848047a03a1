import { choice, flag } from '../option.ts';

/** What the gateway tells about itself. */
export const observeOptions = {
  logLevel: choice(
    { flag: 'log-level', summary: 'The least important lines that are logged.', default: 'info' },
    ['error', 'warn', 'info', 'debug'],
  ),
  logFormat: choice(
    {
      flag: 'log-format',
      summary: 'One JSON object a line, or text for people.',
      defaultWords: 'text on a terminal, else json',
    },
    ['json', 'text'],
  ),
  accessLog: flag({
    flag: 'access-log',
    summary: 'Log a line for every request; without it only for those that failed on this side or behind it.',
    default: 'true',
  }),
  logRpc: flag({
    flag: 'log-rpc',
    summary: 'Log the messages of every call, shortened, with passwords, tokens, keys and values masked.',
  }),
};
