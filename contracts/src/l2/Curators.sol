// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Burn} from "./Burn.sol";
import {ICurators} from "./ICurators.sol";
import {Owed} from "./Owed.sol";

/// @title Curators
/// @notice See ICurators. What Datanet uses of it are `_drawSeats`, `_slashSeat` and `_owe`.
/// @dev Invariant: what is held here is Σ bonds of taken seats + Σ owed, beside what Datanet holds for batches and reviews
///      (test/l2/Datanet.invariant.t.sol).
abstract contract Curators is ICurators, Owed {
    uint8 internal constant SEATS_MAX = 15;
    uint256 private constant RESIGN_S = 14 days;
    /// A missing review costs a twentieth: twenty careless days, or one bad key, and the seat is worth nothing.
    uint256 private constant SLASH_DIVISOR = 20;

    struct Taken {
        address curator;
        uint96 bond;
        uint40 joinedAt;
        /// Zero while it can be drawn.
        uint40 resignedAt;
    }

    mapping(uint64 datanet => mapping(uint8 seat => Taken)) private _seats;
    mapping(uint64 datanet => mapping(address curator => bool)) private _appointed;
    /// @inheritdoc ICurators
    mapping(uint64 datanet => uint16) public seatsOf;

    /// @inheritdoc ICurators
    function appoint(uint64 datanet, address curator, bool appointed) external {
        _checkOwner(datanet);
        _appointed[datanet][curator] = appointed;
        emit CuratorAppointed(datanet, curator, appointed);
    }

    /// @inheritdoc ICurators
    function join(uint64 datanet) external payable returns (uint8 seat) {
        require(_appointed[datanet][msg.sender], NotAppointed(msg.sender));
        uint96 bond = _curatorBond(datanet);
        require(msg.value == bond, WrongCuratorBond(bond));
        seat = SEATS_MAX;
        for (uint8 i = 0; i < SEATS_MAX; ++i) {
            address curator = _seats[datanet][i].curator;
            require(curator != msg.sender, AlreadySeated());
            if (curator == address(0) && i < seat) seat = i;
        }
        require(seat != SEATS_MAX, SeatsTaken());

        _appointed[datanet][msg.sender] = false; // Whom the owner sends away does not come back by itself.
        _seats[datanet][seat] = Taken(msg.sender, bond, uint40(block.timestamp), 0);
        seatsOf[datanet] |= uint16(1 << seat);
        emit CuratorJoined(datanet, seat, msg.sender, bond);
    }

    /// @inheritdoc ICurators
    function resign(uint64 datanet, uint8 seat) external {
        Taken storage s = _seats[datanet][seat];
        if (msg.sender != s.curator) _checkOwner(datanet);
        require(s.curator != address(0) && s.resignedAt == 0, NotTaken(seat));

        s.resignedAt = uint40(block.timestamp);
        seatsOf[datanet] &= ~uint16(1 << seat);
        emit CuratorResigned(datanet, seat, block.timestamp + RESIGN_S);
    }

    /// @inheritdoc ICurators
    function finishResigning(uint64 datanet, uint8 seat) external {
        Taken storage s = _seats[datanet][seat];
        (address curator, uint96 bond) = (s.curator, s.bond);
        uint256 from = s.resignedAt + RESIGN_S;
        require(s.resignedAt != 0 && block.timestamp >= from, NotLeft(from));

        delete _seats[datanet][seat];
        _owe(curator, bond);
        emit CuratorLeft(datanet, seat, curator, bond);
    }

    /// @inheritdoc ICurators
    function seatOf(uint64 datanet, uint8 seat) external view returns (address curator, uint96 bond) {
        Taken storage s = _seats[datanet][seat];
        return (s.curator, s.bond);
    }

    /// @dev Three different seats of curators who are neither `a` nor `b`, a byte each.
    function _drawSeats(uint64 datanet, bytes32 seed, address a, address b) internal view returns (uint24 seats) {
        uint8[] memory eligible = new uint8[](SEATS_MAX);
        uint256 n = 0;
        uint256 free = seatsOf[datanet];
        for (uint8 seat = 0; seat < SEATS_MAX; ++seat) {
            if (free >> seat & 1 == 0) continue;
            address curator = _seats[datanet][seat].curator;
            if (curator != a && curator != b) eligible[n++] = seat;
        }
        if (n < 3) return 0; // Never a draw's result: its seats differ.
        for (uint256 place = 0; place < 3; ++place) {
            uint256 pick = uint256(keccak256(abi.encode(seed, place))) % n;
            seats |= uint24(eligible[pick]) << uint24(8 * place);
            eligible[pick] = eligible[--n];
        }
    }

    /// @dev Of whoever was drawn at `drawnAt`; a later holder of the seat had no part in it.
    function _slashSeat(uint64 datanet, uint8 seat, uint256 drawnAt) internal returns (uint256 amount) {
        Taken storage s = _seats[datanet][seat];
        if (s.curator == address(0) || s.joinedAt > drawnAt) return 0;
        amount = s.bond / SLASH_DIVISOR;
        s.bond -= uint96(amount);
        emit CuratorSlashed(datanet, seat, s.curator, amount);
    }

    function _isAtSeat(uint64 datanet, uint8 seat, address account) internal view returns (bool) {
        return _seats[datanet][seat].curator == account;
    }

    function _burn(uint256 amount) internal {
        if (amount != 0) Burn.native(amount);
    }

    function _checkOwner(uint64 datanet) internal view virtual;
    function _curatorBond(uint64 datanet) internal view virtual returns (uint96);
}
