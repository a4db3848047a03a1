/** What stands where a secret was. */
export const masked = '***';

/** `https://user:password@host` → `https://***@host`, for every URL in a text. */
export function maskUrlCredentials(value: string): string {
  // a password may hold an @ itself: the last one before the path ends the credentials; the bound keeps it linear
  return value.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#]{1,1024}@/gi, `$1${masked}@`);
}
