// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IMetrics} from "./IMetrics.sol";
import {ISpendAccount} from "./ISpendAccount.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title Metrics
/// @notice See IMetrics.
/// @dev Invariant: each operator's epoch is in the sums once or not at all; the total is the sum of all days
///      (test/l2/Metrics.t.sol). Slots: 0 total, 1 days, 2 what was counted: an L1 contract that reads them needs no
///      more.
contract Metrics is IMetrics {
    uint256 private constant EPOCH_S = 10 minutes;
    uint256 private constant EPOCHS_A_DAY = 144;

    Sums private _total;
    mapping(uint64 day => Sums) private _days;
    /// A bit for each operator, by the 256.
    mapping(uint64 epoch => mapping(uint256 operators => uint256)) private _counted;

    /// @inheritdoc IMetrics
    function count(uint64 epoch, uint32[] calldata operatorIds) external returns (uint256 counted) {
        uint256 until = (uint256(epoch) + 1) * EPOCH_S;
        require(block.timestamp >= until, EpochNotOver(until));
        Sums memory more = Sums(0, 0, 0);
        for (uint256 i = 0; i < operatorIds.length; ++i) {
            uint32 id = operatorIds[i];
            if (isCounted(epoch, id)) continue;
            (uint128 paid, uint64 calls) = ISpendAccount(Predeploys.SPEND_ACCOUNT).paidOf(id, epoch);
            if (paid == 0) continue;
            _counted[epoch][id / 256] |= 1 << (id % 256);
            (more.paid, more.calls, more.epochs) = (more.paid + paid, more.calls + calls, more.epochs + 1);
            emit Counted(epoch, id, paid, calls);
        }
        if (more.epochs != 0) {
            _add(_days[uint64(epoch / EPOCHS_A_DAY)], more);
            _add(_total, more);
        }
        return more.epochs;
    }

    /// @inheritdoc IMetrics
    function sumsOf(uint64 day) external view returns (Sums memory) {
        return _days[day];
    }

    /// @inheritdoc IMetrics
    function total() external view returns (Sums memory) {
        return _total;
    }

    /// @inheritdoc IMetrics
    function isCounted(uint64 epoch, uint32 operatorId) public view returns (bool) {
        return _counted[epoch][operatorId / 256] >> (operatorId % 256) & 1 != 0;
    }

    function _add(Sums storage to, Sums memory more) private {
        Sums memory s = to;
        (s.paid, s.calls, s.epochs) = (s.paid + more.paid, s.calls + more.calls, s.epochs + more.epochs);
        (to.paid, to.calls, to.epochs) = (s.paid, s.calls, s.epochs);
    }
}
