// Reads one JSON line per client; every finding that two clients share must be the same.
import { readFileSync } from 'node:fs'
const all = process.argv.slice(2).map((f) => JSON.parse(readFileSync(f, 'utf8').trim().split('\n').at(-1)))
let compared = 0
let differ = 0
const [first, ...rest] = all
for (const other of rest) {
  for (const key of Object.keys(other)) {
    if (key === 'client' || !(key in first)) continue
    const [a, b] = [JSON.stringify(first[key]), JSON.stringify(other[key])].map((s) => s.replaceAll('"', ''))
    compared++
    if (a !== b) { differ++; console.error(`✗ ${key}: ${first.client} found ${a}, ${other.client} found ${b}`) }
  }
}
console.log(`${compared - differ} passed, ${differ} failed`)
process.exit(differ ? 1 : 0)
