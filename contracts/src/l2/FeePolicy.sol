// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Epoch} from "./Epoch.sol";
import {IFeePolicy} from "./IFeePolicy.sol";

/// @title FeePolicy
/// @notice See IFeePolicy.
/// @dev Invariant: what `classes` and `upstreamMaxPpb` return is within the bounds below, if genesis was
///      (test/l2/FeePolicy.t.sol). Genesis writes slots 0, 2 and 3; README.md gives the words.
contract FeePolicy is IFeePolicy {
    uint32 public constant CLASS_GRAIN_PPB = 10_000;
    uint32 public constant PROTOCOL_MAX_PPB = 30_000_000;
    uint32 public constant BURN_MAX_PPB = 30_000_000;
    uint32 public constant STAKERS_MAX_PPB = 100_000_000;
    uint32 public constant UPSTREAM_MAX_LOW_PPB = 100_000_000;
    uint32 public constant UPSTREAM_MAX_HIGH_PPB = 500_000_000;

    struct Classes {
        uint32 protocolPpb;
        uint32 burnPpb;
        uint32 stakersPpb;
        uint32 nextProtocolPpb;
        uint32 nextBurnPpb;
        uint32 nextStakersPpb;
        uint32 nextEpoch;
    }

    struct UpstreamMax {
        uint32 ppb;
        uint32 nextPpb;
        uint32 nextEpoch;
    }

    /// @inheritdoc IFeePolicy
    address public owner;
    /// Whom ownership is offered to.
    address public offeredTo;
    Classes private _classes;
    UpstreamMax private _upstreamMax;

    modifier onlyOwner() {
        require(msg.sender == owner, NotOwner(msg.sender));
        _;
    }

    /// @inheritdoc IFeePolicy
    function setClasses(uint32 protocolPpb, uint32 burnPpb, uint32 stakersPpb) external onlyOwner {
        _boundClass(protocolPpb, PROTOCOL_MAX_PPB);
        _boundClass(burnPpb, BURN_MAX_PPB);
        _boundClass(stakersPpb, STAKERS_MAX_PPB);

        (uint32 protocolNow, uint32 burnNow, uint32 stakersNow) = classes();
        uint32 from = Epoch.afterNext();
        _classes = Classes(protocolNow, burnNow, stakersNow, protocolPpb, burnPpb, stakersPpb, from);
        emit ClassesScheduled(protocolPpb, burnPpb, stakersPpb, Epoch.start(from));
    }

    /// @inheritdoc IFeePolicy
    function setUpstreamMax(uint32 ppb) external onlyOwner {
        _bound(ppb, UPSTREAM_MAX_LOW_PPB, UPSTREAM_MAX_HIGH_PPB);

        uint32 from = Epoch.afterNext();
        _upstreamMax = UpstreamMax(upstreamMaxPpb(), ppb, from);
        emit UpstreamMaxScheduled(ppb, Epoch.start(from));
    }

    /// @inheritdoc IFeePolicy
    function offerOwnership(address to) external onlyOwner {
        offeredTo = to;
        emit OwnershipOffered(msg.sender, to);
    }

    /// @inheritdoc IFeePolicy
    function acceptOwnership() external {
        require(msg.sender == offeredTo, NotOffered(msg.sender));
        emit OwnershipTransferred(owner, msg.sender);
        owner = msg.sender;
        offeredTo = address(0);
    }

    /// @inheritdoc IFeePolicy
    function classes() public view returns (uint32 protocolPpb, uint32 burnPpb, uint32 stakersPpb) {
        Classes memory c = _classes;
        return Epoch.reached(c.nextEpoch)
            ? (c.nextProtocolPpb, c.nextBurnPpb, c.nextStakersPpb)
            : (c.protocolPpb, c.burnPpb, c.stakersPpb);
    }

    /// @inheritdoc IFeePolicy
    function upstreamMaxPpb() public view returns (uint32) {
        UpstreamMax memory u = _upstreamMax;
        return Epoch.reached(u.nextEpoch) ? u.nextPpb : u.ppb;
    }

    function _boundClass(uint256 ppb, uint256 max) private pure {
        _bound(ppb, 0, max);
        require(ppb % CLASS_GRAIN_PPB == 0, TooFine(ppb));
    }

    function _bound(uint256 value, uint256 min, uint256 max) private pure {
        require(min <= value && value <= max, OutOfBounds(value, min, max));
    }
}
