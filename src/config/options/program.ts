import { choice, flag, path } from '../option.ts';

/** What the command does instead of, or before, serving. */
export const programOptions = {
  help: flag({ flag: 'help', aliases: ['h'], summary: 'Print this text and exit.', flagOnly: true }),
  version: flag({ flag: 'version', summary: 'Print the version and exit.', flagOnly: true }),
  printConfig: flag({
    flag: 'print-config',
    summary:
      'Print the configuration that results from flags, environment and file, secrets masked, and exit.',
    flagOnly: true,
  }),
  healthCheck: choice(
    {
      flag: 'health-check',
      summary:
        'Ask the gateway that runs with the same configuration whether it is alive or ready, and exit with 0 or 1.',
      flagOnly: true,
    },
    ['live', 'ready'],
  ),
  config: path({
    flag: 'config',
    summary: 'A YAML file of options by their flag names; flags and environment win over it.',
  }),
};
