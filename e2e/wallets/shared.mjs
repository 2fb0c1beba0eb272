// What the stories of wallets share.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bytesToHex, privateToAddress } from '@ethereumjs/util'

export const dev = JSON.parse(readFileSync(process.argv[2], 'utf8'))

export function expect(holds, what) {
  if (holds) return
  console.error(`✗ ${what}`)
  process.exit(1)
}

export const hex = (number) => `0x${BigInt(number).toString(16)}`

/** What a receipt says was paid for gas, wei. */
export const paid = (receipt) => BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)

/** An account nobody has used. */
export function fresh() {
  const key = randomBytes(32)
  return { privateKey: bytesToHex(key), address: bytesToHex(privateToAddress(key)) }
}
