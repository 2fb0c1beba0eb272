// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IL1TokenBridge
/// @notice Takes ETH and any ERC-20 into escrow, and pays them out again to those who burned them on L2. Anyone may bring
/// any token; what a token does to its own holders it may do here too, but never to holders of another.
///
/// A deposit is a message to `IL2TokenBridge`, which needs L2 gas. The depositor pays it in OPEN, which this contract
/// takes by allowance: `depositGasCost` says how much.
///
/// Nothing is lost when a message fails. A deposit whose message failed on L2 is sent again by `resend`, by anyone, with
/// as much gas as it takes. A withdrawal that cannot be paid waits in `owed`, where its receiver or its sender takes it by
/// `claim`, to wherever they like.
/// @dev Tokens that take a fee on transfer credit what arrived. Tokens that return nothing are accepted, tokens that
/// return false are refused. A token whose balances change by themselves is credited as it was deposited: what it grows
/// stays here, and if it shrinks, who comes last cannot be paid. OPEN is refused: `IPortal` is its bridge.
///
/// Absent on purpose: calls on behalf of the depositor on L2, tokens that begin on L2, NFTs, and any fee of the bridge.
interface IL1TokenBridge {
    /// @notice An EIP-2612 permit for this contract, signed by the caller. `deadline` 0: none is given.
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice A token came here for the first time; its message carries these words to L2, and they never change there.
    event TokenIntroduced(address indexed token, address indexed l2Token, string name, string symbol, uint8 decimals);
    /// @param token the L1 token, or `L2Tokens.ETH`
    /// @param amount what arrived here and will be minted
    /// @param queueIndex of the queue entry whose data is the message
    event DepositSent(
        uint256 indexed nonce,
        address indexed token,
        address indexed from,
        address to,
        uint256 amount,
        uint64 queueIndex
    );
    event DepositResent(uint256 indexed nonce, uint64 queueIndex);
    event WithdrawalPaid(address indexed token, address indexed from, address indexed to, uint256 amount);
    /// @notice The payment failed: `claim` it.
    event WithdrawalOwed(address indexed token, address indexed from, address indexed to, uint256 amount);
    event WithdrawalClaimed(
        address indexed token, address indexed from, address indexed to, address recipient, uint256 amount
    );

    /// @notice The council has paused new deposits. `resend`, withdrawals and claims are not paused.
    error DepositsPaused();
    /// @notice OPEN has its own bridge, and ETH is no ERC-20.
    error NotBridgeable(address token);
    error NothingDeposited();
    /// @notice Nobody could use tokens at this address of L2.
    error BadReceiver(address to);
    /// @notice Not the message that was sent under this nonce.
    error UnknownMessage(uint256 nonce);
    /// @notice Only the portal may call this, on behalf of the L2 bridge.
    error NotL2Bridge();
    error NotSelf();
    error NothingOwed();
    /// @notice To another address than the receiver's, only the receiver or the L2 sender may claim.
    error NotYours();
    /// @notice The token took `spent` of the escrow for a payment of `amount`: the difference belongs to others.
    error SpentTooMuch(address token, uint256 amount, uint256 spent);
    error PaymentFailed(address to);

    /// @notice Called once, by the proxy's constructor.
    function initialise() external;

    /// @notice Deposits the ETH sent along to the caller's own L2 address (its alias, if the caller is a contract).
    /// @return nonce of the deposit
    function depositETH() external payable returns (uint256 nonce);

    /// @notice Deposits the ETH sent along to `to` on L2.
    function depositETHTo(address to) external payable returns (uint256 nonce);

    /// @notice `depositETHTo`, after a permit over the OPEN for gas. A permit that someone else has already used is no
    /// obstacle.
    function depositETHWithPermit(address to, Permit calldata gasPermit) external payable returns (uint256 nonce);

    /// @notice Deposits `amount` of `token` to the caller's own L2 address (its alias, if the caller is a contract).
    function depositERC20(address token, uint256 amount) external returns (uint256 nonce);

    /// @notice Deposits `amount` of `token` to `to` on L2.
    function depositERC20To(address token, address to, uint256 amount) external returns (uint256 nonce);

    /// @notice `depositERC20To`, after a permit over the token, one over the OPEN for gas, or both.
    function depositERC20WithPermit(
        address token,
        address to,
        uint256 amount,
        Permit calldata tokenPermit,
        Permit calldata gasPermit
    ) external returns (uint256 nonce);

    /// @notice Sends a deposit's message once more, if it failed on L2. Where it did not, the copy does nothing.
    /// @param message data of the deposit's queue entry
    /// @param gasLimit L2 gas, which the caller pays in OPEN
    function resend(uint256 nonce, bytes calldata message, uint64 gasLimit) external returns (uint64 queueIndex);

    /// @notice What the portal calls for a withdrawal: pays `amount` of `token` to `to`, or owes it.
    /// @param from who burned it on L2
    function finalizeWithdrawal(address token, address from, address to, uint256 amount) external;

    /// @notice Only called by this contract, so that a payment that fails leaves no trace.
    function pay(address token, address to, uint256 amount) external;

    /// @notice Pays what is owed for withdrawals of `from` to `to`. Anyone may have it paid to `to`; `to` itself, and
    /// whoever speaks for `from` on L1, may name another recipient.
    function claim(address token, address from, address to, address recipient) external returns (uint256 amount);

    /// @return OPEN that a deposit of `token` costs now, wei. The first one of a token costs more.
    function depositGasCost(address token) external view returns (uint256);

    /// @return Where `token` stands on L2, or will.
    function l2TokenOf(address token) external pure returns (address);

    /// @return What is held for L2 holders of `token`, messages on their way and what is owed included.
    function escrowed(address token) external view returns (uint256);

    /// @return Whether some deposit has carried the token's name to L2.
    function introduced(address token) external view returns (bool);

    /// @return What `claim` would pay.
    function owed(address token, address from, address to) external view returns (uint256);

    /// @return Deposits so far.
    function messageCount() external view returns (uint256);

    /// @return keccak256 of a deposit's message.
    function messages(uint256 nonce) external view returns (bytes32);
}
