// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice Takes no OPEN.
contract Refuses {
    receive() external payable {
        revert("no");
    }
}

/// @notice On receiving OPEN, calls back as it was told, once for each receipt until `left` is used up.
contract CallsBack {
    address public target;
    bytes public data;
    uint256 public left;
    uint256 public received;
    bool public lastOk;

    constructor(address target_, bytes memory data_, uint256 left_) {
        (target, data, left) = (target_, data_, left_);
    }

    receive() external payable {
        received += msg.value;
        if (left == 0) return;
        --left;
        (lastOk,) = target.call(data);
    }
}

/// @notice Answers a transfer with a megabyte.
contract AnswersTooMuch {
    receive() external payable {
        assembly {
            return(0, 1000000)
        }
    }
}

/// @notice An account whose EIP-1271 code accepts exactly one digest and signature.
contract SmartAccount {
    bytes32 public digest;
    bytes32 public signatureHash;

    function accept(bytes32 digest_, bytes calldata signature) external {
        (digest, signatureHash) = (digest_, keccak256(signature));
    }

    function isValidSignature(bytes32 digest_, bytes calldata signature) external view returns (bytes4) {
        return digest_ == digest && keccak256(signature) == signatureHash ? bytes4(0x1626ba7e) : bytes4(0);
    }

    function run(address target, bytes calldata data) external {
        (bool ok,) = target.call(data);
        require(ok, "call failed");
    }

    receive() external payable {}
}
