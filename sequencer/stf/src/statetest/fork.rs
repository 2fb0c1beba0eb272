//! The forks by their names in the tests.

use config::BlobParams;
use revm::primitives::hardfork::SpecId;

/// A fork and what of its blob schedule is not in a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fork {
    pub(super) spec: SpecId,
    pub(super) blobs_per_tx: u64,
    pub(super) blob_params: BlobParams,
}

const CANCUN: BlobParams = BlobParams {
    from_s: 0,
    target: 3,
    max: 6,
    update_fraction: 3_338_477,
};
const PRAGUE: BlobParams = BlobParams {
    from_s: 0,
    target: 6,
    max: 9,
    update_fraction: 5_007_716,
};

impl Fork {
    pub(super) fn named(name: &str) -> Option<Self> {
        let spec = match name {
            "Frontier" => SpecId::FRONTIER,
            "Homestead" => SpecId::HOMESTEAD,
            "EIP150" => SpecId::TANGERINE,
            "EIP158" => SpecId::SPURIOUS_DRAGON,
            "Byzantium" => SpecId::BYZANTIUM,
            "ConstantinopleFix" => SpecId::PETERSBURG,
            "Istanbul" | "MuirGlacier" => SpecId::ISTANBUL,
            "Berlin" => SpecId::BERLIN,
            "London" | "ArrowGlacier" | "GrayGlacier" => SpecId::LONDON,
            "Merge" | "Paris" => SpecId::MERGE,
            "Shanghai" => SpecId::SHANGHAI,
            "Cancun" => SpecId::CANCUN,
            "Prague" => SpecId::PRAGUE,
            "Osaka" => SpecId::OSAKA,
            _ => return None,
        };
        let (blobs_per_tx, blob_params) = match spec {
            SpecId::OSAKA => (crate::rules::OSAKA_BLOBS_PER_TX, PRAGUE),
            SpecId::PRAGUE => (PRAGUE.max, PRAGUE),
            _ => (CANCUN.max, CANCUN),
        };
        Some(Self {
            spec,
            blobs_per_tx,
            blob_params,
        })
    }
}
