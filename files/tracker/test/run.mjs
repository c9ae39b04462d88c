// The unit tests with node's own runner: `node test/run.mjs`. They are bundled first: node 20 reads no TypeScript.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { spawnSync } from 'node:child_process'
import { buildSync } from 'esbuild'

const here = new URL('.', import.meta.url).pathname
const out = mkdtempSync(`${tmpdir()}/clickstream-tracker-`)
const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts'))
buildSync({ entryPoints: tests.map((name) => here + name), outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', define: { VERSION: '"test"' } })
const { status } = spawnSync(process.execPath, ['--test', out], { stdio: 'inherit' })
rmSync(out, { recursive: true })
process.exit(status ?? 1)
