/**
 * Takes away from a `node_modules` what no program loads: declarations, maps, documentation, tests, and builds for
 * browsers. For the image: `node scripts/prune-modules.ts node_modules`.
 */
import { globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Below any package. Licences stay. */
const unloaded = [
  '**/*.{ts,mts,cts,map,md,markdown,html,swf,flow,yml,tgz}',
  '**/{test,tests,__tests__,docs,doc,example,examples,bench,benchmark,benchmarks,.nyc_output,.github}',
  '**/.{eslintrc,eslintrc.json,eslintignore,nycrc,editorconfig,npmignore,gitattributes,babelrc,jshintrc,prettierrc,travis.yml}',
];

/** Builds that Node.js does not choose, by package. */
const otherBuilds = [
  'openpgp/dist/*.{js,mjs}',
  'openpgp/dist/lightweight',
  'node-forge/{dist,flash}',
  're2js/build/index.umd*',
  'protobufjs/dist',
  'js-yaml/dist/browser',
  'lru-cache/dist/*/{browser,react-native}',
];

/** @param folder a `node_modules` of production dependencies */
export function pruneModules(folder: string): void {
  for (const path of globSync([...unloaded, ...otherBuilds], { cwd: folder })) {
    rmSync(`${folder}/${path}`, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) pruneModules(process.argv[2] ?? 'node_modules');
