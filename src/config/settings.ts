/** What one source (flags, environment, file) says of an option, not yet read. */
export interface Setting {
  readonly texts: readonly string[];
  /** How to name it to the user: `--addr`, `TILLER_GATEWAY_ADDR`, `gateway.yaml:3 addr`. */
  readonly where: string;
}

/** One source. Settings are by the option's flag, never by an alias. */
export interface Settings {
  readonly byFlag: ReadonlyMap<string, Setting>;
  /** What is wrong with the source itself, such as names that are not options. */
  readonly mistakes: readonly string[];
}
