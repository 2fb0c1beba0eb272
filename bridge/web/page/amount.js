/** OPEN as people write it, and as wei. Never through a float. */

const WEI = 10n ** 18n

/** @param {string} text */
export function toWei(text) {
  const [, whole = '', part = ''] = /^([0-9]+)(?:[.]([0-9]{1,18}))?$/.exec(text.trim()) ?? []
  if (!whole) throw new Error(`"${text}" is no amount of OPEN.`)
  return BigInt(whole) * WEI + BigInt(part.padEnd(18, '0'))
}

/**
 * All digits, so that what is shown adds up.
 * @param {bigint} wei
 */
export function toOpen(wei) {
  const part = (wei % WEI).toString().padStart(18, '0').replace(/0+$/, '')
  return `${wei / WEI}${part ? `.${part}` : ''}`
}
