import { Code } from '../../protocol/index.ts';

/*
 * Tiller gives every failure status 2 (UNKNOWN) and a text. This is the one place that reads those texts; the patterns
 * are measured on a running 2.17.0 and anchored as far as the texts allow.
 */

const name = '"?[^"\\s]+"?';

/** The first pattern that matches decides, so what may hold another text (a release's failure) comes with its prefix. */
const patterns: readonly (readonly [RegExp, Code])[] = [
  [
    /^(?:getting deployed release "[^"]*": |getting release '[^']*' \(v\d+\): )?release: "[^"]*" not found$/,
    Code.NOT_FOUND,
  ],
  [/^"[^"]*" has no deployed releases$/, Code.NOT_FOUND],
  [/^no revision for release "[^"]*"$/, Code.NOT_FOUND],
  [/^a release named \S+ already exists\./, Code.ALREADY_EXISTS],
  [/^release: "[^"]*" already exists$/, Code.ALREADY_EXISTS],
  [/^a released? named \S+ is in use, cannot re-use a name that is still in use$/, Code.ALREADY_EXISTS],
  [/^the release named "[^"]*" is already deleted$/, Code.ALREADY_EXISTS],
  [/another operation \(install\/upgrade\/rollback\) is in progress/, Code.ABORTED],
  [/^release name "[^"]*" exceeds max length of \d+$/, Code.INVALID_ARGUMENT],
  [/^invalid release name, must match regex /, Code.INVALID_ARGUMENT],
  [/^invalid release revision$/, Code.INVALID_ARGUMENT],
  [/^no (?:chart|release) provided$/, Code.INVALID_ARGUMENT],
  [/^render(?:ing template failed: | error in "[^"]*": )/, Code.INVALID_ARGUMENT],
  [/^parse error in "[^"]*": /, Code.INVALID_ARGUMENT],
  [/^YAML parse error on \S+: /, Code.INVALID_ARGUMENT],
  [/^error converting YAML to JSON: /, Code.INVALID_ARGUMENT],
  [/^validation failed: /, Code.INVALID_ARGUMENT],
  [/^unable to recognize .*: no matches for kind /s, Code.INVALID_ARGUMENT],
  [/^offset "[^"]*" not found$/, Code.INVALID_ARGUMENT],
  [/^no items after "[^"]*"$/, Code.INVALID_ARGUMENT],
  [/^error parsing regexp: /, Code.INVALID_ARGUMENT],
  [/^Chart incompatible with Tiller /, Code.FAILED_PRECONDITION],
  [/^Chart requires kubernetesVersion: /, Code.FAILED_PRECONDITION],
  [/^incompatible versions client\[.*\] server\[.*\]$/, Code.FAILED_PRECONDITION],
  [new RegExp(`^release ${name} failed: .* is forbidden: `, 's'), Code.PERMISSION_DENIED],
  [new RegExp(`^release ${name} failed: (?:.* )?already exists$`, 's'), Code.ALREADY_EXISTS],
  [new RegExp(`^release ${name} failed: timed out waiting for the condition$`), Code.DEADLINE_EXCEEDED],
  [new RegExp(`^release ${name} failed: .* is invalid: `, 's'), Code.INVALID_ARGUMENT],
  [new RegExp(`^release ${name} failed: no objects visited$`), Code.INVALID_ARGUMENT],
  [
    new RegExp(`^release ${name} failed: unable to recognize .*: no matches for kind `, 's'),
    Code.INVALID_ARGUMENT,
  ],
];

/** How much of a text is looked at: a render error can carry a whole manifest behind its first words. */
const maxLookedAt = 4096;

/**
 * The code that says what Tiller's text means.
 * @param code the status that came with it; any other than UNKNOWN is Tiller's or the connection's own and stays
 */
export function translateTillerCode(code: Code, message: string): Code {
  if (code !== Code.UNKNOWN) return code;
  const text = message.slice(0, maxLookedAt);
  return patterns.find(([pattern]) => pattern.test(text))?.[1] ?? Code.UNKNOWN;
}
