//! Every file in scenarios/ is checked and run, and says at its top what it is.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use p2psim::scenario::{LoadOptions, load};
use p2psim::simulation::{Ending, Simulation};

fn shipped() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec!["scenarios"];
    if cfg!(feature = "luau") {
        folders.push("scenarios/scripts");
    }
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_shipped_scenario_runs() {
    let paths = shipped();
    assert!(paths.len() >= 4);
    for path in paths {
        let shown = path.display();
        assert!(
            fs::read_to_string(&path).unwrap().starts_with("# "),
            "{shown} has no comment"
        );
        let scenario = match load(&path, &LoadOptions::default()) {
            Ok(scenario) => scenario,
            Err(error) => panic!("{}", error.render(false)),
        };
        assert!(
            scenario.warnings.is_empty(),
            "{}",
            scenario.render_warnings(false)
        );
        let mut simulation = Simulation::new(&scenario.plan, None).unwrap();
        let outcome = simulation.run(&AtomicBool::new(false), |_| {}).unwrap();
        assert_eq!(outcome.ending, Ending::Horizon, "{shown}");
        assert_eq!(outcome.reached, scenario.plan.horizon, "{shown}");
        assert!(
            outcome.total().delivered > 100,
            "{shown} delivers hardly anything"
        );
        assert!(
            simulation.links(false).count() > 10,
            "{shown} ends without connections"
        );
        // Where peers come and go, one may just have come.
        let online = simulation.peers().filter(|peer| peer.online).count();
        let alone = simulation
            .peers()
            .filter(|peer| peer.online && peer.connections == 0)
            .count();
        assert!(20 * alone <= online, "{shown}: {alone} peers are alone");
    }
}

/// The laws of bitcoin-2019.yaml are typed from SimBlock's table; their means must be in it.
#[test]
fn bitcoin_2019_has_simblocks_latencies() {
    // dsg-titech/simblock, NetworkConfiguration.java, LATENCY_2019: upper triangle, row by row.
    let table: [&[f64]; 6] = [
        &[32.0, 124.0, 184.0, 198.0, 151.0, 189.0],
        &[11.0, 227.0, 237.0, 252.0, 294.0],
        &[88.0, 325.0, 301.0, 322.0],
        &[85.0, 58.0, 198.0],
        &[12.0, 126.0],
        &[16.0],
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/bitcoin-2019.yaml");
    let plan = load(&path, &LoadOptions::default()).unwrap().plan;
    for (from, row) in table.iter().enumerate() {
        for (step, &mean) in row.iter().enumerate() {
            let place = |at: usize| p2psim::peer::LocationIndex(at as u16);
            let law = plan.latencies.get(place(from), place(from + step)).unwrap();
            let law_mean = law.mean();
            assert!(
                (law_mean - mean).abs() < 1e-9,
                "{from}-{}: {law_mean}",
                from + step
            );
        }
    }
}
