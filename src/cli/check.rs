//! `p2psim check`: validates scenarios and shows what would run.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Overrides, TextFormat, complain, load, load_options, machine, print};
use crate::network::Loss;
use crate::report::table_within;
use crate::scenario::{self, MessagesEstimate, Scenario};
use crate::services::Registry;
use crate::simulation::{NamedLaw, Plan, Population, Setup, SetupError};
use crate::units::{show_bytes, show_count, show_figure};

/// More laws than this are left out of the table.
const LAWS_SHOWN_MAX: usize = 36;
/// Less negative mass than this goes without saying; more of it is warned of.
const NEGATIVE_MASS_MAX: f64 = 0.001;

/// More partitions than this are counted, not shown.
const PARTITIONS_SHOWN_MAX: usize = 10;

/// Check scenarios without running them, and show what would run
#[derive(Args)]
#[command(after_help = "Example:\n  p2psim check scenarios/*.yaml")]
pub(super) struct CheckArgs {
    /// The scenario files
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// How to write what would run and what is wrong
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    format: TextFormat,
}

pub(super) fn check(args: &CheckArgs, registry: &Registry) -> Result<(), Failure> {
    if args.format == TextFormat::Json {
        return check_json(args, registry);
    }
    let mut all_fine = true;
    for (place, path) in args.scenarios.iter().enumerate() {
        if place > 0 {
            print("\n")?;
        }
        match load(path, args.overrides.all()?, registry.clone())
            .and_then(|scenario| describe(path, &scenario))
        {
            Ok(text) => print(&text)?,
            Err(Failure::Scenario(text)) => {
                complain(&text);
                all_fine = false;
            }
            Err(Failure::Usage(text)) => {
                complain(&format!("error: {}: {text}\n", path.display()));
                all_fine = false;
            }
            Err(other) => return Err(other),
        }
    }
    if all_fine {
        Ok(())
    } else {
        // Each scenario's errors have been shown.
        Err(Failure::Scenario(String::new()))
    }
}

/// A JSON object for each scenario: whether it can run, all that is wrong, and what would run.
fn check_json(args: &CheckArgs, registry: &Registry) -> Result<(), Failure> {
    let mut objects = Vec::with_capacity(args.scenarios.len());
    for path in &args.scenarios {
        let options = load_options(args.overrides.all()?, registry.clone());
        let mut object = json!({"scenario": path.display().to_string()});
        let refused = |error: SetupError| json!({"severity": "error", "message": error.to_string(), "expected": ""});
        let (problems, would_run) = match scenario::load(path, &options) {
            Err(error) => (error.json(), None),
            Ok(scenario) => match Setup::new(&scenario.plan) {
                Err(error) => (vec![refused(error)], None),
                Ok(setup) => {
                    let would_run = would_run(&scenario.plan, &setup);
                    (scenario.warnings_json(), Some(would_run))
                }
            },
        };
        object["valid"] = json!(would_run.is_some());
        object["problems"] = json!(problems);
        object["would_run"] = json!(would_run);
        objects.push(object);
    }
    let all_fine = objects.iter().all(|object| object["valid"] == json!(true));
    print(&format!("{:#}\n", json!(objects)))?;
    if all_fine {
        Ok(())
    } else {
        // What is wrong is in the objects.
        Err(Failure::Scenario(String::new()))
    }
}

/// How many peers there are of each type.
fn peers_by_type(plan: &Plan, setup: &Setup) -> Vec<u64> {
    let mut by_type = vec![0_u64; plan.types.len()];
    for index in &setup.names.types {
        by_type[index.as_usize()] += 1;
    }
    by_type
}

/// About how much memory a run takes before logs, if all messages reach everyone.
fn memory_bytes(plan: &Plan, setup: &Setup, links: u64) -> u64 {
    let peers = setup.names.len() as u64;
    let counts = peers_by_type(plan, setup);
    let deliveries = plan.measures.deliveries;
    let parts = [
        scenario::PROGRAM_BYTES,
        scenario::estimate_bytes(peers, links as f64, plan.spreads_rumours()),
        scenario::estimate_scripts_bytes(&plan.types, &counts),
        MessagesEstimate::new(&plan.types, &counts, plan.horizon, deliveries).bytes(),
    ];
    parts.into_iter().fold(0, u64::saturating_add)
}

