//! Payloads whose frame is wrong, written by hand: versions, heads of columns, lengths.

use crate::{
    Case,
    payload::{COLUMNS, put_blocks, put_raw, put_varint, zstd_blocks},
};

/// One empty block, column by column, with column `index` written by `write`.
fn with(index: usize, write: impl Fn(&mut Vec<u8>, &[u8])) -> Vec<u8> {
    let mut payload = vec![1];
    for column in 0..COLUMNS {
        let content: &[u8] = if column < 4 { &[0] } else { &[] };
        if column == index {
            write(&mut payload, content);
        } else {
            payload.push(2 * content.len() as u8);
            payload.extend_from_slice(content);
        }
    }
    payload
}

pub fn cases() -> Vec<Case> {
    let smallest = with(COLUMNS, |_, _| ());
    let mut cases = vec![
        Case::payload("the smallest batch", smallest.clone()),
        Case::payload("nothing", vec![]),
        Case::payload("a version alone", vec![1]),
        Case::payload("a column too few", smallest[..smallest.len() - 1].to_vec()),
        Case::payload("a byte too many", [&smallest[..], &[0]].concat()),
        Case::payload("all columns empty", [&[1][..], &[0; COLUMNS]].concat()),
    ];
    for version in [0, 2, 3, 0x7f, 0x80, 0xff] {
        let mut payload = smallest.clone();
        payload[0] = version;
        cases.push(Case::payload(format!("version {version}"), payload));
    }
    // The one number that may be anything: how many queue entries a block consumes.
    let ends: [&[u8]; 8] = [
        &[],
        &[1],
        &[2],
        &[0x7f],
        &[0x80],
        &[0x81],
        &[0xff],
        &[0x81, 0],
    ];
    for fill in [0x80, 0xff] {
        for (begin, end) in ends
            .iter()
            .map(|end| (9, *end))
            .chain([(1, &[0][..]), (2, &[0])])
        {
            let number = [&vec![fill; begin], end].concat();
            let payload = with(2, |out, _| put_raw(out, &number));
            cases.push(Case::payload(format!("the number {number:x?}"), payload));
        }
    }
    for index in [0, 1, 3, 4, 5, 31, 35] {
        let mut case = |name: &str, payload| {
            cases.push(Case::payload(format!("column {index}: {name}"), payload))
        };
        case(
            "its length in a longer form",
            with(index, |out, content| {
                out.extend([0x80 | (2 * content.len() as u8), 0]);
                out.extend_from_slice(content);
            }),
        );
        for head in [1 << 20, 1 << 32, 1 << 63, u64::MAX] {
            case(
                &format!("head {head}"),
                with(index, |out, content| {
                    put_varint(out, head);
                    out.extend_from_slice(content);
                }),
            );
        }
        case(
            "compressed, and as long as it was",
            with(index, |out, content| {
                put_blocks(out, content.len(), content)
            }),
        );
        case(
            "compressed nothing",
            with(index, |out, content| put_blocks(out, content.len(), &[])),
        );
        case(
            "an empty last block for nothing",
            with(index, |out, _| put_blocks(out, 0, &[1, 0, 0])),
        );
        case(
            "stored longer than the payload",
            with(index, |out, _| out.extend([41, 19, 3, 0])),
        );
        case(
            "two hundred zero bytes, compressed",
            with(index, |out, _| {
                put_blocks(out, 200, &zstd_blocks(&[0; 200], 3))
            }),
        );
        case(
            "a run of seven zero bytes",
            with(index, |out, _| {
                put_blocks(out, 7, &[7 << 3 | 0b011, 0, 0, 0])
            }),
        );
        case(
            "the stored length in a longer form",
            with(index, |out, _| {
                out.extend([15, 0x84, 0, 7 << 3 | 0b011, 0, 0, 0])
            }),
        );
        case(
            "as many bytes stored as given",
            with(index, |out, _| {
                put_blocks(out, 4, &[4 << 3 | 0b011, 0, 0, 0])
            }),
        );
    }
    cases
}
