/** Template lines and what Tiller makes of them: the text, or with `error` the end of the error's text. */
export type Case = readonly [template: string, expected: string | { readonly error: string }];

/** Cases that one public page stands for. */
export interface CaseTable {
  readonly source: string;
  readonly cases: readonly Case[];
}

export const sprig = (page: string) => `https://masterminds.github.io/sprig/${page}.html`;
export const go = (page: string) => `https://pkg.go.dev/${page}`;
export const recorded = 'test/conformance/renderer/expressions.jsonl';