/// What would run, for programs. Laws are in ms, bit/s and bytes; what is not finite is null.
fn would_run(plan: &Plan, setup: &Setup) -> Value {
    let peers = setup.names.len() as u64;
    let links = setup.links().count() as u64;
    let types = plan
        .types
        .iter()
        .zip(peers_by_type(plan, setup))
        .map(|(peer_type, count)| {
            let services: Vec<&str> = peer_type.services.iter().map(|s| s.spec.name).collect();
            json!({"name": peer_type.name, "services": services, "peers": count})
        });
    let laws = plan.laws().into_iter().map(|named| {
        let law = &named.law;
        json!({
            "path": named.path,
            "law": law.to_string(),
            "unit": named.dimension.unit_for(0.0).name,
            "from": law.lower_bound(),
            "to": law.upper_bound(),
            "mean": law.mean(),
            "sd": law.std_dev(),
            "negative_share": law.mass_below(0.0),
        })
    });
    json!({
        "name": plan.name,
        "seed": plan.seed,
        "horizon_ms": plan.horizon.as_ms(),
        "locations": plan.locations,
        "peers": peers,
        "links": links,
        "emergent": matches!(plan.population, Population::Emergent { .. }),
        "peers_without_link": setup.isolated(),
        "memory_bytes": memory_bytes(plan, setup, links),
        "peer_types": types.collect::<Vec<Value>>(),
        "distributions": laws.collect::<Vec<Value>>(),
    })
}

/// What would run.
fn describe(path: &Path, scenario: &Scenario) -> Result<String, Failure> {
    let plan = &scenario.plan;
    let setup = Setup::new(plan)?;
    let peers = setup.names.len();
    let by_type = peers_by_type(plan, &setup);
    let links = setup.links().count() as u64;
    let mut text = format!(
        "{}: {} peers at {} locations, {} s from seed {}\n\n",
        path.display(),
        show_count(peers as u64),
        plan.locations.len(),
        plan.horizon.as_secs(),
        plan.seed,
    );
    let rows: Vec<Vec<String>> = plan
        .types
        .iter()
        .zip(&by_type)
        .map(|(peer_type, &count)| {
            let services: Vec<&str> = peer_type.services.iter().map(|s| s.spec.name).collect();
            let services = if services.is_empty() {
                "none".into()
            } else {
                services.join(", ")
            };
            vec![peer_type.name.clone(), services, show_count(count)]
        })
        .collect();
    let header = ["peer type", "services", "peers"];
    text.push_str(&table_within(&header, 2, &rows, machine::columns()));
    text.push_str(&match &plan.population {
        Population::Graph { .. } => format!(
            "\ntopology: {} links, mean degree {:.2}\n",
            show_count(links),
            2.0 * links as f64 / peers as f64
        ),
        Population::Emergent { .. } => {
            "\ntopology: emergent; every peer begins with one bootstrap peer\n".to_owned()
        }
    });
    text.push_str(&conditions(plan, &setup));
    text.push_str(&format!(
        "memory: about {} before logs\n",
        show_bytes(memory_bytes(plan, &setup, links))
    ));
    text.push_str(&laws(plan));
    let isolated = setup.isolated();
    if isolated > 0 {
        complain(&format!(
            "warning: {} of the {} peers have no link and stay alone\n",
            show_count(isolated as u64),
            show_count(peers as u64)
        ));
    }
    Ok(text)
}

