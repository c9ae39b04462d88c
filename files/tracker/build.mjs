// Builds dist/: `node build.mjs [folder]`. The same sources and lock give the same bytes.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { gzipSync } from 'node:zlib'
import { buildSync } from 'esbuild'

const LIMIT = 5000
const here = new URL('.', import.meta.url).pathname
const dist = process.argv[2] ?? `${here}dist`
const published = {}
const { version } = JSON.parse(readFileSync(`${here}package.json`, 'utf8'))

for (const [entry, file, format] of [
  ['script', 'tracker.js', 'iife'],
  ['index', 'tracker.mjs', 'esm'],
]) {
  const out = `${dist}/${file}`
  const define = { VERSION: JSON.stringify(version) }
  buildSync({ entryPoints: [`${here}src/${entry}.ts`], outfile: out, format, define, bundle: true, minify: true, target: 'es2020', legalComments: 'none', logLevel: 'warning' })
  const content = readFileSync(out)
  const digest = createHash('sha384').update(content).digest()
  const [name, ending] = file.split('.')
  // The name of no other content: it may be kept for ever.
  published[file] = { key: `${name}-${version}-${digest.toString('hex').slice(0, 12)}.${ending}`, integrity: `sha384-${digest.toString('base64')}` }
  const size = gzipSync(content, { level: 9 }).length
  console.log(`${file}: ${size} bytes gzipped`)
  if (size > LIMIT) {
    console.error(`${file} is larger than ${LIMIT} bytes. Fix: make it smaller`)
    process.exitCode = 1
  }
}
writeFileSync(`${dist}/published.json`, `${JSON.stringify(published, null, 2)}\n`)
const types = mkdtempSync(`${tmpdir()}/clickstream-tracker-`)
const emit = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', `${here}src`, '--outDir', types]
execFileSync(`${here}node_modules/.bin/tsc`, ['-p', here, ...emit], { stdio: 'inherit' })
for (const file of ['index.d.ts', 'types.d.ts']) copyFileSync(`${types}/${file}`, `${dist}/${file}`)
rmSync(types, { recursive: true })
