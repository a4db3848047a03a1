/** What stands where a secret was. */
export const masked = '***';

/** `https://user:password@host` → `https://***@host`, for every URL in a text. */
export function maskUrlCredentials(value: string): string {
  // the class holds no '/', so each attempt ends at the authority: linear in the text's length
  return value.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@]{1,1024}@/gi, `$1${masked}@`);
}
