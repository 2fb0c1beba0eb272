// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Rollup} from "src/l1/Rollup.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";

/// A Rollup in which a contest can end: somebody says which output is right, and it is confirmed as soon as its window
/// allows. What challenges will bring, without their game: what the rest must survive is a root that is rejected.
contract JudgingRollup is Rollup {
    constructor(IInbox inbox_, ISystemConfig config_) Rollup(inbox_, config_) {}

    function judge(uint256 right) external {
        Output storage output = _outputs[right];
        _outputs[output.parent].childrenContested = false;
        _states[output.recordIndex].isContested = false;
        this.confirmOutput(right);
    }
}
