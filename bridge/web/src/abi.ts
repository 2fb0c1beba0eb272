/** What this package calls and reads on L1. A test holds each line to the ABIs in `contracts/bindings`. */
import { parseAbi } from 'viem'

export const openTokenAbi = parseAbi([
  'function approve(address spender, uint256 value) returns (bool)',
  'function allowance(address owner, address spender) view returns (uint256)',
  'function balanceOf(address account) view returns (uint256)',
])

export const portalAbi = parseAbi([
  'function deposit(address to, uint256 mint, uint256 value, uint64 gasLimit, bool isCreation, bytes data) returns (uint64 index)',
  'function depositOpen(uint256 amount) returns (uint64 index)',
  'function DEFAULT_GAS_LIMIT() view returns (uint64)',
  'function gasCost(uint64 gasLimit) view returns (uint256)',
  'function minGasLimit(uint256 dataLength, bool isCreation) pure returns (uint256)',
])

export const inboxAbi = parseAbi([
  'struct QueueEntry { uint64 index; uint64 timestamp; uint64 l1Block; address from; address to; uint256 mint; uint256 value; uint64 gasLimit; bool isCreation; bytes data; }',
  'event Enqueued(uint64 indexed index, address indexed from, address indexed to, QueueEntry entry, bytes32 queueAcc)',
])
