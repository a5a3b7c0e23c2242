//! A network that splits and heals, as the shipped scenario has it.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use p2psim::message::RumourId;
use p2psim::peer::PeerIndex;
use p2psim::scenario::{LoadOptions, Override, load};
use p2psim::simulation::{Setup, Simulation};
use p2psim::time::Time;

/// What is published while the partition holds stays on its side; after it heals everyone has
/// everything.
#[test]
fn nothing_crosses_a_partition_and_all_is_told_when_it_heals() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/partition.yaml");
    for seed in ["1", "2", "3"] {
        let options = LoadOptions {
            overrides: vec![Override::parse(&format!("seed={seed}")).unwrap()],
            ..LoadOptions::default()
        };
        let plan = load(&path, &options).unwrap().plan;
        let setup = Setup::new(&plan).unwrap();
        let conditions = setup.conditions.as_ref().unwrap();
        let partition = conditions.partitions.iter().next().unwrap();
        let side = |peer: PeerIndex| partition.groups[peer.as_usize()];
        let mut simulation = Simulation::new(&plan, None).unwrap();
        let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();

        let peers = simulation.names().len();
        let mut reached: BTreeMap<RumourId, BTreeSet<PeerIndex>> = BTreeMap::new();
        let produced = common::produced(&simulation);
        let (mut told_meanwhile, mut crossed_later) = (0, 0);
        for receipt in simulation.deliveries().receipts() {
            reached.entry(receipt.id).or_default().insert(receipt.peer);
            if !(partition.from..partition.until).contains(&produced[&receipt.id]) {
                continue;
            }
            if side(receipt.id.origin) == side(receipt.peer) {
                told_meanwhile += u32::from(receipt.received < partition.until);
            } else {
                // No one-way delay in the scenario is below a millisecond.
                assert!(receipt.received > partition.until + Time::from_ns(1_000_000));
                crossed_later += 1;
            }
        }
        assert!(told_meanwhile > 500 && crossed_later > 500, "seed {seed}");
        assert_eq!(produced.len(), 72);
        let sides: BTreeSet<u16> = produced.keys().map(|id| side(id.origin)).collect();
        assert_eq!(sides.len(), 2, "seed {seed}: reporters on one side only");
        for id in produced.keys() {
            let count = reached[id].len();
            assert_eq!(count, peers - 1, "seed {seed}: {id:?}");
        }
        // Every connection outlives the partition.
        assert_eq!(simulation.links(false).count(), 180 + 24, "seed {seed}");
        let [lost, partitioned] = outcome.total().lost_by_cause;
        assert!(
            lost > 0 && partitioned > 500,
            "seed {seed}: {lost} {partitioned}"
        );
    }
}
