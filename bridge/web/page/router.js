/** Calls of the RevenueRouter, as bytes. A test holds the selectors to the contract's ABI. */

export const selectors = { pay: '0xc27a0fed', quote: '0x98befe08' }

const roles = ['protocol', 'burn', 'stakers', 'operator', 'agent', 'lineage']

/** @param {bigint} value */
const word = (value) => value.toString(16).padStart(64, '0')

/**
 * Text of up to 32 bytes as a `bytes32`.
 * @param {string} text
 */
function bytes32(text) {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > 32) throw new Error('The reference is longer than 32 bytes.')
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('').padEnd(64, '0')
}

/** @param {{asset: bigint, operator: bigint, ref: string}} payment */
export const payData = ({ asset, operator, ref }) => selectors.pay + word(asset) + word(operator) + word(0n) + bytes32(ref)

/** @param {{asset: bigint, operator: bigint, amount: bigint}} payment */
export const quoteData = ({ asset, operator, amount }) => selectors.quote + word(asset) + word(operator) + word(0n) + word(amount)

/**
 * Reads what `quote` answers: three arrays of one length.
 * @param {string} data
 * @returns {{role: string, id: bigint, amount: bigint}[]}
 */
export function readQuote(data) {
  /** @param {number} index */
  const at = (index) => data.slice(2 + 64 * index, 66 + 64 * index)
  /** @param {number} argument */
  const array = (argument) => {
    const start = Number(BigInt(`0x${at(argument)}`)) / 32
    return Array.from({ length: Number(BigInt(`0x${at(start)}`)) }, (_, i) => at(start + 1 + i))
  }
  const [why, amounts] = [array(1), array(2)]
  return why.map((w, i) => ({
    role: roles[Number.parseInt(w.slice(0, 2), 16)] ?? 'other',
    id: BigInt(`0x${w.slice(48)}`),
    amount: BigInt(`0x${amounts[i]}`),
  }))
}