/// A table of the laws that are drawn from, with their bounds and moments; warns of those with
/// negative draws.
fn laws(plan: &Plan) -> String {
    let laws: Vec<NamedLaw> = plan
        .laws()
        .into_iter()
        .filter(|named| named.law.as_constant().is_none())
        .collect();
    for named in &laws {
        let negative = named.law.mass_below(0.0);
        // The scenario's own check speaks of latencies with more mass below their floor.
        let told = named.path.starts_with("latencies.") && negative > 0.01;
        if negative > NEGATIVE_MASS_MAX && !told {
            complain(&format!(
                "warning: {} % of the draws of {} are negative ({})\n  truncate({}, 0, ...) has none\n",
                show_figure(100.0 * negative),
                named.path,
                negative_draws(&named.path),
                named.law
            ));
        }
    }
    let rows: Vec<Vec<String>> = laws
        .iter()
        .take(LAWS_SHOWN_MAX)
        .map(|named| {
            let law = &named.law;
            let size = [law.mean(), law.lower_bound()]
                .into_iter()
                .find(|value| value.is_finite())
                .unwrap_or(0.0);
            let unit = named.dimension.unit_for(size);
            let figures = [
                law.lower_bound(),
                law.upper_bound(),
                law.mean(),
                law.std_dev(),
            ];
            let mut row = vec![named.path.clone(), unit.name.to_owned()];
            row.extend(figures.map(|figure| show_figure(figure / unit.size)));
            row
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let header = ["distribution", "unit", "from", "to", "mean", "sd"];
    let mut text = format!("\n{}", table_within(&header, 2, &rows, machine::columns()));
    if laws.len() > rows.len() {
        text.push_str(&format!(
            "and {} more\n",
            show_count((laws.len() - rows.len()) as u64)
        ));
    }
    text
}

/// What becomes of the negative draws of the law at `path`.
fn negative_draws(path: &str) -> &'static str {
    if path.starts_with("latencies.") {
        "raised to network.min_delay"
    } else if path.contains(".bandwidth_") {
        "drawn again"
    } else if path == "topology.join" {
        "taken as 0"
    } else {
        "see p2psim list services"
    }
}

/// What the network does to messages besides delaying them, a line each.
fn conditions(plan: &Plan, setup: &Setup) -> String {
    let mut text = String::new();
    if let Some(table) = &plan.conditions.loss {
        let shares = table.laws().iter().map(|law| match law {
            Loss::Independent(probability) => *probability,
            Loss::Bursty(channel) => channel.mean_loss(),
        });
        let (least, most) = shares.fold((1.0_f64, 0.0_f64), |(least, most), share| {
            (least.min(share), most.max(share))
        });
        let percent = |share: f64| (share * 1e6).round() / 1e4;
        let bursty = table
            .laws()
            .iter()
            .any(|law| matches!(law, Loss::Bursty(_)));
        text.push_str(&match (percent(least), percent(most)) {
            (least, most) if least == most => format!("loss: {least} % of messages"),
            (least, most) => format!("loss: {least} to {most} % of messages, by location"),
        });
        text.push_str(if bursty { ", in bursts\n" } else { "\n" });
    }
    if plan.conditions.duplication > 0.0 {
        let percent = (plan.conditions.duplication * 1e6).round() / 1e4;
        text.push_str(&format!("duplication: {percent} % of messages\n"));
    }
    let partitions = setup.conditions.iter().flat_map(|c| c.partitions.iter());
    for partition in partitions.take(PARTITIONS_SHOWN_MAX) {
        let (sizes, ungrouped) = partition.sizes();
        let arrow = if partition.directed { " -> " } else { " | " };
        let shown: Vec<String> = sizes.iter().map(|&size| show_count(size as u64)).collect();
        text.push_str(&format!(
            "partition: {} to {} ms, {} peers, {} in no group\n",
            partition.from,
            partition.until,
            shown.join(arrow),
            show_count(ungrouped as u64),
        ));
        if sizes.contains(&0) {
            complain(&format!(
                "warning: a group of the partition at {} ms has no peers\n",
                partition.from
            ));
        }
    }
    let more = plan
        .conditions
        .partitions
        .len()
        .saturating_sub(PARTITIONS_SHOWN_MAX);
    if more > 0 {
        text.push_str(&format!("and {more} more partitions\n"));
    }
    text
}
