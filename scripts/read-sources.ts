import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** What an import names: a path from the repository's root for a relative one, else the specifier as it stands. */
export interface ImportedFile {
  readonly path: string;
  /** By `import()`, when it is first needed. */
  readonly lazy: boolean;
}

export interface SourceFile {
  /** From the repository's root. */
  readonly path: string;
  readonly lines: number;
  readonly generated: boolean;
  /** Type-only imports too: a type is knowledge of the other room as well. */
  readonly imports: readonly ImportedFile[];
}

export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Written by others, recorded, quoting texts of Tiller, or a list of the words themselves. */
const foreignText =
  /^(?:LICENSE|package-lock\.json|proto\/|scripts\/rooms\.ts|src\/sandbox\/tiller\/name-words\.ts|src\/backends\/tiller\/translate-error|test\/conformance\/|test\/charts\/|packages\/[^/]+\/test\/(?:cases|conformance|charts)\/)/;
const proseFile = /\.(?:ts|md|ya?ml|tpl|txt|json)$|^Dockerfile$/;

/**
 * The product's source files (`src`, `packages`; specs left out, since they may use whatever helps them), and every
 * text of ours in the repository.
 */
export function readSources(): { readonly files: SourceFile[]; readonly texts: TextFile[] } {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const paths = [...new Set(listed.split('\n'))].filter(path => path !== '' && existsSync(path));
  const texts = paths
    .filter(path => proseFile.test(path) && !foreignText.test(path))
    .map(path => ({ path, text: readFileSync(path, 'utf8') }));
  const files = texts
    .filter(({ path }) => /^(?:src|packages\/[^/]+\/src)\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
    .map(({ path, text }) => ({
      path,
      lines: text.split('\n').length - 1,
      generated: /^\/[/*].{0,20}generated/i.test(text),
      imports: importsOf(path, text),
    }));
  return { files, texts };
}

function importsOf(path: string, text: string): ImportedFile[] {
  return [...text.matchAll(importPattern)].map(match => {
    const specifier = match[1] ?? match[2] ?? '';
    return {
      path: specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier,
      lazy: match[2] !== undefined,
    };
  });
}
