// What the JavaScript clients share: the node's addresses, the contracts, and how a finding is told.
import { readFileSync } from 'node:fs'

const here = new URL('.', import.meta.url)
const read = (path) => JSON.parse(readFileSync(new URL(path, here), 'utf8'))

export const story = read('story.json')
export const dev = JSON.parse(readFileSync(process.argv[2], 'utf8'))
export const artifact = (name) => read(`../../contracts/bindings/artifacts/${name}.json`)

/** Each client uses accounts of its own, so that they may run one after another on one node. */
export const accountsOf = (first) => dev.accounts.slice(first, first + 2)

export function fail(what) {
  console.error(`✗ ${what}`)
  process.exit(1)
}

export function expect(holds, what) {
  if (!holds) fail(what)
}

/** Runs `act`, which must be refused with a message that contains `text`. */
export async function refused(text, act) {
  try {
    await act()
  } catch (error) {
    const all = String(error) + String(error.stack) + String(error.message) + JSON.stringify(error.info ?? {}) + (error.details ?? '')
    expect(all.toLowerCase().includes(text.toLowerCase()), `expected "${text}", got: ${all.slice(0, 600)}`)
    return text
  }
  fail(`expected "${text}", but it was accepted`)
}

export function tell(findings) {
  console.log(JSON.stringify(findings, (_, v) => (typeof v === 'bigint' ? v.toString() : v)))
}
