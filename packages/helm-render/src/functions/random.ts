/** Sprig's random text. https://masterminds.github.io/sprig/strings.html#randalphanum-randalpha-randnumeric-and-randascii */
import { randomInt, randomUUID } from 'node:crypto';
import type { Functions } from '../go/function.ts';
import { goFunction } from '../go/function.ts';

const digits = '0123456789';
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');

/** Text of `count` characters; a negative count gives none, as Sprig swallows the error. */
function randomFunction(alphabet: string) {
  return goFunction(
    ['int'],
    ([count], context) => {
      const length = Math.max(Number(count), 0);
      // Each character costs a draw from the system's generator, far more than a byte of other text.
      context.charge(length * 10);
      return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
    },
    { result: 'string' },
  );
}

export const randomFunctions: Functions = [
  ['randAlphaNum', randomFunction(letters + digits)],
  ['randAlpha', randomFunction(letters)],
  ['randNumeric', randomFunction(digits)],
  ['randAscii', randomFunction(printable)],
  ['uuidv4', goFunction([], () => randomUUID(), { result: 'string' })],
];
